"""The table of importers: name -> reader, and what it reads in one sentence.

Called by `bench import NAME PATH`, which saves each Result with
`bench.reporting.results.files.save_result` and prints what is `lost`.

    import_results("lm_eval", Path("out"))    Imported(results=(...), lost=(...))
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import RunError, UsageError, did_you_mean
from bench.reporting.importers.alpaca_eval import read_alpaca_eval
from bench.reporting.importers.every_eval_ever import read_every_eval_ever
from bench.reporting.importers.helm import read_helm
from bench.reporting.importers.imported import Imported
from bench.reporting.importers.inspect_log import read_inspect
from bench.reporting.importers.instructgpt import read_instructgpt
from bench.reporting.importers.instructgpt_tasks import TASKS
from bench.reporting.importers.judgments import ENDINGS, read_judgments
from bench.reporting.importers.lm_eval import read_lm_eval
from bench.reporting.importers.reading import parse_json
from bench.reporting.results.schema import Result
from bench.types import Json

Signs = Callable[[Path, Json], bool]  # (a file, the JSON in it or null): is it of this importer?
ENOUGH = 50  # files of a folder that are looked at
FIRST_LINE = 100_000  # characters of it that are looked at


@dataclass(frozen=True, slots=True)
class Importer:
    """`read` takes a file or a folder; `sentence` says what it expects there; `signs` knows one of
    its files."""

    read: Callable[[Path], Imported]
    sentence: str
    signs: Signs


IMPORTERS: Mapping[str, Importer] = {
    "instructgpt": Importer(
        read_instructgpt,
        "OpenAI's released samples of InstructGPT: squadv2.csv, truthful_qa.csv, tldr.csv, "
        "real_toxicity.csv",
        lambda file, found: file.suffix == ".csv" and file.stem in TASKS,
    ),
    "lm_eval": Importer(
        read_lm_eval,
        "lm-evaluation-harness with --log_samples: results_*.json and samples_*.jsonl",
        lambda file, found: (
            isinstance(found, dict)
            and "results" in found
            and ("lm_eval_version" in found or "n-shot" in found)
        ),
    ),
    "inspect_log": Importer(
        read_inspect,
        "Inspect's logs: .eval files, or the same as .json",
        lambda file, found: (
            file.suffix == ".eval"
            or (isinstance(found, dict) and {"eval", "status", "version"} <= found.keys())
        ),
    ),
    "helm": Importer(
        read_helm,
        "HELM's run folders: run_spec.json, per_instance_stats.json, scenario_state.json",
        lambda file, found: file.name in ("run_spec.json", "per_instance_stats.json"),
    ),
    "alpaca_eval": Importer(
        read_alpaca_eval,
        "AlpacaEval's annotations.json: preferences between a model and a reference",
        lambda file, found: (
            isinstance(found, list)
            and bool(found)
            and isinstance(found[0], dict)
            and {"generator_1", "generator_2", "preference"} <= found[0].keys()
        ),
    ),
    "judgments": Importer(
        read_judgments,
        "who was preferred, one judgment a row: .jsonl or .csv with prompt, model, reference, "
        "winner",
        lambda file, found: file.suffix in ENDINGS and _names_a_winner(file),
    ),
    "every_eval_ever": Importer(
        read_every_eval_ever,
        "every_eval_ever's aggregate .json files with their _samples.jsonl",
        lambda file, found: isinstance(found, dict) and "evaluation_results" in found,
    ),
}


def import_results(name: str, path: Path, started: str = "") -> Imported:
    """What the importer `name` finds at `path`; `started` is the time (ISO 8601) of Results whose
    source says none.

    Raises:
        UsageError: no importer has that name.
        RunError: there is nothing at `path`, or the importer cannot read it; where another could,
            the remedy names that one.
    """
    if name not in IMPORTERS:
        raise UsageError(f"no importer is named {name!r}", did_you_mean(name, IMPORTERS))
    if not path.exists():
        raise RunError(f"{path}: not there", "give the file or folder that the other tool wrote")
    try:
        found = IMPORTERS[name].read(path)
    except RunError as error:
        better = [other for other in _fitting(path) if other != name]
        if better and name not in _fitting(path):
            raise RunError(error.cause, f"bench import {better[0]} {path}") from None
        raise
    return replace(found, results=tuple(_dated(result, started) for result in found.results))


def guess_importer(path: Path) -> str:
    """The name of the importer that fits the file or folder at `path`.

    Raises:
        RunError: none does, or several do; all are named.
    """
    found = _fitting(path)
    if len(found) == 1:
        return found[0]
    told = f"may be any of {', '.join(found)}" if found else "is of no tool that is known"
    known = "; ".join(f"{name}: {one.sentence}" for name, one in IMPORTERS.items())
    raise RunError(f"{path}: {told if path.exists() else 'not there'}", f"name one of {known}")


def _fitting(path: Path) -> list[str]:
    """The importers that know one of the files at or below `path`."""
    seen = [(file, _json(file)) for file in _files(path)]
    return [
        name
        for name, importer in IMPORTERS.items()
        if any(importer.signs(file, found) for file, found in seen)
    ]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.is_file() else []
    files: Iterator[Path] = (file for file in sorted(path.rglob("*")) if file.is_file())
    return [file for file, _ in zip(files, range(ENOUGH), strict=False)]


def _names_a_winner(file: Path) -> bool:
    """Whether the first line names the columns of judgments."""
    try:
        with file.open(encoding="utf-8") as opened:
            first = opened.readline(FIRST_LINE)
    except (OSError, ValueError):
        return False
    return all(word in first for word in ("model", "reference")) and any(
        word in first for word in ("winner", "preference")
    )


def _json(file: Path) -> Json:
    """The JSON in a .json file, null of any other."""
    if file.suffix != ".json":
        return None
    try:
        return parse_json(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _dated(result: Result, started: str) -> Result:
    told = result.provenance
    return result if told.started else replace(result, provenance=replace(told, started=started))
