"""Imported Results of a model that the folder of results knows already: one model, one description.

Other tools' files say little of a model. Where the folder holds the same weights (name and
revision), what it says of them goes for the new Results too, so that they stand in the same row,
with the same parent. Called by `bench import`.

    attach((result of ppo at 1f0c, stage "",), Path("leaderboard/results"))
    Attached(results=(result of ppo at 1f0c, stage "ppo", parents=(...)), notes=())
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.errors import RunError
from bench.reporting.comparison.lineage import is_short_for, policy_of
from bench.reporting.results.files import load_result, path_of
from bench.reporting.results.schema import ModelEntry, Result


@dataclass(frozen=True, slots=True)
class Attached:
    """`notes` name models that the folder knows by another revision alone."""

    results: tuple[Result, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a file says of its model."""

    path: Path
    model: ModelEntry


def attach(results: Sequence[Result], folder: Path) -> Attached:
    """`results`, with what the files below `folder` say of the same models; files that are about
    to be written anew do not count.

    Raises:
        RunError: a file and the Results say different things of one model.
    """
    written = {folder / path_of(result) for result in results}
    known = list(_known(folder, written))
    found = tuple(replace(one, model=_described(one.model, known, folder)) for one in results)
    return Attached(found, _notes([one.model for one in found], known, folder))


def _known(folder: Path, written: set[Path]) -> Iterator[_Known]:
    """One file of each model that has a sound one."""
    for place in sorted(folder.glob("*/*/")):
        for path in sorted(place.glob("*.json")):
            if path in written:
                continue
            try:
                yield _Known(path, load_result(path).model)
            except RunError:  # `bench board check` tells of it; another file may be sound
                continue
            break


def _described(model: ModelEntry, known: Sequence[_Known], folder: Path) -> ModelEntry:
    """The model as the folder has it; `model` itself where that is not there."""
    same = [one for one in known if _is_same(model, one.model)]
    if not same:
        return model
    (path, held), stated = (same[0].path, same[0].model), asdict(model)
    for key, expected in asdict(held).items():
        found = stated[key]
        if key in ("name", "revision") or not found or found == expected:
            continue
        raise RunError(
            f"{model.name}: {key}: found {found!r}, expected {expected!r} as {path} has it",
            f"leave {key} out, give the revision of other weights, or write to another folder: "
            f"-o {folder.parent / 'others'}",
        )
    return held


def _is_same(one: ModelEntry, other: ModelEntry) -> bool:
    return one.revision == other.revision and is_short_for(one.name, other.name)


def _notes(models: Sequence[ModelEntry], known: Sequence[_Known], folder: Path) -> tuple[str, ...]:
    """Of each model and each parent that the folder knows by another revision alone."""
    parents = [link for model in models if (link := policy_of(model)) is not None]
    ours = [(one.name, one.revision, "revision") for one in models]
    theirs = [(one.name, one.revision, "parent_revision") for one in parents]
    here = {(one.name, one.revision) for one in models}
    notes: dict[str, None] = {}
    for name, revision, column in (*ours, *theirs):
        others = [one.model.revision for one in known if is_short_for(name, one.model.name)]
        if not others or revision in others or (column != "revision" and (name, revision) in here):
            continue
        notes[
            f"{name}: found {column} {revision!r}, {folder} has {', '.join(map(repr, others))}: "
            f"they are taken as other weights; give {column} to attach them"
        ] = None
    return tuple(notes)
