"""The three kinds of terms that a reward is made of: a reward model, a task's scorer, a function.

`rewards.py` weighs and adds them. A term that cannot judge a reply says why; that is not a 0:

    Mark(0.5)    Mark(None, "its prompt belongs to no task")
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from numbers import Real
from pathlib import Path

from bench.errors import TaskError, did_you_mean
from bench.registry.folder import select
from bench.registry.hooks import load_function, load_hooks
from bench.scoring.choice import accuracy
from bench.scoring.record import Scorers, to_record
from bench.scoring.scorers import RUN_CODE, find_scorers
from bench.training.data.encode import Entry
from bench.training.data.sources import Places
from bench.training.networks.forward import Grids, by_reply, rewards
from bench.training.networks.layout import Batch
from bench.training.networks.network import Network
from bench.training.objectives.sampling import Sampled
from bench.types import Example, Finish, Generation, Reply

HEADLINE = "headline"
NOT_FINITE = "not a finite number"
# These compare log-likelihoods; of a reply that was written they ask whether it names the choice.
OF_LIKELIHOODS = (
    "accuracy_none",
    "accuracy_char",
    "accuracy_byte",
    "accuracy_token",
    "accuracy_pmi",
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a term gives for one reply; None where it cannot judge it, with the reason."""

    value: float | None
    reason: str = ""


Replies = Sequence[Sequence[Sampled]]
Term = Callable[[Sequence[Entry], Replies], list[list[Mark]]]  # [G][K], as the replies are


def model_term(network: Network, micro_tokens: int) -> Term:
    """The score that the reward model `network` gives to the tokens as they were sampled."""

    def run(batch: Batch) -> Grids:
        return (rewards(network, batch).unsqueeze(1),)  # [B, 1]

    def judge(entries: Sequence[Entry], replies: Replies) -> list[list[Mark]]:
        documents = [
            replace(entry.document, replies=tuple(reply.ids for reply in own))
            for entry, own in zip(entries, replies, strict=True)
        ]
        asked = [document for document in documents if document.replies]
        scores = iter(by_reply(asked, network, micro_tokens, run))
        return [
            [marked(float(score)) for (score,) in islice(scores, len(document.replies))]
            for document in documents
        ]

    return judge


def scorer_term(name: str, places: Places) -> Term:
    """What the scorer `name` of each prompt's own task gives, just as an evaluation scores text.

    The term raises TaskError when a task lists no such scorer, and SandboxError when model-written
    code would run and cannot be isolated.
    """

    @cache
    def scorers_of(task: str) -> Scorers:
        return _own_scorer(name, task, places)

    def judge(entries: Sequence[Entry], replies: Replies) -> list[list[Mark]]:
        jobs: list[Callable[[], Mark]] = []
        runs_code = False
        for entry, own in zip(entries, replies, strict=True):
            example = entry.prompt.example
            scorers = scorers_of(example.task) if example is not None else {}
            runs_code |= bool(RUN_CODE.keys() & scorers.keys())
            jobs += [_job(example, reply, scorers) for reply in own]
        marks = iter(_done(jobs, runs_code))
        return [list(islice(marks, len(own))) for own in replies]

    return judge


def function_term(reference: str, folder: Path) -> Term:
    """What FILE.py:FUNCTION (the file in `folder`) returns for a Prompt and the text of a reply.

    NaN means that it cannot judge the reply. So do an exception and what is no number, unless no
    reply fares better: then the term raises TaskError.

    Raises:
        TaskError: the function cannot be had.
    """
    function = load_function(reference, folder)

    def judge(entries: Sequence[Entry], replies: Replies) -> list[list[Mark]]:
        found = [
            [_returned(function, entry, reply) for reply in own]
            for entry, own in zip(entries, replies, strict=True)
        ]
        reasons = [mark.reason for marks in found for mark in marks]
        if reasons and all(reasons) and NOT_FINITE not in reasons:
            raise TaskError(
                f"reward function {reference}: fails for each of {len(reasons)} replies, the first "
                f"time with {reasons[0]}",
                f"mend {reference}",
            )
        return found

    return judge


def marked(value: float) -> Mark:
    """`value` as a Mark; NaN and infinity judge nothing."""
    return Mark(value) if math.isfinite(value) else Mark(None, NOT_FINITE)


def _own_scorer(name: str, task_name: str, places: Places) -> Scorers:
    """The scorer that is called `name` in the task's task.yaml, alone in a table."""
    ((task, _),) = select([task_name], places.task_folders)
    listed = task.spec.scorers
    chosen = listed[0] if name == HEADLINE else name
    if chosen not in listed:
        raise TaskError(
            f"{task.folder / 'task.yaml'}: scorers: a reward names {name!r}, the task has "
            f"{', '.join(listed)}",
            did_you_mean(name, [HEADLINE, *listed]),
        )
    found = find_scorers([chosen], load_hooks(task.folder).score)
    return {chosen: accuracy} if chosen in OF_LIKELIHOODS else found


def _job(example: Example | None, reply: Sampled, scorers: Scorers) -> Callable[[], Mark]:
    if example is None:
        return lambda: Mark(None, "its prompt belongs to no task")
    return lambda: _scored(example, reply, scorers)


def _done(jobs: Sequence[Callable[[], Mark]], runs_code: bool) -> list[Mark]:
    """The Marks in order; code that runs in subprocesses runs on all cores."""
    if not runs_code:
        return [job() for job in jobs]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(lambda job: job(), jobs))


def _scored(example: Example, reply: Sampled, scorers: Scorers) -> Mark:
    """The text as an evaluation would have seen it: it ends at the first stop of the task."""
    asked = example
    if example.generation is None:  # a task that scores choices, but this reply was written
        asked = replace(example, generation=Generation(max_tokens=len(reply.ids)))
    stops = asked.generation.stops if asked.generation else ()
    ends = [place for stop in stops if (place := reply.text.find(stop)) >= 0]
    text = reply.text[: min(ends, default=len(reply.text))]
    finish: Finish = "stop" if reply.ended or ends else "length"
    record = to_record(asked, Reply(text=text, tokens_out=len(reply.ids), finish=finish), scorers)
    if record.status == "failed":
        return Mark(None, record.reason)
    return marked(next(iter(record.scores.values())))


def _returned(function: Callable[..., object], entry: Entry, reply: Sampled) -> Mark:
    text = reply.text.removeprefix(entry.prompt.delimiter)
    try:
        value = function(entry.prompt, text)
    except Exception as error:  # somebody else's code raises what it likes
        return Mark(None, f"{type(error).__name__}: {error}")
    if not isinstance(value, Real):
        return Mark(None, f"it returned {value!r:.60}, expected a number")
    return marked(float(value))
