"""Requests -> Records: ask only what the ledger does not know, score everything, write the run.

A run that is killed and started again asks for what is missing and writes the same records.
"""

import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from bench.environment import energy_meter, environment, git_state, peak_memory_bytes
from bench.errors import RunError, TaskError
from bench.evaluation.ask import Progress, Silent, ask_all
from bench.evaluation.measured import as_first_measured
from bench.evaluation.plan import Ask, Plan, Settings, digest_of, make_plan
from bench.evaluation.references import Render, only_references_changed, shots_of
from bench.models.model import Model
from bench.registry.folder import Task
from bench.registry.hooks import load_hooks
from bench.registry.prompt import Failure, digest, load_examples
from bench.scoring.record import Scorers, failed, to_record
from bench.scoring.scorers import RUN_CODE, find_scorers
from bench.store import LEDGER, SCHEMA_VERSION, Ledger, load_run, save_run
from bench.types import Example, Extract, Json, Record, Reply, Run, TaskRun


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that was written: its folder, what it says, its records."""

    folder: Path
    run: Run
    records: list[Record]
    new_references: int = 0  # items whose answers changed before they were scored again


def evaluate_model(
    model: Model,
    tasks: Sequence[tuple[Task, int | None]],
    settings: Settings,
    output: Path,
    progress: Progress | None = None,
    unsafe_code: bool = False,
) -> Finished:
    """Ask `model` everything about `tasks` (each with a row limit), score, write the run folder.

    Raises:
        TaskError, UsageError: a task cannot be asked.
        SandboxError: a code task, and no sandbox.
        RunError: files cannot be written; what was answered stays in the ledger.
    """
    progress = progress or Silent()
    started, clock, joules = datetime.now(UTC), time.perf_counter(), energy_meter()
    scorers = {task.name: task_scorers(task, unsafe_code) for task, _ in tasks}
    plans = [make_plan(model, task, settings, limit) for task, limit in tasks]
    name = run_name(model, plans, settings)
    ledger = Ledger(output / LEDGER)
    records: list[Record] = []
    told: list[TaskRun] = []
    asked = answered = 0
    try:
        for plan in plans:
            replies, fresh = ask_all(model, plan, ledger, progress)
            made = _score_all(plan, replies, scorers[plan.task.name])
            made += [_unrendered(plan, failure, settings) for failure in plan.failures]
            records += made
            told.append(_tell(plan, settings, made))
            asked += fresh
            answered += sum(reply.error is None for answers in replies for reply in answers)
            progress.finish(plan.task.name)
    finally:
        ledger.close()
    run = Run(
        schema_version=SCHEMA_VERSION,
        name=name,
        model=model.name,
        model_digest=model.digest,
        model_description=dict(model.description),
        settings={**_settings_json(settings, plans), "unsafe_code": unsafe_code},
        tasks=tuple(told),
        command=shlex.join(sys.argv),
        environment=environment(),
        git=git_state(),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - clock, 3),
        asked=asked,
        reused=answered - asked,
        peak_memory_bytes=peak_memory_bytes(),
        energy_joules=joules(),
    )
    run = as_first_measured(output / name, run)
    return Finished(output / name, save_run(output / name, run, records), records)


def rescore(
    folder: Path,
    tasks: Sequence[Task],
    unsafe_code: bool = False,
    root: Path | None = None,
    template: Callable[[Run], Render | None] = lambda run: None,
) -> Finished:
    """Score the stored replies of a run again, without a model, and write the run anew.

    `template` gives the chat template of the run's model where it is there; it is asked only where
    generated text was asked for in a chat, and an item has changed.

    Raises:
        RunError: the run is damaged, or what an item asks has changed, or may have, since its
            reply was given; what counts as right may change.
    """
    run, records = load_run(folder)
    by_name = {task.name: task for task in tasks}
    again: list[Record] = []
    told: list[TaskRun] = []
    changed = 0
    render = cache(lambda: template(run))
    for entry in run.tasks:
        task = by_name[entry.task]
        scorers = task_scorers(task, unsafe_code)
        rows = [record for record in records if record.task == entry.task]
        examples, _ = load_examples(task, variant=entry.variant, limit=entry.limit, root=root)
        known = {(example.id, example.digest): example for example in examples}
        mended = _mended(run, entry, task, rows, known, root, render)
        changed += len({name for name, _ in mended})
        known |= mended
        made = _map(scorers, [_again(folder, run, record, known, scorers) for record in rows])
        again += made
        told.append(
            replace(
                entry,
                digest=digest_of(task, examples),
                version=task.spec.version,
                scorers=task.spec.scorers,
                aggregates=task.spec.aggregates,
                failed=sum(record.status == "failed" for record in made),
                chance=task.spec.chance,
                margin=task.spec.margin,
                rope=task.spec.rope,
            )
        )
    scored = replace(run, tasks=tuple(told))
    return Finished(folder, save_run(folder, scored, again), again, changed)


def task_scorers(task: Task, unsafe_code: bool) -> Scorers:
    """The task's scorers by name, headline first.

    Raises:
        TaskError: no such scorer.
        SandboxError: model-written code would run and there is no sandbox.
    """
    try:
        return find_scorers(task.spec.scorers, load_hooks(task.folder).score, unsafe_code)
    except TaskError as error:
        raise TaskError(f"{task.folder / 'task.yaml'}: {error.cause}", error.remedy) from None


def run_name(model: Model, plans: Sequence[Plan], settings: Settings) -> str:
    """`<model>-<8 hex digits>`: the same command gives the same folder, so it resumes."""
    slug = "".join(c if c.isalnum() or c in "._-" else "-" for c in model.name.strip("/"))
    identity = [
        model.digest,
        _settings_json(settings, plans),
        [[plan.task.name, plan.digest, plan.prompts_digest, plan.limit] for plan in plans],
        [[failure.id, failure.reason] for plan in plans for failure in plan.failures],
    ]
    return f"{slug.strip('-.')[-60:]}-{digest(identity)[:8]}"


def _score_all(plan: Plan, replies: Sequence[Sequence[Reply]], scorers: Scorers) -> list[Record]:
    jobs = [
        _job(ask, reply, number, scorers)
        for ask, answers in zip(plan.asks, replies, strict=True)
        for number, reply in enumerate(_joined(ask, answers))
    ]
    return _map(scorers, jobs)


def _map(scorers: Scorers, jobs: Sequence[Callable[[], Record]]) -> list[Record]:
    """The Records in order; code that runs in subprocesses runs on all cores."""
    if not RUN_CODE.keys() & scorers.keys():
        return [job() for job in jobs]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(lambda job: job(), jobs))


def _job(ask: Ask, reply: Reply, number: int, scorers: Scorers) -> Callable[[], Record]:
    return lambda: to_record(ask.example, reply, scorers, number, ask.prompt_digest)


def _joined(ask: Ask, answers: Sequence[Reply]) -> list[Reply]:
    """One Reply a sample; the baseline's log-likelihoods are joined to the first."""
    if ask.baseline is None:
        return list(answers)
    *samples, alone = answers
    return [replace(reply, baseline=alone.logprobs) for reply in samples]


def _mended(
    run: Run,
    entry: TaskRun,
    task: Task,
    rows: Sequence[Record],
    known: Mapping[tuple[str, str], Example],
    root: Path | None,
    render: Callable[[], Render | None],
) -> dict[tuple[str, str], Example]:
    """By id and old digest the Examples of those `rows` of which only the references changed."""
    lost = [row for row in rows if row.digest and (row.id, row.digest) not in known]
    if not lost:
        return {}
    shots = shots_of(run.settings)
    examples, _ = load_examples(task, shots, entry.variant, entry.limit, root)
    by_id = {example.id: example for example in examples}
    chat = run.settings.get("chat") and task.spec.generate is not None
    through = render() if chat else None
    return {
        (row.id, row.digest): by_id[row.id]
        for row in lost
        if row.id in by_id and only_references_changed(row, by_id[row.id], run.settings, through)
    }


def _again(
    folder: Path,
    run: Run,
    record: Record,
    known: dict[tuple[str, str], Example],
    scorers: Scorers,
) -> Callable[[], Record]:
    example = known.get((record.id, record.digest))
    unanswered = record.status == "failed" and not record.reason.startswith("scoring:")
    if unanswered:
        return lambda: record
    if example is None:
        weights = run.model_description.get("folder") or run.model
        back = f"bring {weights} back, whose chat template the prompt went through, or "
        raise RunError(
            f"{folder}: task {record.task}: row {record.id} is not what it was when answered: "
            f"nothing says that only its answers changed (digest {record.digest})",
            f"{back if _needs_template(run, record) else ''}run the evaluation again: bench eval",
        )
    return lambda: to_record(example, record.reply, scorers, record.sample, record.prompt_digest)


def _needs_template(run: Run, record: Record) -> bool:
    """Whether only a chat template that is gone could say what the model saw."""
    folder = Path(str(run.model_description.get("folder") or ""))
    generated = record.reply.text is not None
    return bool(run.settings.get("chat")) and generated and not folder.is_dir()


def _unrendered(plan: Plan, failure: Failure, settings: Settings) -> Record:
    """A row that never became a prompt."""
    spec = plan.task.spec
    blank = Example(
        task=plan.task.name,
        id=failure.id,
        cluster=failure.id,
        variant=settings.variant,
        instruction="",
        shots=(),
        question="",
        delimiter=spec.delimiter,
        target="",
        answers=(),
        choices=(),
        right=(),
        normalise=spec.normalise,
        extract=Extract(),
        generation=None,
        samples=1,
        check={},
        digest="",
    )
    return failed(blank, Reply(finish="error", error=failure.reason), failure.reason)


def _tell(plan: Plan, settings: Settings, records: Sequence[Record]) -> TaskRun:
    spec = plan.task.spec
    counts = Counter(record.status for record in records)
    replies = [record.reply for record in records]
    return TaskRun(
        task=plan.task.name,
        kind=spec.kind,
        language=spec.language,
        version=spec.version,
        digest=plan.digest,
        prompts_digest=plan.prompts_digest,
        variant=settings.variant,
        scorers=spec.scorers,
        aggregates=spec.aggregates,
        chance=spec.chance,
        margin=spec.margin,
        rope=spec.rope,
        limit=plan.limit,
        rows=len(records),
        failed=counts["failed"],
        truncated=sum(reply.truncated > 0 for reply in replies),
        tokens_in=sum(reply.tokens_in for reply in replies),
        tokens_out=sum(reply.tokens_out for reply in replies),
        seconds=round(sum(reply.seconds for reply in replies), 3),
    )


def _settings_json(settings: Settings, plans: Sequence[Plan]) -> dict[str, Json]:
    """The settings that decide prompts and answers; where the data lies is not one of them."""
    return {
        "shots": settings.shots.count,
        "shot_choice": settings.shots.choice,
        "seed": settings.shots.seed,
        "variant": settings.variant,
        "limit": settings.limit,
        "chat": any(plan.chat for plan in plans),
        "chat_mode": settings.chat,
        "system": settings.system,
        "shots_as": settings.shots_as,
    }
