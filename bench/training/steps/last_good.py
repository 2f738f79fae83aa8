"""What a stage that went astray leaves: its last good state as a checkpoint, and the way on.

    checkpoints/demo/ppo/last-good/     weights, tokenizer, bench.json with `steps` and `astray_at`

The runners of stages publish it; `bench.training.stages` writes its card and tells the user.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.errors import RunError
from bench.training.steps.loop import AstrayError, LastGood, Site
from bench.training.steps.outcome import Outcome
from bench.types import DataUse

FOLDER = "last-good"
Used = Callable[[int, Mapping[str, int]], tuple[DataUse, ...]]  # after updates, from tokens


def last_good_folder(site: Site, parent: str) -> Path:
    """Below the stage's folder; where its `parent` is such a state of the stage itself, below that:
    no checkpoint takes the place of the one that it comes from."""
    stage, started = site.folder.resolve(), Path(parent).resolve()
    inside = started.relative_to(stage) if stage in started.parents else Path()
    return site.folder / inside / FOLDER


def last_good_outcome(
    site: Site, parent: str, error: AstrayError, good: LastGood, used: Used
) -> Outcome:
    """What the card of that checkpoint says; the update that went astray stands with the metrics.

    `used` gives what so many updates took from each source.
    """
    folder = last_good_folder(site, parent)
    # A reward model is no language model, so no stage can start from it.
    on = f"; to start from that checkpoint, add --set stages.{site.name}.from={folder}"
    return Outcome(
        steps=good.step,
        tokens=sum(good.tokens.values()),
        data=used(good.step, good.tokens),
        metrics={"astray_at": float(good.astray)},
        error=RunError(
            f"{error.cause}, and that after update {good.step} as a checkpoint in {folder}",
            error.remedy + on * (site.kind != "reward"),
        ),
    )
