"""Results as files: <model>/<revision>/<task>.json, sealed by a digest, the same bytes every time.

Called by `bench submit`, `bench import` and `bench board`. The digest is that of the file's own
content without the digest, so an edited score is found out when the file is read:

    leaderboard/results/smollm2-135m/1f0c9a72/topic.json
    leaderboard/results/gpt-175b/released/truthful_qa@instruction.json    a named wording
    leaderboard/results/smollm2-135m/1f0c9a72/topic~5-shot.json           solved examples before it
    leaderboard/results/org-one~3f2a91c4/unstated/topic.json              named org/one
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.errors import RunError
from bench.reporting.results.schema import SCHEMA_VERSION, Items, Result
from bench.reporting.results.sound import check_sound
from bench.seal import seal_of
from bench.store import write_atomic
from bench.types import Json
from bench.unique_keys import unique_keys

SEAL = "sha256"
REMEDY = "restore the file from the run it came from: bench submit RUN"
UNSAFE = re.compile(r"[^\w.+-]+", re.ASCII)
LONGEST = 80  # characters of a name; file systems take 255 bytes for task, wording and all
DIGEST = re.compile("[0-9a-f]{12,}")  # a revision that names weights, not a word like "released"


def path_of(result: Result) -> Path:
    """Where a Result belongs below the folder of results: one place for each that may be published
    beside the others."""
    model, task = result.model, result.task
    variant = f"@{_part(task.variant)}" if task.variant else ""
    shots = result.settings.get("shots")
    solved = f"~{shots}-shot" if isinstance(shots, int) and shots > 0 else ""
    # Where the revision tells the weights apart, the name need not.
    named = _part(model.name, loosely=DIGEST.fullmatch(model.revision) is not None)
    return Path(named) / _part(model.revision) / f"{_part(task.name)}{variant}{solved}.json"


def save_result(folder: Path, result: Result) -> Path:
    """Write `result` to its place below `folder`; the path written.

    Raises:
        RunError: the file cannot be written; what was there is unchanged.
    """
    path = folder / path_of(result)
    write_atomic(path, encoded(result))
    return path


def encoded(result: Result) -> bytes:
    """The bytes of the file.

    Raises:
        RunError: a text of `result` holds half a character, which no file in UTF-8 can.
    """
    text = dumped(result)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        around = text[max(error.start - 20, 0) : error.end]
        raise RunError(
            f"{result.task.name} of {result.model.name}: half a character (a lone surrogate) "
            f"stands in {around!r}".encode("utf-8", "backslashreplace").decode(),
            "mend the text in the file or run that it comes from",
        ) from None


def dumped(result: Result) -> str:
    """The content of the file: keys sorted, one column of items a line, sealed."""
    return _pretty(sealed(result), "") + "\n"


def sealed(result: Result) -> dict[str, Json]:
    """The content of the file as JSON values, the digest among them."""
    content: dict[str, Json] = _RESULT.dump_python(result, mode="json")
    content[SEAL] = seal_of(content, SEAL)
    return content


def load_result(path: Path) -> Result:
    """The Result in the file at `path`.

    Raises:
        RunError: the file is missing, damaged, edited, or of another schema version; file, key and
            value found are named.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique_keys)
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {error}", REMEDY) from None
    if not isinstance(content, dict):
        raise RunError(f"{path}: holds {type(content).__name__}, expected an object", REMEDY)
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise RunError(
            f"{path}: schema_version: found {version!r}, this bench reads {SCHEMA_VERSION}",
            "write it again with this version: bench submit RUN",
        )
    found, stated = seal_of(content, SEAL), content.pop(SEAL, None)
    if stated != found:
        raise RunError(
            f"{path}: {SEAL}: found {stated!r}, the content gives {found!r}: it was edited", REMEDY
        )
    try:
        result = _RESULT.validate_python(content)
    except ValidationError as error:
        raise RunError(f"{path}: {_first_problem(error)}", REMEDY) from None
    _check_columns(path, result.items)
    return result


def load_sound(path: Path) -> Result:
    """The Result in the file at `path`, of which a board can be made.

    Raises:
        RunError: as `load_result`, or it breaks a rule of `bench.reporting.results.sound`.
    """
    return check_sound(load_result(path), str(path), REMEDY)


def load_results(folders: Iterable[Path]) -> list[Result]:
    """All Results below `folders`, sorted by path.

    Raises:
        RunError: a folder holds none, or a file is refused by `load_sound`.
    """
    found: list[Result] = []
    for folder in folders:
        paths = result_paths(folder)
        if not paths:
            raise RunError(f"{folder}: no results here", f"bench submit RUN -o {folder}")
        found += [load_sound(path) for path in paths]
    return found


def result_paths(folder: Path) -> list[Path]:
    """The files of Results below `folder`, sorted."""
    return sorted(path for path in folder.glob("*/*/*.json") if path.is_file())


def _check_columns(path: Path, items: Items) -> None:
    n = len(items.ids)
    columns = {
        "digests": items.digests,
        "clusters": items.clusters,
        "samples": items.samples,
        "failures": items.failures,
        **{f"scores.{name}": column for name, column in items.scores.items()},
        **{f"measures.{name}": column for name, column in items.measures.items()},
    }
    for name, column in columns.items():
        if len(column) != n:
            raise RunError(
                f"{path}: items.{name}: holds {len(column)} values, items.ids holds {n}", REMEDY
            )


def _pretty(value: Json, indent: str) -> str:
    """Indented JSON in which a list stands on one line, so that a review sees columns."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    inner = indent + "  "
    lines = [f"{inner}{json.dumps(key)}: {_pretty(value[key], inner)}" for key in sorted(value)]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _part(name: str, loosely: bool = False) -> str:
    """A name as a part of a path that no system trips over, and that cannot climb out.

    What is lost of it is made good by a digest, unless `loosely`: then by none, if it is short.
    """
    safe = UNSAFE.sub("-", name).strip(".-") or "unnamed"
    if len(safe) <= LONGEST and (loosely or safe == name):
        return safe
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe[:LONGEST]}~{digest}"


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    key = ".".join(map(str, problem["loc"])) or "file"
    return f"{key}: {problem['msg']}, found {problem.get('input')!r}"[:300]


_RESULT = TypeAdapter(Result)
