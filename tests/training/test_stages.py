"""Whole recipes on a tiny model: what a stage leaves behind, what is kept and what is run again."""

import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

import bench
from bench.cards import CARD, read_card
from bench.errors import ModelError
from bench.models.lineage import lineage_of
from bench.models.weights import find_weights
from bench.training.recipe import PACKAGED
from bench.training.settings import Recipe
from bench.training.stage_file import STAGE_FILE
from bench.training.steps.state import WORK
from bench.types import Card
from tests.models import tiny
from tests.training.recipes import (
    STAGES,
    World,
    call,
    make_world,
    start,
    write_lands,
    write_recipe,
)

CHECKPOINTS = tuple(name for name in STAGES if name != "ranked")
KINDS = {"sft": "sft", "rm": "rm", "dpo": "dpo", "ppo": "ppo_ptx", "rloo": "rloo"}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory) -> Callable[[str], World]:
    """worlds("whole" or "lora"): a recipe that was run; tests only look at it."""

    @cache
    def found(how: str) -> World:
        made = make_world(tmp_path_factory.mktemp(how), lora=how == "lora")
        assert all(stage.ran for stage in made.train())
        return made

    return found


@pytest.fixture(params=["whole", "lora"])
def world(request, worlds) -> World:
    return worlds(request.param)


@pytest.fixture
def copied(worlds, tmp_path) -> World:
    """A copy of what was trained, to be changed."""
    trained = worlds("lora")
    shutil.copytree(trained.output, tmp_path / "copy")
    return replace(trained, output=tmp_path / "copy")


def card_of(world: World, stage: str) -> Card:
    found = read_card(world.trained / stage)
    assert found is not None
    return found


def ran(world: World, *overrides: str, **options) -> list[str]:
    """The stages that were not kept."""
    return [stage.name for stage in world.train(*overrides, **options) if stage.ran]


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file below `folder` was written, and what it holds."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in found
    }


@pytest.mark.parametrize("stage", ["sft", "dpo", "ppo", "rloo"])
def test_transformers_loads_a_policy_alone_and_it_speaks(world, stage):
    folder = world.trained / stage
    model, told = hf.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    ids = tokenizer("the cat sat", return_tensors="pt")
    made = model.generate(**ids, max_new_tokens=3, pad_token_id=2)
    assert made.shape[1] > ids["input_ids"].shape[1]
    assert tokenizer.eos_token_id in model.generation_config.eos_token_id


def test_transformers_loads_the_reward_model_alone_and_it_scores(world):
    folder = world.trained / "rm"
    model, told = hf.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert not told["missing_keys"]
    ids = hf.AutoTokenizer.from_pretrained(folder)("the cat sat", return_tensors="pt")
    assert model(**ids).logits.shape == (1, 1)
    assert math.isfinite(model.config.reward_bias)


@pytest.mark.parametrize("stage", CHECKPOINTS)
def test_a_stage_changes_the_weights_of_its_parent(world, stage):
    parent = world.folder / "base" if stage == "sft" else world.trained / "sft"
    before, after = (
        load_file(path / "model.safetensors") for path in (parent, world.trained / stage)
    )
    shared = before.keys() & after.keys()
    assert len(shared) > 5
    assert any(not torch.equal(before[name], after[name]) for name in shared)


@pytest.mark.parametrize("stage", CHECKPOINTS)
def test_a_card_says_what_came_from_where(world, stage):
    card = card_of(world, stage)
    assert (card.name, card.stage, card.recipe) == (stage, KINDS[stage], "recipe")
    assert card.digest == find_weights(str(world.trained / stage)).digest
    policy, *rewards = card.parents
    assert (policy.name, policy.stage) == ("sft", "sft") if stage != "sft" else ("base", "base")
    assert [(reward.role, reward.name) for reward in rewards] == (
        [("reward", "rm")] if stage == "ppo" else []
    )
    for parent in card.parents:
        assert find_weights(str(world.trained / stage / parent.folder)).digest == parent.digest


@pytest.mark.parametrize("stage", CHECKPOINTS)
def test_a_card_says_what_was_learned_from(world, stage):
    card = card_of(world, stage)
    assert card.steps == len({line["step"] for line in lines_of(world, stage)} - {0})
    assert card.tokens == sum(use.tokens for use in card.data) > 0
    for use in card.data:
        assert use.epochs == pytest.approx(use.drawn / use.rows, abs=1e-4)
        assert use.rows + len(held_out(world)) == 20
    assert card.settings["kind"] == STAGES[stage]["kind"]
    assert card.seconds > 0
    assert any(name.startswith("held_out/") for name in card.metrics)


def lines_of(world: World, stage: str) -> list[dict[str, float]]:
    text = (world.trained / stage / "log.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def held_out(world: World) -> set[str]:
    """The rows that SFT has not learned from."""
    rows = [json.loads(line) for line in (world.trained / "ranked/rankings.jsonl").open()]
    (use,) = card_of(world, "sft").data
    return {row["id"] for row in rows[use.rows :]}


@pytest.mark.parametrize("stage", CHECKPOINTS)
def test_a_stage_leaves_a_log_curves_and_a_report_of_its_data(world, stage):
    folder = world.trained / stage
    lines = lines_of(world, stage)
    assert all(line["seconds"] > 0 for line in lines if "loss" in line)
    assert sum("loss" in line for line in lines) == card_of(world, stage).steps
    assert all(path.stat().st_size > 100 for path in (folder / "tensorboard").iterdir())
    recipe = json.loads((folder / WORK / "recipe.json").read_text())
    assert Recipe.model_validate(recipe).stages.keys() >= {"sft"}
    (told, *_) = json.loads((folder / WORK / "data.json").read_text()).values()
    (source,) = told["sources"].values()
    assert source["read"] == source["kept"] == 20
    assert not list((folder / WORK).glob("*.safetensors"))


def test_every_metric_that_is_logged_or_on_a_card_stands_in_the_table_and_no_other(worlds):
    text = (PACKAGED / "README.md").read_text("utf-8").split("## What is logged")[1]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall("`([a-z_/]+[A-Z]*)`", row)}
    world = worlds("whole")
    logged = {key for stage in CHECKPOINTS for line in lines_of(world, stage) for key in line}
    cards = {key for stage in CHECKPOINTS for key in card_of(world, stage).metrics}
    found = {re.sub("/lands$", "/SOURCE", key.removeprefix("start/")) for key in logged | cards}
    found = {re.sub("^reward_term/.*", "reward_term/NAME", key) for key in found}
    found = {key for key in found if not re.search("(kl|length|eos)_change", key)}
    assert found == told


def test_rows_that_are_too_long_are_reported_for_each_use_of_their_data(worlds, tmp_path, capsys):
    world = replace(worlds("whole"), output=tmp_path)
    text = "[user] The capital of land 7 is\n[assistant]"
    longest = 1 + len(tiny.tokenizer(chat=True)(text, add_special_tokens=False)["input_ids"])
    changed = f"--set stages.ppo.from=base --set stages.ppo.max_prompt={longest}"
    reward = "--set 'stages.ppo.reward=[{scorer: headline}]'"
    assert call(f"{world.command} --only ppo {changed} {reward}") == 0
    (told,) = json.loads((world.trained / "ppo" / WORK / "data.json").read_text()).values()
    lost = told["too_long"]["prompts"]
    assert told["too_long"] == {"prompts": lost, "ptx.data": lost}
    learned, held_out = lost["rows"]["lands"], lost["held_out"]["lands"]
    assert learned + held_out == 10  # of 20 the lands from 10 on
    assert held_out > 0
    assert f"too long: lands {learned}, held out lands {held_out}\n" in capsys.readouterr().err


def test_rankings_order_the_replies_to_every_prompt(world):
    rows = [json.loads(line) for line in (world.trained / "ranked/rankings.jsonl").open()]
    assert {row["source"] for row in rows} == {"lands"}
    assert len({row["id"] for row in rows}) == len(rows) == 20
    for row in rows:
        ordered = sorted(zip(row["ranks"], row["scores"], strict=True))
        assert [score for _, score in ordered] == sorted(row["scores"], reverse=True)


def test_a_lineage_leads_down_to_the_base(world):
    node = lineage_of(world.trained / "ppo")
    sft, rm = node.parents
    assert (sft.role, sft.name, rm.role, rm.name) == ("policy", "sft", "reward", "rm")
    assert [parent.name for parent in rm.parents] == ["sft"]
    assert [(parent.name, parent.stage, parent.state) for parent in sft.parents] == [
        (str(world.folder / "base"), "base", "present")
    ]


def test_an_evaluation_takes_what_was_trained(world, tmp_path):
    (done,) = bench.evaluate(
        str(world.trained / "ppo"),
        "lands",
        limit=2,
        output=tmp_path,
        task_folders=[world.folder / "tasks"],
    )
    assert [record.status for record in done.records] == ["scored"] * 2


def test_nothing_is_trained_or_written_again(copied):
    before = files(copied.output)
    kept = copied.train()
    assert not any(stage.ran for stage in kept)
    assert [stage.name for stage in kept] == list(STAGES)
    assert kept[-1].metrics == card_of(copied, "rloo").metrics
    assert files(copied.output) == before


@pytest.mark.parametrize(
    ("override", "asked", "again"),
    [
        ("stages.dpo.beta=0.2", [], ["dpo"]),
        ("stages.rm.optimizer.lr=0.002", [], ["rm", "ppo"]),
        ("stages.ranked.temperature=0.9", ["ranked", "dpo", "rloo"], ["ranked", "dpo"]),
        ("seed=1", ["sft", "dpo"], ["sft", "dpo"]),
    ],
)
def test_a_changed_setting_runs_its_stage_and_those_below_again(copied, override, asked, again):
    assert ran(copied, override, only=asked) == again
    assert ran(copied, override, only=asked) == []


def test_more_data_runs_what_learns_from_it_again(copied, tmp_path):
    shutil.copytree(copied.folder / "tasks", tmp_path / "tasks")
    shutil.copytree(copied.folder / "base", tmp_path / "base")
    moved = replace(copied, folder=tmp_path)
    write_recipe(moved)
    assert ran(moved) == []
    more = {"id": "more", "country": "no land", "capital": "the sea"}
    with (tmp_path / "tasks/lands/train.jsonl").open("a") as rows:
        rows.write(json.dumps(more) + "\n")
    assert ran(moved, only=["sft", "rloo"]) == ["sft", "rloo"]


def test_only_some_stages_are_run(copied):
    found = copied.train("seed=1", only=["dpo"])
    assert [stage.name for stage in found] == ["dpo"]
    assert card_of(copied, "dpo").seed == 1
    assert card_of(copied, "sft").seed == 0


def test_a_parent_that_was_trained_otherwise_than_the_recipe_says_is_told(copied, capsys):
    changed = "--set seed=1 --set stages.sft.optimizer.lr=0.5 --set stages.rm.save_every=7"
    assert call(f"{copied.command} --only ppo {changed}") == 0
    said = capsys.readouterr().err
    seed = "seed 0, the recipe says 1; without --only it is trained again\n"
    rate = "optimizer.lr 0.001, the recipe says 0.5"
    assert f"ppo: its parent sft was trained with {rate}, {seed}" in said
    assert f"ppo: its parent rm was trained with {seed}" in said
    assert call(f"{copied.command} --only ppo --fresh") == 0
    assert "was trained with" not in capsys.readouterr().err


def test_fresh_trains_the_same_again(copied):
    before = card_of(copied, "dpo")
    assert ran(copied, only=["dpo"], fresh=True) == ["dpo"]
    after = card_of(copied, "dpo")
    assert (after.digest, after.metrics) == (before.digest, before.metrics)
    assert after.created >= before.created


def test_a_stage_whose_weights_were_touched_is_trained_again(copied):
    path = copied.trained / "dpo" / "model.safetensors"
    whole = path.read_bytes()
    save_file({name: 2 * value for name, value in load_file(path).items()}, path)
    assert ran(copied) == ["dpo"]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", CARD])
def test_a_stage_that_lost_a_file_is_trained_again(copied, file):
    digest = card_of(copied, "rloo").digest
    (copied.trained / "rloo" / file).unlink()
    assert ran(copied) == ["rloo"]
    assert card_of(copied, "rloo").digest == digest


@pytest.mark.parametrize("file", ["rankings.jsonl", STAGE_FILE])
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("{")])
def test_a_rank_stage_whose_files_were_touched_is_run_again(copied, file, change):
    path = copied.trained / "ranked" / file
    whole = path.read_bytes()
    change(path)
    assert ran(copied) == ["ranked"]
    assert path.read_bytes() == whole


def test_an_output_that_was_moved_is_whole(copied):
    moved = replace(copied, output=copied.output.rename(copied.output.with_name("moved")))
    assert ran(moved) == []
    assert ran(moved, "stages.ppo.steps=1") == ["ppo"]
    sft, rm = lineage_of(moved.trained / "ppo").parents
    assert (sft.state, rm.state, sft.parents[0].state) == ("present",) * 3


def test_a_missing_parent_is_told_with_the_command_that_trains_it(copied, tmp_path):
    shutil.rmtree(copied.trained / "rm")
    with pytest.raises(ModelError, match="rm: stage 'rm' has not been trained there") as told:
        copied.train(only=["ppo"])
    process = start(told.value.remedy.removeprefix("bench ") + tasks_of(copied), tmp_path / "said")
    process.join()
    assert process.exitcode == 0, (tmp_path / "said").read_text()
    assert ran(copied) == []


def tasks_of(world: World) -> str:
    return f" --tasks {world.folder / 'tasks'}"


def by_function(world: World, text: str) -> None:
    (world.folder / "mine.py").write_text(f"def mine(prompt, reply):\n    return {text}\n")


def test_a_reward_function_that_was_changed_trains_its_stage_again(tmp_path):
    changed = {**STAGES["rloo"], "from": "base", "reward": [{"function": "mine.py:mine"}]}
    world = make_world(tmp_path, ["rloo"], stages={"rloo": changed})
    by_function(world, "len(reply)")
    assert ran(world) == ["rloo"]
    assert ran(world) == []
    by_function(world, "-len(reply)")
    assert ran(world) == ["rloo"]


def test_a_scorer_that_was_changed_ranks_again(tmp_path):
    changed = {**STAGES["ranked"], "from": "base"}
    world = make_world(tmp_path, ["ranked"], stages={"ranked": changed})
    assert ran(world) == ["ranked"]
    path = tmp_path / "tasks/lands/task.py"
    path.write_text(path.read_text().replace("% 7 / 6", "% 5 / 4"))
    assert ran(world) == ["ranked"]
    write_lands(tmp_path / "tasks", title="Lands of the world")
    path.write_text(path.read_text().replace("% 7 / 6", "% 5 / 4"))
    assert ran(world) == []


def test_a_judge_that_was_trained_again_ranks_again(tmp_path):
    judged = {**STAGES["ranked"], "from": "base", "by": {"judge": "sft"}, "most": 3}
    world = make_world(tmp_path, ["sft", "ranked"], stages={**STAGES, "ranked": judged})
    assert ran(world) == ["sft", "ranked"]
    assert ran(world, "stages.sft.steps=3") == ["sft", "ranked"]


def test_what_was_trained_into_a_folder_of_the_same_name_by_other_means_is_replaced(tmp_path):
    world = make_world(tmp_path, ["sft"])
    shutil.copytree(tmp_path / "base", world.trained / "sft")
    (world.trained / "sft" / "model-00001-of-00002.safetensors").write_bytes(b"")
    assert ran(world) == ["sft"]
    assert not (world.trained / "sft" / "model-00001-of-00002.safetensors").exists()
    assert ran(world) == []
