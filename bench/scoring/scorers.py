"""The table of scorers: name in `task.yaml` -> function(example, reply) -> float in [0, 1].

Two kinds of names are not in the table: `score`, the function of the task's own `task.py`, and
`evaluate:NAME[:KEY]`, a Hugging Face `evaluate` metric by name or local path.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

from bench.errors import TaskError, did_you_mean
from bench.scoring import choice, code, constraints, refusal, text
from bench.scoring.sandbox.run import require_sandbox
from bench.types import Example, Reply

Scorer = Callable[[Example, Reply], float]

# These run model-written code: they need the sandbox, and are worth running side by side.
RUN_CODE = {"unit_tests": code.unit_tests, "test_program": code.test_program}
SCORERS: Mapping[str, Scorer] = {
    "accuracy": choice.accuracy,
    "accuracy_none": choice.accuracy_none,
    "accuracy_char": choice.accuracy_char,
    "accuracy_byte": choice.accuracy_byte,
    "accuracy_token": choice.accuracy_token,
    "accuracy_pmi": choice.accuracy_pmi,
    "exact_match": text.exact_match,
    "contains": text.contains,
    "squad_em": text.squad_em,
    "squad_f1": text.squad_f1,
    "zh_em": text.zh_em,
    "zh_f1": text.zh_f1,
    "numeric_match": text.numeric_match,
    "rouge_1": text.rouge_1,
    "rouge_2": text.rouge_2,
    "rouge_l": text.rouge_l,
    "bleu": text.bleu,
    "chrf": text.chrf,
    "constraints_strict": constraints.constraints_strict,
    "constraints_loose": constraints.constraints_loose,
    "refusal": refusal.refusal,
    **RUN_CODE,
}


def find_scorers(
    names: Sequence[str], own: Scorer | None = None, unsafe_code: bool = False
) -> dict[str, Scorer]:
    """The scorers called `names`, in that order; `own` is the task's `score` hook.

    Raises:
        TaskError: nothing has one of the names.
        SandboxError: model-written code would run, and this machine cannot isolate it.
    """
    if RUN_CODE.keys() & set(names):
        require_sandbox(unsafe_code)
    found = {name: find_scorer(name, own) for name in names}
    return {
        name: partial(RUN_CODE[name], unsafe=unsafe_code) if name in RUN_CODE else scorer
        for name, scorer in found.items()
    }


def find_scorer(name: str, own: Scorer | None = None) -> Scorer:
    """The scorer called `name`; `own` is the task's `score` hook.

    Raises:
        TaskError: nothing has that name.
    """
    if name == "score":
        if own is None:
            raise TaskError("scorers: 'score' is named, but the task has no task.py with score", "")
        return own
    if name.startswith("evaluate:"):
        return _evaluate_metric(name.removeprefix("evaluate:"))
    if name not in SCORERS:
        raise TaskError(f"scorers: no scorer is named {name!r}", did_you_mean(name, SCORERS))
    return SCORERS[name]


@cache
def _evaluate_metric(source: str) -> Scorer:
    """`NAME[:KEY]` -> a scorer of one reply by that metric; KEY defaults to the metric's first."""
    path, _, key = source.partition(":")
    metric, lock = _load_metric(path), Lock()

    def score(example: Example, reply: Reply) -> float:
        with lock:  # a metric collects its input in itself, and code tasks score in threads
            result: dict[str, Any] = metric.compute(
                predictions=[reply.text or ""], references=[example.answers[0]]
            )
        if key and key not in result:
            raise TaskError(f"scorers: {path} has no value {key!r}", did_you_mean(key, result))
        return float(result[key] if key else next(iter(result.values())))

    return score


def _load_metric(path: str) -> Any:  # noqa: ANN401  # evaluate has no type stubs
    import evaluate

    if "/" in path and not Path(path).exists():
        raise TaskError(
            f"scorers: metric {path!r} is not a file here, and other people's metrics on the Hub "
            "are code",
            "copy the metric's script beside the task and name its path",
        )
    try:
        return evaluate.load(path, keep_in_memory=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise TaskError(
            f"scorers: metric {path!r} cannot be loaded ({type(error).__name__}: {reason})",
            "give the path of a local metric script, or connect to the network",
        ) from None
