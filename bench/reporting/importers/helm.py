"""HELM's run folders -> Results, one for each split and perturbation of a run.

Called by `bench import helm PATH`; written for crfm-helm 0.5: run_spec.json with
per_instance_stats.json, and scenario_state.json where it is there. Trials become samples of an
item, and all forms of an instance are one cluster:

    mmlu:subject=philosophy,method=multiple_choice_joint           the split "test"
    mmlu:subject=philosophy,method=multiple_choice_joint@valid     where a run has both
"""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import RunError
from bench.reporting.importers.document import Document
from bench.reporting.importers.helm_instances import Instance, instances_of, state_of
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.latest import latest
from bench.reporting.importers.metrics import SHARES, bounds_notes, metric_of
from bench.reporting.importers.reading import read_array, read_object
from bench.reporting.importers.rows import Row, digest_of, items_of
from bench.reporting.importers.unread import unread
from bench.reporting.results.schema import (
    SCHEMA_VERSION,
    Metric,
    ModelEntry,
    Provenance,
    Result,
    TaskEntry,
)
from bench.types import Json

REMEDY = "give a run folder of helm-run: benchmark_output/runs/SUITE/RUN"
SPEC, STATS, STATE = "run_spec.json", "per_instance_stats.json", "scenario_state.json"
NOT_OF_THE_TASK = ("model", "model_deployment", "data_augmentation")  # parts of a run's name
READ_SPEC = frozenset(
    {
        "name", "scenario_spec", "adapter_spec.model", "adapter_spec.model_deployment",
        "adapter_spec.method", "adapter_spec.max_train_instances", "adapter_spec.temperature",
        "adapter_spec.max_tokens", "adapter_spec.stop_sequences", "metric_specs.args.names",
    }
)  # fmt: skip
# The numbers of an instance that become measures.
MEASURED = {"num_output_tokens": "tokens", "finish_reason_length": "cut_off"}


def read_helm(path: Path) -> Imported:
    """The Results of the run folder at `path`, or of all run folders below it.

    Raises:
        RunError: there are none, a file is missing or damaged, no metric is a share of 1, or a
            score leaves its bounds.
    """
    folders = sorted(file.parent for file in path.rglob(SPEC))
    if not folders:
        raise RunError(f"{path}: holds no {SPEC}", REMEDY)
    lost: set[str] = set()
    results = latest([one for folder in folders for one in _read(folder, lost)], lost)
    return Imported(results, tuple(sorted(lost)))


def _read(folder: Path, lost: set[str]) -> list[Result]:
    spec = read_object(folder / SPEC, REMEDY)
    state = state_of(folder / STATE, REMEDY)
    entries = read_array(folder / STATS, REMEDY)
    lost |= {f"{SPEC}: {key}" for key in unread(dict(spec.content), READ_SPEC)}
    lost |= {f"{STATE}: prompts, replies and their tokens"} if state else set()
    lost |= {
        f"{file}: all" for file in ("stats.json", "scenario.json") if (folder / file).is_file()
    }
    instances = instances_of(entries, state, digest_of(spec.content.get("scenario_spec")))
    splits = {one.split for one in instances}
    groups: dict[str, list[Instance]] = {}
    for one in instances:
        split = one.split if len(splits) > 1 and one.split != "test" else ""
        variant = "+".join(part for part in (split, one.perturbation) if part)
        groups.setdefault(variant, []).append(one)
    where = str(folder / STATS)
    if not groups:
        raise RunError(f"{where}: holds no instances", REMEDY)
    metrics = _metrics(spec, instances, where, lost)
    return [_result(spec, variant, group, metrics, where) for variant, group in groups.items()]


def _metrics(
    spec: Document, instances: Sequence[Instance], where: str, lost: set[str]
) -> list[Metric]:
    """Those that the run was made for, in its order, then others that are known to be shares."""
    there = list(dict.fromkeys(name for one in instances for name in one.stats))
    asked = [
        name
        for listed in spec.inners("metric_specs")
        for name in listed.inner("args").texts("names")
    ]
    wanted = list(dict.fromkeys([*asked, *(name for name in there if name in SHARES)]))
    found = []
    for name in wanted:
        values = [one.stats[name] for one in instances if name in one.stats]
        metric = metric_of(name, values) if values else None
        if metric:
            found.append(metric)
    kept = {*MEASURED, *(metric.name for metric in found)}
    lost |= {f"{STATS}: {name}" for name in there if name not in kept}
    if not found:
        raise RunError(f"{where}: no metric is a share of 1; found {', '.join(there)}", REMEDY)
    return found


def _result(
    spec: Document, variant: str, group: Sequence[Instance], metrics: Sequence[Metric], where: str
) -> Result:
    rows = [_row(one, metrics) for one in group]
    times = [one.asked_at for one in group if one.asked_at]
    return Result(
        schema_version=SCHEMA_VERSION,
        model=ModelEntry(name=spec.inner("adapter_spec").text("model"), revision="unstated"),
        task=_task(spec, variant, group, metrics),
        settings=_settings(spec),
        provenance=Provenance(
            tool="crfm-helm",
            scorer="crfm-helm",
            command=f"bench import helm {Path(where).parent.name}",
            started=min(times, default=""),
            notes=(
                *bounds_notes(metrics),
                *(() if times else (f"no {STATE}: items are known by HELM's numbers alone",)),
            ),
        ),
        asked=len(rows),
        items=items_of(rows, metrics, where, REMEDY),
    )


def _row(one: Instance, metrics: Sequence[Metric]) -> Row:
    named = {ours: one.stats[theirs] for theirs, ours in MEASURED.items() if theirs in one.stats}
    return Row(
        id=one.id,
        digest=one.digest,
        cluster=one.id,
        sample=one.trial,
        scores={
            metric.name: one.stats[metric.name] for metric in metrics if metric.name in one.stats
        },
        measures={**one.measures, **named},
    )


def _task(
    spec: Document, variant: str, group: Sequence[Instance], metrics: Sequence[Metric]
) -> TaskEntry:
    scenario, _, arguments = spec.text("name").partition(":")
    kept = [
        part for part in arguments.split(",") if part.split("=")[0] not in ("", *NOT_OF_THE_TASK)
    ]
    digests: list[Json] = [one.digest for one in group]
    prompts: list[Json] = [one.prompt for one in group]
    told = {
        key: value
        for key, value in spec.inner("adapter_spec").content.items()
        if key not in NOT_OF_THE_TASK
    }
    return TaskEntry(
        name=f"{scenario}:{','.join(kept)}" if kept else scenario,
        version=1,
        digest=digest_of([digests, [metric.name for metric in metrics]]),
        prompts_digest=digest_of(prompts if any(prompts) else told),
        kind="",
        language="",
        metrics=tuple(metrics),
        variant=variant,
        title=spec.inner("scenario_spec").text("class_name", "").rsplit(".", 1)[-1],
    )


def _settings(spec: Document) -> dict[str, Json]:
    """Under the names that our own runs use."""
    told = spec.inner("adapter_spec").content
    renamed = {
        "shots": "max_train_instances",
        "temperature": "temperature",
        "max_tokens": "max_tokens",
        "stops": "stop_sequences",
        "method": "method",
        "deployment": "model_deployment",
    }
    return {ours: told[theirs] for ours, theirs in renamed.items() if theirs in told}
