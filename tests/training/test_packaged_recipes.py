"""Every packaged recipe runs: one update a stage, on a tiny model, with little data."""

import json
from pathlib import Path

import pytest
import yaml

from bench.cards import read_card
from bench.training.recipe import find_recipe, load_recipe, packaged_names
from bench.training.settings import (
    Dpo,
    Rank,
    Recipe,
    Reinforcement,
    Reward,
    Sft,
    StageSettings,
)
from bench.types import Json
from tests.evaluation.folders import write_jsonl
from tests.models import tiny
from tests.training.recipes import call

ROWS = 12
WORDS = ("the cat sat", "on the mat", "a dog ran", "to the sea")
# The data that a user brings for `instructgpt`, and what stands for dolly in `instructgpt-small`.
FILES: dict[str, list[dict[str, Json]]] = {
    "demonstrations": [{"prompt": "say {}", "completion": "it is {}"}],
    "comparisons": [{"prompt": "tell {}", "completions": ["yes {}", "no {}"], "ranks": [1, 2]}],
    "prompts": [{"prompt": "ask {}"}],
    "pretraining": [{"text": "{} the old mill by the river " * 12}],
}


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A model that has a dropout layer, which the recipe of the paper asks for."""
    return tiny.save("gpt_neox", tmp_path_factory.mktemp("base"), pad="own")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A folder with copies of the recipes and the files of rows that they read."""
    monkeypatch.chdir(tmp_path)
    for name, rows in FILES.items():
        write_jsonl(tmp_path / f"{name}.jsonl", [_row(rows[0], n) for n in range(ROWS)])
    for name in packaged_names():
        (tmp_path / f"{name}.yaml").write_text(find_recipe(name).read_text("utf-8"), "utf-8")
    return tmp_path


def _row(pattern: dict[str, Json], number: int) -> dict[str, Json]:
    said = f"{WORDS[number % 4]} {number}"
    return json.loads(json.dumps(pattern).replace("{}", said)) | {"user": f"u{number}"}


def small(recipe: Recipe) -> dict[str, Json]:
    """What is set so that every stage makes one small update."""
    found: dict[str, Json] = {"dtype": "float32", "device": "cpu"}
    stages = recipe.stages.values()
    ranked = [stage.rankings for stage in stages if isinstance(stage, Reward | Dpo)]
    for name, data in recipe.data.items():
        found[f"data.{name}.clean.exact"] = False  # the same file may stand in for two
        found[f"data.{name}.clean.decontaminate"] = False
        found[f"data.{name}.holdout"] = {"share": 0.3, "most": 3}
        for place, source in enumerate(data.sources):
            found[f"data.{name}.sources.{place}.limit"] = ROWS
            if source.hub:
                file = "comparisons" if name in ranked else "demonstrations"
                stand_in: Json = {"file": f"{file}.jsonl", "name": source.label}
                found[f"data.{name}.sources.{place}"] = stand_in
    for name, stage in recipe.stages.items():
        found |= {f"stages.{name}.{key}": value for key, value in _one_update(stage).items()}
    return found


def _one_update(stage: StageSettings) -> dict[str, Json]:
    found: dict[str, Json] = {"max_prompt": 400, "max_reply": 60}
    match stage:
        case Rank():
            return {**found, "most": 6, "replies": 2, "max_reply": 12}  # read again it is longer
        case Sft():
            found |= {"steps": 1, "batch": 4}
        case Reinforcement():
            found |= {"steps": 1, "batch": 2, "minibatch": 2, "inner_epochs": 1, "group": 2}
        case Reward():  # of six rankings none may be held out
            found |= {"epochs": 0.01, "batch": 4, "centre": False}
        case _:
            found |= {"epochs": 0.01, "batch": 4}
    found["optimizer.warmup"] = 0
    lora = stage.lora is not None and stage.lora.last_layers is not None
    return found | ({"lora.last_layers": 1} if lora else {})


@pytest.mark.parametrize("name", packaged_names())
def test_a_packaged_recipe_runs_for_one_update_a_stage(home, base, capsys, name):
    recipe = load_recipe(name).recipe
    given = {"base": str(base), **small(recipe)}
    settings = " ".join(
        f"--set '{key}={yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}'"
        for key, value in given.items()
    )
    assert call(f"train {name}.yaml -o out {settings}") == 0, capsys.readouterr().err
    for stage, chosen in recipe.stages.items():
        folder = home / "out" / name / stage
        if isinstance(chosen, Rank):
            assert (folder / "rankings.jsonl").stat().st_size > 0
        else:
            card = read_card(folder)
            assert (card.steps, card.settings["kind"]) == (1, chosen.kind)
            assert card.tokens > 0
