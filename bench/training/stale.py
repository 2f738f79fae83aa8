"""A parent that was trained otherwise than the recipe says, as `--only` with `--set` can leave it.

    dpo: its parent sft was trained with optimizer.lr 0.001, the recipe says 0.002; ...

`bench.training.stages` tells it before it trains a stage on such a parent. Where all stages are
run, there is none.
"""

from collections.abc import Iterator

from bench.cards import read_card
from bench.training.inputs import NOT_INPUTS
from bench.training.recipe import policy_names, reward_names
from bench.training.settings import Rank, StageSettings
from bench.training.workshop import Workshop
from bench.types import Json


def stale_parents(workshop: Workshop, stage: StageSettings) -> list[str]:
    """A sentence for each parent of `stage` whose card and the recipe disagree on settings or seed.

    Keys that only one of the two knows are passed over: another version of bench wrote the card.
    """
    named = dict.fromkeys(name for _, name in (*policy_names(stage), *reward_names(stage)))
    return [said for name in named for said in _disagreement(workshop, name)]


def _disagreement(workshop: Workshop, parent: str) -> Iterator[str]:
    meant = workshop.recipe.stages.get(parent)
    card = read_card(workshop.folder(parent)) if meant is not None else None
    if card is None or meant is None or isinstance(meant, Rank):
        return
    settings = meant.model_dump(mode="json", by_alias=True, exclude=NOT_INPUTS)
    pairs = [*_differences("", card.settings, settings)]
    if card.seed != workshop.recipe.seed:
        pairs.append(("seed", card.seed, workshop.recipe.seed))
    if pairs:
        found = ", ".join(f"{key} {was}, the recipe says {says}" for key, was, says in pairs)
        yield f"its parent {parent} was trained with {found}; without --only it is trained again"


def _differences(above: str, card: Json, recipe: Json) -> Iterator[tuple[str, Json, Json]]:
    """(key path, value on the card, value in the recipe) of what differs."""
    if isinstance(card, dict) and isinstance(recipe, dict):
        for key in (key for key in card if key in recipe):
            yield from _differences(f"{above}.{key}" if above else key, card[key], recipe[key])
    elif card != recipe:
        yield above, card, recipe
