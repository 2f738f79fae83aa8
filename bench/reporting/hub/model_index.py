"""The model-index of a model card: what a model scored, and which model it was trained from.

Called by `bench.reporting.hub.model_folder`. The block is made by huggingface_hub's own
classes, after the specification in its `modelcard.md`:

    model-index:
    - name: demo/sft
      results:
      - task: {type: text-classification, name: Topic classification}
        dataset: {type: instruct-bench, config: topic, args: {version: 1, digest: 9f0c...}, ...}
        metrics: [{type: accuracy, value: 0.49, name: "accuracy (n=100, 95% CI 0.394 to 0.587)"}]
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import yaml

from bench.errors import RunError, UsageError
from bench.reporting.hub.card_score import CardScore, asked_how, pairs_of, told
from bench.reporting.hub.target import is_repo_id
from bench.reporting.results.schema import Result
from bench.types import Json

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

# A kind of task -> what the Hub calls it (huggingface.co/tasks).
TASK_TYPES: Mapping[str, str] = {
    "qa": "question-answering",
    "classification": "text-classification",
    "summarization": "summarization",
    "translation": "translation",
}
OTHER = "text-generation"
# The Hub knows adapter, merge, quantized and finetune; every stage of training is the last.
RELATION = "finetune"
SUITE = "instruct-bench"


def model_index(
    results: Sequence[Result], scores: Sequence[CardScore], base_model: str = ""
) -> "ModelCardData":
    """The metadata of the card of one model: its `scores`, what `results` say of it, its parent.

    `base_model` is the id on the Hub of the model that it was trained from, "" where it has none.

    Raises:
        UsageError: results of several models or of none, or `base_model` is no id.
        ValueError: a score belongs to none of the results.
    """
    from huggingface_hub import ModelCardData

    models = {(result.model.name, result.model.revision) for result in results}
    if len(models) != 1:
        raise UsageError(
            f"a model card takes the results of one model, found {len(models)}",
            "name one with --model NAME",
        )
    if base_model and not is_repo_id(base_model):
        raise UsageError(f"--base-model: found {base_model!r}, expected ORG/MODEL", "give a Hub id")
    model = results[0].model
    return ModelCardData(
        base_model=base_model or None,
        tags=[SUITE, *([model.stage.replace("_", "-")] if model.stage else [])],
        model_name=model.name,
        eval_results=[_entry(result, score) for result, score in pairs_of(results, scores)],
        base_model_relation=RELATION if base_model else None,
    )


def into_card(text: str, data: "ModelCardData") -> str:
    """The model card `text` ("" for none yet) with the scores of `data`.

    What its owner wrote stays: text, other keys, scores of other suites, a base model. Earlier
    scores of this suite are replaced.

    Raises:
        RunError: the card's metadata cannot be read.
    """
    from huggingface_hub import ModelCard

    if not text.strip():
        text = f"---\n{{}}\n---\n# {data['model_name']}\n\nScored by {SUITE}.\n"
    try:
        card = ModelCard(text, ignore_metadata_errors=False)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RunError(
            f"README.md: its metadata cannot be read: {reason}", "repair the card on the Hub first"
        ) from None
    others = [entry for entry in card.data.get("eval_results") or [] if entry.dataset_type != SUITE]
    card.data["eval_results"] = [*others, *(data.get("eval_results") or [])]
    card.data["model_name"] = card.data.get("model_name") or data["model_name"]
    card.data["tags"] = list(dict.fromkeys([*(card.data.get("tags") or []), *data["tags"]]))
    if not card.data.get("base_model") and data.get("base_model"):
        card.data["base_model"] = data["base_model"]
        card.data["base_model_relation"] = data["base_model_relation"]
    return str(card)


def _entry(result: Result, score: CardScore) -> "EvalResult":
    from huggingface_hub import EvalResult

    task = result.task
    named: dict[str, Json] = {"version": task.version, "digest": task.digest}
    bounds: dict[str, Json] = {"n": score.n, "lo": score.lo, "hi": score.hi, "level": 0.95}
    return EvalResult(
        task_type=TASK_TYPES.get(task.kind, OTHER),
        task_name=task.title or task.name,
        dataset_type=SUITE,
        dataset_name=f"{SUITE} {task.name}, version {task.version}",
        dataset_config=task.name,
        dataset_split="test",
        dataset_args=named,
        metric_type=score.metric,
        metric_value=score.estimate,
        metric_name=f"{score.metric} ({told(score)}, {asked_how(result)})",
        metric_args={key: value for key, value in bounds.items() if value is not None},
    )
