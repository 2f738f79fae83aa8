"""`bench train` and `bench rank` on the command line: help, lists, JSON, what a recipe takes on."""

import json
import math
from pathlib import Path

import pytest
import yaml

from bench.registry.folder import select
from bench.training.recipe import load_recipe, packaged_names
from bench.training.settings import Rank, Reinforcement
from tests.training.recipes import STAGES, World, call, make_world

HAND = {name: {**STAGES[name], "rankings": "byhand", "from": "base"} for name in ("rm", "dpo")}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    """A recipe of two stages, which was not run."""
    return make_world(tmp_path_factory.mktemp("world"), ["sft", "ranked"], lora=True)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("train", ["recipe", "--set KEY.PATH=VALUE", "--only", "--fresh", "--plot", "--json"]),
        ("rank", ["checkpoint", "--prompts", "--scorer", "--model", "--judge", "-k", "--json"]),
        ("ablate", ["recipe", "--stage", "--over", "--values", "--task", "--limit", "--set"]),
    ],
)
def test_help_names_the_options(capsys, verb, words):
    assert call(f"{verb} --help") == 0
    out = capsys.readouterr().out
    assert [word for word in words if word not in out] == []


def test_train_without_a_recipe_lists_the_packaged_ones(capsys):
    assert call("train") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == packaged_names()
    assert call("train --json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told] == packaged_names()
    assert all(one["title"] and one["stages"] for one in told)


@pytest.mark.parametrize("name", packaged_names())
def test_the_tasks_and_scorers_that_a_packaged_recipe_names_exist(name):
    recipe = load_recipe(name).recipe
    for data in recipe.data.values():
        named = [source.task for source in data.sources if source.task]
        tasks = [task for task, _ in select(named)]
        assert [task.name for task in tasks] == named
        assert all(task.spec.splits.train for task in tasks)
    for stage in recipe.stages.values():
        scorers = [stage.by.scorer] if isinstance(stage, Rank) else []
        if isinstance(stage, Reinforcement):
            scorers = [part.scorer for part in stage.reward]
        assert set(scorers) <= {"", "headline"}


def test_the_demo_takes_the_steps_of_instructgpt():
    recipe = load_recipe("demo").recipe
    kinds = [stage.kind for stage in recipe.stages.values()]
    assert kinds == ["sft", "rank", "reward", "dpo", "ppo"]
    assert recipe.base == "smollm2-135m"


def test_train_tells_each_stage_as_a_row_and_as_json(world, capsys):
    assert call(world.command) == 0
    out, err = capsys.readouterr()
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["sft", "sft", "ran"],
        ["ranked", "rank", "ran"],
    ]
    assert f"curves: {world.trained / 'curves.html'}" in err
    assert call(f"{world.command} --json") == 0
    sft, ranked = json.loads(capsys.readouterr().out)
    assert sft.keys() == ranked.keys() == {"name", "kind", "folder", "ran", "metrics"}
    assert (sft["name"], sft["kind"], sft["ran"]) == ("sft", "sft", False)
    assert sft["folder"] == str(world.trained / "sft")
    assert ranked["metrics"]["prompts"] == 20
    assert all(math.isfinite(value) for value in sft["metrics"].values())


def test_plot_draws_the_curves_and_trains_nothing(world, capsys):
    call(f"{world.command} --only sft")
    page = world.trained / "curves.html"
    page.unlink()
    capsys.readouterr()
    assert call(f"{world.command} --plot --set seed=5") == 0
    assert "held_out/loss" in page.read_text("utf-8")
    assert capsys.readouterr().out == ""
    assert json.loads((world.trained / "sft/bench.json").read_text())["seed"] == 0


def test_a_recipe_that_only_ranks_succeeds_and_draws_no_curves(world, capsys, tmp_path):
    command = world.command.replace(str(world.output), str(tmp_path))
    assert call(f"{command} --only ranked --set stages.ranked.from=base") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split()[:3] == ["ranked", "rank", "ran"]
    assert "curves" not in err
    assert not (tmp_path / "recipe/curves.html").exists()


def test_overrides_reach_the_card(world, capsys, tmp_path):
    command = world.command.replace(str(world.output), str(tmp_path))
    assert call(f"{command} --only sft --set stages.sft.steps=1 --set seed=3") == 0
    card = json.loads((tmp_path / "recipe/sft/bench.json").read_text())
    assert (card["steps"], card["seed"], card["settings"]["steps"]) == (1, 3, 1)


def test_rank_writes_rankings_that_a_recipe_learns_from(world, capsys, tmp_path):
    base, tasks = world.folder / "base", world.folder / "tasks"
    options = f"-p lands -k 3 --most 12 --max-reply 6 --tasks {tasks} -o {tmp_path / 'made'}"
    assert call(f"rank {base} --scorer headline {options} --json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["name"], told["kind"], told["ran"]) == ("made", "rank", True)
    assert 24 < told["metrics"]["replies"] <= 36  # those that differ
    rows = [json.loads(line) for line in (tmp_path / "made/rankings.jsonl").open()]
    assert len(rows) == told["metrics"]["rankings"] > 8
    content = yaml.safe_load(world.recipe.read_text())
    content["data"] = {"byhand": {"sources": [{"file": "made/rankings.jsonl"}]}}
    content["stages"] = HAND
    (tmp_path / "learn.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    assert call(f"train {tmp_path / 'learn.yaml'} -o {tmp_path / 'out'} --json") == 0
    rm, dpo = json.loads(capsys.readouterr().out)
    assert (rm["kind"], dpo["kind"]) == ("reward", "dpo")
    card = json.loads((tmp_path / "out/learn/dpo/bench.json").read_text())
    assert 0 < card["data"][0]["rows"] <= len(rows)


@pytest.mark.parametrize("by", ["--judge {base}", "--model {rm}"])
def test_rank_by_a_judge_or_a_reward_model(world, capsys, tmp_path, by):
    judged = {"rm": {**STAGES["rm"], "from": "base", "rankings": "tasks"}}
    if "{rm}" in by:
        train_reward(world, tmp_path, judged)
    command = by.format(base=world.folder / "base", rm=tmp_path / "out/recipe/rm")
    options = f"-p lands -k 2 --most 3 --max-reply 4 --tasks {world.folder / 'tasks'}"
    assert call(f"rank {world.folder / 'base'} {command} {options} -o {tmp_path / 'r'}") == 0
    rows = [json.loads(line) for line in (tmp_path / "r/rankings.jsonl").open()]
    assert all(len(row["completions"]) == 2 for row in rows)
    assert "ran" in capsys.readouterr().out


def train_reward(world: World, folder: Path, stages: dict[str, dict]) -> None:
    """A reward model in folder/out/recipe/rm, from preferences in a file."""
    pairs = [{"prompt": f"{n}", "chosen": "the cat", "rejected": f"{n}"} for n in range(8)]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    content = yaml.safe_load(world.recipe.read_text())
    content["data"]["tasks"]["sources"] = [{"file": "pairs.jsonl"}]
    content["stages"] = stages
    (folder / "recipe.yaml").write_text(yaml.safe_dump(content))
    assert call(f"train {folder / 'recipe.yaml'} -o {folder / 'out'}") == 0


def test_rank_can_be_given_again_and_samples_nothing(world, capsys, tmp_path):
    options = f"-p lands -k 2 --most 4 --max-reply 4 --tasks {world.folder / 'tasks'}"
    command = f"rank {world.folder / 'base'} --scorer headline {options} -o {tmp_path / 'r'} --json"
    assert call(command) == 0
    before = (tmp_path / "r/rankings.jsonl").stat().st_mtime_ns
    capsys.readouterr()
    assert call(command) == 0
    assert json.loads(capsys.readouterr().out)[0]["ran"] is False
    assert (tmp_path / "r/rankings.jsonl").stat().st_mtime_ns == before


def test_lineage_of_what_was_trained_ends_at_the_base(world, capsys):
    call(f"{world.command} --only sft")
    capsys.readouterr()
    assert call(f"lineage {world.trained / 'sft'}") == 0
    out = capsys.readouterr().out
    assert out.startswith("sft  [sft]")
    assert "data: lands" in out
    assert f"policy: {world.folder / 'base'}  [base]" in out


def test_an_evaluation_takes_what_was_trained(world, capsys, tmp_path):
    call(f"{world.command} --only sft")
    capsys.readouterr()
    asked = f"eval {world.trained / 'sft'} -t lands --limit 2 -o {tmp_path}"
    assert call(f"{asked} --tasks {world.folder / 'tasks'} --json") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["cells"][0]["n"] == 2


@pytest.mark.parametrize("beside", [{}, {"stage.json": "{}"}])
def test_rank_overwrites_no_rankings_that_it_did_not_write(capsys, tmp_path, beside):
    for name, content in {"rankings.jsonl": "mine\n", **beside}.items():
        (tmp_path / name).write_text(content)
    assert call(f"rank smollm2-135m -p topic --scorer headline -o {tmp_path}") == 1
    err = capsys.readouterr().err
    assert f"{tmp_path}/rankings.jsonl: not as bench rank wrote it" in err
    assert f"-o {tmp_path}-2" in err
    assert (tmp_path / "rankings.jsonl").read_text() == "mine\n"
