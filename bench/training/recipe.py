"""A recipe file -> validated settings, with `--set` overrides, whose names all lead somewhere.

bench train demo --set stages.ppo.steps=4      packaged recipes by name, own ones by path
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.errors import UsageError, did_you_mean
from bench.schema import Yaml, read_yaml, validated
from bench.training.settings import (
    Dpo,
    Rank,
    Recipe,
    Reinforcement,
    Reward,
    Sft,
    StageSettings,
    Training,
)

PACKAGED = Path(__file__).resolve().parents[1] / "recipes"
NAMED = ("data", "stages")  # below them the recipe gives the names
FOLDER = re.compile(r"[\w+-][\w.+-]*")  # what a stage's folder can be called
GUIDE = "see the recipes that come with bench: bench train --help"


@dataclass(frozen=True, slots=True)
class LoadedRecipe:
    """A recipe, its name, and the folder its files are relative to."""

    name: str
    path: Path
    recipe: Recipe


def packaged_names() -> list[str]:
    """The recipes that come with bench."""
    return sorted(path.stem for path in PACKAGED.glob("*.yaml"))


def load_recipe(name: str, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """The recipe at path `name`, or the packaged one of that name, with `key.path=value` overrides.

    Raises:
        UsageError: no such recipe, a key or value is wrong, or a name in it leads nowhere.
    """
    path = find_recipe(name)
    raw = {key: _apart(value) for key, value in read_yaml(path, UsageError, GUIDE, GUIDE).items()}
    for override in overrides:
        _set(raw, override)
    recipe = validated(path, raw, Recipe, UsageError, GUIDE)
    check_names(recipe, path)
    return LoadedRecipe(path.stem, path, recipe)


def find_recipe(name: str) -> Path:
    """The file that `name` stands for.

    Raises:
        UsageError: there is none.
    """
    if Path(name).is_file():
        return Path(name)
    packaged = PACKAGED / f"{name}.yaml"
    if packaged.is_file():
        return packaged
    known = packaged_names()
    raise UsageError(f"no recipe {name!r}: not a file, not packaged", did_you_mean(name, known))


def check_names(recipe: Recipe, path: Path) -> None:
    """Every name of data or of a stage must exist; a stage may only use stages above it.

    Raises:
        UsageError: one does not; the message has its key path and the nearest names.
    """
    if "base" in recipe.stages:
        raise UsageError(f"{path}: stages.base: the name means the first parent", "rename it")
    above: dict[str, StageSettings] = {}
    for name, stage in recipe.stages.items():
        where = f"{path}: stages.{name}"
        if not FOLDER.fullmatch(name):
            raise UsageError(f"{where}: the name is not that of a folder", "use letters and digits")
        _check_parent(where, stage.from_, recipe, above)
        for key, wanted in data_names(stage):
            if key == "rankings" and isinstance(above.get(wanted), Rank):
                continue
            if wanted not in recipe.data:
                ranked = [other for other, found in above.items() if isinstance(found, Rank)]
                known = [*recipe.data, *(ranked if key == "rankings" else [])]
                raise UsageError(
                    f"{where}.{key}: no data is named {wanted!r}", did_you_mean(wanted, known)
                )
        for key, wanted in reward_names(stage):
            if wanted in recipe.stages and not isinstance(above.get(wanted), Reward):
                rewards = [other for other, found in above.items() if isinstance(found, Reward)]
                raise UsageError(
                    f"{where}.{key}: {wanted!r} is no reward stage above it",
                    did_you_mean(wanted, rewards),
                )
        above[name] = stage


def check_stages(recipe: Recipe, names: Sequence[str]) -> None:
    """Raise UsageError if one of `names` is no stage of the recipe."""
    for name in names:
        if name not in recipe.stages:
            raise UsageError(f"--only {name}: no such stage", did_you_mean(name, recipe.stages))


def data_names(stage: StageSettings) -> Iterator[tuple[str, str]]:
    """(key path, name of data) for each that the stage reads."""
    if isinstance(stage, Sft):
        yield "data", stage.data
    if isinstance(stage, Reward | Dpo):
        yield "rankings", stage.rankings
    if isinstance(stage, Reinforcement | Rank):
        yield "prompts", stage.prompts
    if isinstance(stage, Reinforcement) and stage.ptx is not None:
        yield "ptx.data", stage.ptx.data


def reward_names(stage: StageSettings) -> Iterator[tuple[str, str]]:
    """(key path, reward model) for each that judges the stage."""
    if isinstance(stage, Reinforcement):
        for place, part in enumerate(stage.reward):
            if part.model:
                yield f"reward.{place}.model", part.model
    if isinstance(stage, Rank) and stage.by.model:
        yield "by.model", stage.by.model
    if isinstance(stage, Sft) and stage.select.reward:
        yield "select.reward", stage.select.reward


def varied(recipe: Recipe, stage: str, key: str, values: Sequence[float]) -> Recipe:
    """The recipe with `stage` in place once for each value of `key`, named `stage-key-value`.

    Raises:
        UsageError: no such stage, it is needed by another, or the key or a value is wrong.
    """
    if stage not in recipe.stages:
        raise UsageError(f"no stage is named {stage!r}", did_you_mean(stage, recipe.stages))
    content = recipe.model_dump(mode="json", by_alias=True)
    stages = content["stages"]
    template = stages.pop(stage)
    used = [name for name, other in recipe.stages.items() if stage in _needed(other)]
    if used:
        raise UsageError(f"stage {stage!r} is needed by {', '.join(used)}", "vary a last stage")
    for value in values:
        name = variant_name(stage, key, value)
        copy = yaml.safe_load(yaml.safe_dump(template))
        _put(copy, key.split("."), value, f"stages.{stage}.{key}")
        stages[name] = copy
    return validated(Path(f"--over {key}"), content, Recipe, UsageError, GUIDE)


def variant_name(stage: str, key: str, value: float) -> str:
    """The name of one variant: ppo-gamma-27.8."""
    return f"{stage}-{key.rsplit('.', 1)[-1]}-{value:g}"


def _needed(stage: StageSettings) -> set[str]:
    """The names of data, stages and checkpoints that `stage` uses."""
    named = [*data_names(stage), *reward_names(stage)]
    return {stage.from_, *(name for _, name in named)}


def _check_parent(where: str, parent: str, recipe: Recipe, above: dict[str, StageSettings]) -> None:
    """A parent that is a stage stands above and gives a language model."""
    if parent == "base" or parent not in recipe.stages:
        return
    trained = [
        name
        for name, stage in above.items()
        if isinstance(stage, Training) and not isinstance(stage, Reward)
    ]
    if parent not in trained:
        raise UsageError(
            f"{where}.from: {parent!r} is no stage above it that trains a language model",
            did_you_mean(parent, ["base", *trained]),
        )


def _apart(value: object) -> object:
    """A copy in which an anchor and its aliases are apart: an override changes one of them."""
    if isinstance(value, dict):
        return {key: _apart(inner) for key, inner in value.items()}
    return [_apart(inner) for inner in value] if isinstance(value, list) else value


def _set(raw: Yaml, override: str) -> None:
    """Put `key.path=value`, the value read as YAML, into `raw`."""
    key, found, text = override.partition("=")
    if not found or not key:
        raise UsageError(
            f"--set {override}: expected KEY.PATH=VALUE", "such as --set stages.sft.epochs=2"
        )
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # ValueError: dates that are none
        raise UsageError(
            f"--set {override}: the value is not readable as YAML", "quote it"
        ) from None
    keys = key.split(".")
    named = raw.get(keys[0])
    if keys[0] in NAMED and len(keys) > 2 and isinstance(named, dict) and keys[1] not in named:
        raise UsageError(
            f"--set {override}: {keys[0]} has no {keys[1]!r}",
            did_you_mean(keys[1], map(str, named)),
        )
    _put(raw, keys, value, f"--set {override}")


def _put(raw: Yaml, keys: Sequence[str], value: object, where: str) -> None:
    """Put `value` at the end of the path `keys`; a number counts the items of a list, from 0."""
    inner: object = raw
    for place, key in enumerate(keys):
        last = place == len(keys) - 1
        if isinstance(inner, list) and key.isdecimal() and int(key) < len(inner):
            if last:
                inner[int(key)] = value
            inner = inner[int(key)]
        elif isinstance(inner, dict):
            if last:
                inner[key] = value
            elif inner.get(key) is None:
                inner[key] = {}
            inner = inner[key]
        else:
            kind = f"a list of {len(inner)}" if isinstance(inner, list) else "no mapping of keys"
            raise UsageError(
                f"{where}: {'.'.join(keys[:place])} is {kind}: no {key!r} in it", GUIDE
            )
