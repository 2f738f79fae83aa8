"""A recipe file -> validated settings, with `--set` overrides, whose names all lead somewhere.

bench train demo --set stages.ppo.steps=4      packaged recipes by name, own ones by path
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.errors import UsageError, did_you_mean
from bench.models.weights import BUILT_IN, is_hub_id
from bench.schema import Yaml, read_yaml, validated
from bench.training.settings import Dpo, Rank, Recipe, Reinforcement, Reward, Sft, StageSettings

PACKAGED = Path(__file__).resolve().parents[1] / "recipes"
NAMED = ("data", "stages")  # below them the recipe gives the names
FOLDER = re.compile(r"[\w+-][\w.+-]*")  # what a stage's folder can be called
GUIDE = "see the recipes that come with bench: bench train lists them"


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
    with suppress(OSError):  # a name that no file can have
        if Path(name).is_file():
            return Path(name)
    known = packaged_names()
    if name in known:
        return PACKAGED / f"{name}.yaml"
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
        if isinstance(stage, Rank) and name in recipe.data:
            raise UsageError(
                f"{where}: data is called {name!r} too, so rankings: {name} could mean either",
                "rename one of the two",
            )
        for key, wanted in policy_names(stage):
            _check_policy(f"{where}.{key}", wanted, recipe, above)
        for key, wanted in data_names(stage):
            _check_data(f"{where}.{key}", wanted, recipe, above)
        for key, wanted in reward_names(stage):
            _check_reward(f"{where}.{key}", wanted, recipe, above)
        above[name] = stage


def check_stages(recipe: Recipe, names: Sequence[str]) -> None:
    """Raise UsageError if one of `names` is no stage of the recipe."""
    for name in names:
        if name not in recipe.stages:
            raise UsageError(f"--only {name}: no such stage", did_you_mean(name, recipe.stages))


def policy_names(stage: StageSettings) -> Iterator[tuple[str, str]]:
    """(key path, language model) for the parent, and for what is asked which reply is better."""
    yield "from", stage.from_
    if isinstance(stage, Rank) and stage.by.judge:
        yield "by.judge", stage.by.judge


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
        UsageError: no such stage, it is needed by another, the key or a value is wrong, or two
            stages would have one name.
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
        if name in stages:
            raise UsageError(
                f"--values: a stage would be called {name!r} twice: values are named to six digits",
                "give values that are further apart, or rename the stage of that name",
            )
        copy = yaml.safe_load(yaml.safe_dump(template))
        _put(copy, key.split("."), value, f"stages.{stage}.{key}")
        stages[name] = copy
    return validated(Path(f"--over {key}"), content, Recipe, UsageError, GUIDE)


def variant_name(stage: str, key: str, value: float) -> str:
    """The name of one variant: ppo-gamma-27.8."""
    return f"{stage}-{key.rsplit('.', 1)[-1]}-{value:g}"


def _needed(stage: StageSettings) -> set[str]:
    """The names of data, stages and checkpoints that `stage` uses."""
    named = (*policy_names(stage), *data_names(stage), *reward_names(stage))
    return {name for _, name in named}


Above = Mapping[str, StageSettings]


def _check_policy(where: str, wanted: str, recipe: Recipe, above: Above) -> None:
    """A stage that stands above and trains a language model, or a checkpoint from elsewhere."""
    trained = [name for name, stage in above.items() if not isinstance(stage, Reward | Rank)]
    if wanted in recipe.stages and wanted not in trained:
        raise UsageError(
            f"{where}: {wanted!r} is no stage above it that trains a language model",
            did_you_mean(wanted, ["base", *trained]),
        )
    _check_elsewhere(where, wanted, recipe, ["base", *trained])


def _check_data(where: str, wanted: str, recipe: Recipe, above: Above) -> None:
    """Data, or, where rankings are read, a rank stage that stands above."""
    ranked = [name for name, stage in above.items() if isinstance(stage, Rank)]
    known = [*recipe.data, *(ranked if where.endswith(".rankings") else [])]
    if wanted not in known:
        raise UsageError(f"{where}: no data is named {wanted!r}", did_you_mean(wanted, known))


def _check_reward(where: str, wanted: str, recipe: Recipe, above: Above) -> None:
    """A reward stage that stands above, or a checkpoint from elsewhere."""
    rewards = [name for name, stage in above.items() if isinstance(stage, Reward)]
    if wanted in recipe.stages and wanted not in rewards:
        raise UsageError(
            f"{where}: {wanted!r} is no reward stage above it", did_you_mean(wanted, rewards)
        )
    _check_elsewhere(where, wanted, recipe, rewards)


def _check_elsewhere(where: str, wanted: str, recipe: Recipe, above: Sequence[str]) -> None:
    """A name that is no stage's is a checkpoint's: better known before hours of training."""
    if wanted == "base" or wanted in recipe.stages:
        return
    if wanted not in BUILT_IN and not is_hub_id(wanted) and not Path(wanted).is_dir():
        raise UsageError(
            f"{where}: {wanted!r} is no stage, no built-in model, no folder and no Hub id",
            did_you_mean(wanted, [*above, *BUILT_IN]),
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
