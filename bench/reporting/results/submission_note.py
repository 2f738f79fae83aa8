"""SUBMISSION.md: what lies in the folder of a model, by which commands, under which digests.

Called by `bench.reporting.results.submission`; written of the results alone, so that the same ones
give the same text.

    | topic | 1 | 200 | 0 | whole | accuracy | 51b2... | 9f0c... | 77aa... |
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from bench.counted import counted
from bench.reporting.export import markdown_text, table_markdown
from bench.reporting.results.files import SEAL, path_of, sealed
from bench.reporting.results.schema import Result
from bench.types import Json

NOTE = "SUBMISSION.md"
HEADINGS = (
    "Version",
    "Items",
    "Failed",
    "Asked",
    "Scored by",
    "Rows and scoring",
    "Prompts",
    "sha256 of the result",
)


def note_of(results: Sequence[Result]) -> str:
    """The text for the results of one model, sorted by task, wording and place: the same text, in
    whatever order they come."""
    ordered = sorted(results, key=_order)
    model = ordered[0].model
    failed = sum(_failed(result) for result in ordered)
    items = sum(len(result.items.ids) for result in ordered)
    return "\n".join(
        [
            f"# {markdown_text(model.name)} at {markdown_text(model.revision)}",
            "",
            f"{counted(len(ordered), 'result')} of {counted(items, 'item')}; "
            f"{counted(failed, 'item')} failed and {'has' if failed == 1 else 'have'} no score. "
            "`bench board check` checks every number here.",
            "",
            table_markdown(HEADINGS, [_row(result) for result in ordered]),
            *_settings(ordered),
            *_runs(ordered),
        ]
    )


def _order(result: Result) -> tuple[str, str, str]:
    return result.task.name, result.task.variant, path_of(result).name


def _row(result: Result) -> tuple[str, list[str]]:
    task, limit = result.task, result.settings.get("limit")
    name = f"{task.name}@{task.variant}" if task.variant else task.name
    values = (
        str(task.version),
        str(len(result.items.ids)),
        str(_failed(result)),
        "whole" if limit is None else f"the first {limit} rows" if limit != 1 else "the first row",
        ", ".join(metric.name for metric in task.metrics),
        task.digest,
        task.prompts_digest,
        str(sealed(result)[SEAL]),
    )
    return name, [markdown_text(value) for value in values]


def _settings(results: Sequence[Result]) -> list[str]:
    """The settings, once for all tasks that share them."""
    groups: dict[str, list[str]] = {}
    for result in results:
        told = {key: value for key, value in result.settings.items() if key != "limit"}
        groups.setdefault(_told(told), []).append(result.task.name)
    lines = [f"- {', '.join(map(markdown_text, names))}: {told}" for told, names in groups.items()]
    return ["## Settings", "", *lines, ""]


def _runs(results: Iterable[Result]) -> list[str]:
    """The commands, each with time, commit and environment."""
    lines = ["## Runs", ""]
    seen = []
    for result in results:
        told = result.provenance
        run = (told.command, told.started, told.tool, told.git, told.environment)
        if run not in seen:
            seen.append(run)
            lines += [
                _code(told.command),
                "",
                f"- started {markdown_text(told.started)}, by {markdown_text(told.tool)}, "
                f"scored by {markdown_text(told.scorer)}",
                f"- git: {_told(dict(told.git))}",
                f"- environment: {_told(dict(told.environment))}",
                *(f"- {markdown_text(note)}" for note in told.notes),
                "",
            ]
    return lines


def _code(text: str) -> str:
    """A line of code, which no text can end."""
    return "    " + " ".join(text.split())


def _told(values: Mapping[str, Json]) -> str:
    """`seed 0, shots 0`, by key: a run just made has them in another order than its file."""
    told = sorted(values.items())
    pairs = (f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in told)
    return ", ".join(markdown_text(pair) for pair in pairs) or "nothing said"


def _failed(result: Result) -> int:
    return sum(reason != "" for reason in result.items.failures)
