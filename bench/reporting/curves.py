"""`curves.html`: what a training run measured, step by step, one section a stage.

Called when `bench train` ends. Reads the logs that stages leave, one object a line:

    checkpoints/sft/log.jsonl    {"step": 12, "seconds": 34.1, "loss": 1.93, "loss/topic": 1.2}

A metric NAME/PART is drawn into the chart of NAME; `held_out/` belongs to the name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from bench.errors import RunError
from bench.reporting.linechart import COLOURS, Series, lines_svg, make_series, short
from bench.reporting.page import render
from bench.store import write_atomic

LOG, PAGE = "log.jsonl", "curves.html"
HELD_OUT = "held_out"
NOT_DRAWN = ("step", "seconds", "tokens")  # how far a stage has come, said in its heading
Line = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Stage:
    """One log: `seconds` and `tokens` at its last step (None where no line says), its charts."""

    name: str
    steps: int
    seconds: float | None
    tokens: float | None
    charts: tuple[tuple[str, tuple[Series, ...]], ...]


def write_curves(folder: Path) -> Path:
    """Draw the logs in `folder` and one level below into `folder/curves.html`; the page's path.

    Stages stand in the order in which their logs were last written.

    Raises:
        RunError: there is no log, one is damaged before its last line, or the page cannot be
            written.
    """
    logs = [path for path in (folder / LOG, *folder.glob(f"*/{LOG}")) if path.is_file()]
    if not logs:
        raise RunError(
            f"{folder}: no {LOG} here or one level below", "give a folder that bench train wrote"
        )
    stages = [
        _stage(path.parent.resolve().name, read_log(path))
        for path in sorted(logs, key=lambda path: (path.stat().st_mtime_ns, path))
    ]
    page = render(
        "curves.html",
        {
            "name": folder.resolve().name,
            "stages": stages,
            "chart": lambda series: Markup(lines_svg(series)),
            "part": _part,
            "short": short,
            "colours": COLOURS,
        },
    )
    write_atomic(folder / PAGE, page.encode())
    return folder / PAGE


def read_log(path: Path) -> list[Line]:
    """The lines of a log; a last line that a kill cut short is left out.

    Raises:
        RunError: the log cannot be read, or an earlier line is no object of numbers with a step.
    """
    try:
        lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}", "") from None
    found: list[Line] = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_LINE.validate_json(line))
            int(found[-1]["step"])
        except (ValidationError, KeyError, ValueError, OverflowError):
            if number == len(lines):
                return found[: number - 1]
            raise RunError(
                f"{path}:{number}: found {line[:60]!r}, expected an object of numbers with a step",
                "delete the line, or train the stage again",
            ) from None
    return found


_LINE = TypeAdapter(dict[str, float])


def _stage(name: str, lines: Sequence[Line]) -> Stage:
    points: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for line in lines:
        for metric in line.keys() - set(NOT_DRAWN):
            members = points.setdefault(_family(metric), {})
            members.setdefault(metric, []).append((int(line["step"]), line[metric]))
    return Stage(
        name=name,
        steps=max((int(line["step"]) for line in lines), default=0),
        seconds=_last(lines, "seconds"),
        tokens=_last(lines, "tokens"),
        charts=tuple(
            (family, tuple(make_series(metric, members[metric]) for metric in sorted(members)))
            for family, members in sorted(points.items(), key=lambda item: _rank(item[0]))
        ),
    )


def _family(metric: str) -> str:
    """`loss` of loss and loss/topic; `held_out/loss` of held_out/loss and held_out/loss/topic."""
    parts = metric.split("/")
    return "/".join(parts[:2]) if parts[0] == HELD_OUT else parts[0]


def _part(metric: str, family: str) -> str:
    """What a legend calls a member of a family."""
    return "all" if metric == family else metric.removeprefix(f"{family}/")


def _rank(family: str) -> tuple[bool, str]:
    """Charts by name, with what was measured on held-out rows beside what was trained on."""
    return family in ("lr", "grad_norm"), f"{family.removeprefix(f'{HELD_OUT}/')} {family}"


def _last(lines: Sequence[Line], name: str) -> float | None:
    return next((line[name] for line in reversed(lines) if name in line), None)
