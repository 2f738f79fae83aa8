"""A bundle -> files: one a result, and a SUBMISSION.md for each model that says what lies there.

Called by `bench submit`, after `submit.prepare`. What is published stays: another result at the
same place is refused unless it is to be replaced.

    leaderboard/results/smollm2-135m/1f0c9a72/topic.json
                                             /SUBMISSION.md
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.counted import counted
from bench.errors import ProblemsError, RunError
from bench.reporting.results.files import dumped, encoded, load_result, path_of, save_result
from bench.reporting.results.publishable import Problem
from bench.reporting.results.schema import Result
from bench.reporting.results.submission_note import NOTE, note_of
from bench.reporting.results.submit import Bundle
from bench.store import write_atomic
from bench.types import Json

State = Literal["new", "unchanged", "replaced"]


@dataclass(frozen=True, slots=True)
class Written:
    """A file of results, and what became of it."""

    path: Path
    state: State


def write_bundle(bundle: Bundle, out: Path, replace: bool = False) -> list[Written]:
    """Write the results of `bundle` below `out`, and the note of each model that has some.

    A result that lies there already is left alone where it is the same, and overwritten where it
    differs only with `replace`. Nothing is written while there is a problem.

    Raises:
        ProblemsError: there are some, they are all named.
        RunError: a file cannot be read or written.
    """
    refused = [] if replace else [p for r in bundle.results if (p := _published(out, r))]
    refuse([*bundle.problems, *refused])
    states = [(result, _state(out, result)) for result in bundle.results]
    beside = {
        folder: _others(out, folder, bundle.results)
        for folder in dict.fromkeys(path_of(result).parent for result in bundle.results)
    }
    written = []
    for result, state in states:
        if state != "unchanged":
            save_result(out, result)
        written.append(Written(out / path_of(result), state))
    for folder, others in beside.items():
        here = [result for result in bundle.results if path_of(result).parent == folder]
        write_atomic(out / folder / NOTE, note_of([*others, *here]).encode())
    return written


def refuse(problems: Sequence[Problem]) -> None:
    """Raise ProblemsError where there are some: each on a line with what to do about it."""
    if not problems:
        return
    lines = [f"{problem.rule}: {problem}; try: {problem.remedy}" for problem in problems]
    raise ProblemsError(f"{counted(len(problems), 'problem')}, so nothing was written:", lines)


def _state(out: Path, result: Result) -> State:
    path, content = out / path_of(result), encoded(result)
    if not path.exists():
        return "new"
    try:
        return "unchanged" if path.read_bytes() == content else "replaced"
    except OSError as error:
        raise RunError(
            f"{path}: cannot be read: {error.strerror or error}",
            "move it away, or choose another folder with -o",
        ) from None


def _published(out: Path, result: Result) -> Problem | None:
    """The problem that another result lies at the place of `result`, None where none does."""
    path = out / path_of(result)
    if _state(out, result) != "replaced":
        return None
    return Problem(
        path,
        ", ".join(_differing(path, result)),
        "published",
        "another result",
        "none, or the same: what is published stays",
        "overwrite it with --replace",
    )


def _differing(path: Path, result: Result) -> list[str]:
    """The keys in which the file at `path` differs from `result`."""
    try:
        content: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ["file"]
    if not isinstance(content, dict):
        return ["file"]
    ours, theirs = _flat(json.loads(dumped(result))), _flat(content)
    found = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
    return found[:5] or ["form"]


def _flat(content: dict[str, Json]) -> dict[str, Json]:
    """The values of a file of results by "key" or "key.inner", without the digest of all."""
    found: dict[str, Json] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= {f"{key}.{inner}": held for inner, held in value.items()}
        elif key != "sha256":
            found[key] = value
    return found


def _others(out: Path, folder: Path, results: Sequence[Result]) -> list[Result]:
    """The results that lie in `folder` and are none of `results`."""
    ours = {out / path_of(result) for result in results}
    paths = sorted((out / folder).glob("*.json"))
    return [load_result(path) for path in paths if path not in ours]
