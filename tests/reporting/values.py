"""Runs, records and cells that the reporting tests start from."""

from dataclasses import replace
from pathlib import Path

from bench.store import load_run, save_run
from bench.types import Cell, Record, Reply, Run, TaskRun

CELL = Cell(
    model="org/model",
    run="model-1",
    task="facts",
    kind="qa",
    language="en",
    metric="accuracy",
    headline=True,
    estimate=0.5,
    lo=0.25,
    hi=0.75,
    level=0.95,
    method="wilson",
    n=12,
    n_clusters=12,
    failed=0,
    chance=0.25,
)
TASK = TaskRun(
    task="facts",
    kind="qa",
    language="en",
    version=1,
    digest="d",
    prompts_digest="p",
    variant="",
    scorers=("accuracy",),
    aggregates=(),
    chance=0.25,
    margin=0.03,
    rope=0.02,
    limit=None,
    rows=0,
    failed=0,
    truncated=0,
    tokens_in=0,
    tokens_out=0,
    seconds=0.0,
)
RUN = Run(
    schema_version=1,
    name="model-1",
    model="org/model",
    model_digest="m",
    model_description={"family": "fake", "dtype": "none"},
    settings={"shots": 0, "system": "", "limit": None},
    tasks=(TASK,),
    command="bench eval org/model",
    environment={},
    git={},
    started="2026-01-01T00:00:00+00:00",
    seconds=1.0,
    asked=1,
    reused=0,
    peak_memory_bytes=2**20,
    energy_joules=None,
)


def task(name: str, kind: str = "qa", scorers=("accuracy",), **changes) -> TaskRun:
    """What a run says about the task `name`."""
    return replace(TASK, task=name, kind=kind, scorers=scorers, **changes)


def run(*tasks: TaskRun, **changes) -> Run:
    """A run of `tasks`."""
    return replace(RUN, tasks=tasks or RUN.tasks, **changes)


def descended(weights: str = "", parent: str = "", stage: str = "", **changes) -> Run:
    """A run of a model that is called what its weights are, and says whose child it is."""
    told = {"dtype": "float32", "weights": weights, "parent": parent, "stage": stage}
    return replace(RUN, **{"model": weights, "model_description": told, **changes})


def records(name: str, *scores: float | None, metric: str = "accuracy") -> list[Record]:
    """Records of the task `name`, each its own cluster; None is a failed one."""
    return [
        Record(
            task=name,
            id=str(place),
            cluster="",
            digest=f"d{place}",
            prompt_digest="p",
            variant="",
            sample=0,
            status="failed" if score is None else "scored",
            scores={} if score is None else {metric: score},
            prediction=None,
            gold="a",
            answers=("a",),
            choices=("a", "b"),
            probabilities=(),
            reply=Reply(),
            reason="broken" if score is None else "",
        )
        for place, score in enumerate(scores)
    ]


def as_a_model(folder: Path) -> Path:
    """The run of a fake in `folder`, written again as that of a model with weights."""
    run, found = load_run(folder)
    name = run.model.replace(":", "-")
    save_run(folder, replace(run, model=name, model_description={"name": name}), found)
    return folder
