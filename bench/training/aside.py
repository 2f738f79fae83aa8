"""The folder of a stage that bench cannot tell, put where it is in nobody's way.

Its card is damaged, or it holds a model without a card: somebody else's. What lies there cannot be
told, so `bench.training.stages` trains the stage; but it may be worth hours, so nothing is deleted.

    checkpoints/demo/dpo  ->  checkpoints/demo/aside/dpo, the next time aside/dpo-2
"""

from itertools import chain, count
from pathlib import Path

from bench.cards import REMEDY, read_card
from bench.errors import RunError
from bench.training.workshop import Workshop

FOLDER = "aside"  # beside the stages


def put_unknown_aside(workshop: Workshop, stage: str) -> None:
    """Move the folder of `stage` if its card cannot be read or is missing, and say so.

    Raises:
        RunError: it cannot be moved.
    """
    folder = workshop.folder(stage)
    damage = _unknown(folder)
    if not damage:
        return
    workshop.processes.wait()  # until all have looked
    if workshop.processes.main:
        aside = _free(workshop.output / FOLDER / stage)
        try:
            aside.parent.mkdir(exist_ok=True)
            folder.rename(aside)
        except OSError as error:
            raise RunError(f"{damage}, and {folder} cannot be moved: {error}", REMEDY) from None
        workshop.watcher.note(
            f"{damage}; {stage} is trained again, what was there is kept: {aside}"
        )
    workshop.processes.wait()


def _unknown(folder: Path) -> str:
    """Why nobody can tell what lies in `folder`; "" where it is a stage's, or nothing yet."""
    try:
        card = read_card(folder)
    except RunError as error:
        return error.cause
    if card is None and (folder / "config.json").is_file():
        return f"{folder}: holds a model without a bench.json, which bench did not train"
    return ""


def _free(path: Path) -> Path:
    """`path`, or with the first number behind it that nothing has."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(place for place in chain([path], numbered) if not place.exists())
