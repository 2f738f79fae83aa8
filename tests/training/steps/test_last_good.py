"""A stage that goes astray leaves its last good state as a checkpoint that can be used."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file

from bench.cards import read_card
from bench.errors import RunError
from bench.models.lineage import lineage_of
from bench.models.weights import find_weights
from bench.training.steps.state import BEFORE, WORK, load_state
from tests.training.recipes import STAGES, World, make_world

HEADLINE = {"reward": [{"scorer": "headline"}]}
ALONE = {name: {**stage, "from": "base"} for name, stage in STAGES.items()}
ALONE["ppo"] |= {**HEADLINE, "ptx": None}
SUDDEN = {"lr": 1e30, "schedule": "constant", "warmup": 2, "warmup_from": 1e-33}
BROKEN = f"optimizer={json.dumps(SUDDEN)}"  # update 1 is as always, update 2 breaks everything
ASTRAY = {"sft": BROKEN, "rm": BROKEN, "ppo": "max_kl=1.0"}  # which rollout batch 3 passes
LORA = "lora={rank: 2}"
POLICY, REWARD = hf.AutoModelForCausalLM, hf.AutoModelForSequenceClassification


@pytest.fixture(scope="module")
def ranked(tmp_path_factory) -> World:
    """Three stages that start from the base, none of which was run, and rankings."""
    names = ["sft", "ranked", "rm", "ppo"]
    world = make_world(tmp_path_factory.mktemp("astray"), names, stages=ALONE)
    world.train(only=["ranked"])
    return world


@pytest.fixture
def world(ranked, tmp_path) -> World:
    """Those with a folder of their own for what is trained."""
    fresh = replace(ranked, output=tmp_path)
    fresh.trained.mkdir(parents=True)
    (fresh.trained / "ranked").symlink_to(ranked.trained / "ranked")
    return fresh


def astray(world: World, stage: str, *overrides: str) -> RunError:
    """How a stage ends that soon goes astray."""
    settings = (f"stages.{stage}.{setting}" for setting in (ASTRAY[stage], *overrides))
    with pytest.raises(RunError) as caught:
        world.train(*settings, only=[stage])
    return caught.value


@pytest.mark.parametrize(
    ("stage", "settings", "kind", "step", "at"),
    [
        ("sft", [], POLICY, 1, 3),
        ("sft", [LORA], POLICY, 1, 3),
        ("rm", [LORA], REWARD, 1, 3),
        ("ppo", [], POLICY, 2, 5),
    ],
)
def test_transformers_loads_the_last_good_state_and_its_card_says_what_it_is(
    world, stage, settings, kind, step, at
):
    told = astray(world, stage, *settings)
    folder = world.trained / stage / "last-good"
    assert f"at update {at}; the state after update {at - 1} is kept in " in told.cause
    assert told.cause.endswith(f", and that after update {step} as a checkpoint in {folder}")
    assert (f"add --set stages.{stage}.from={folder}" in told.remedy) == (stage != "rm")
    model, loaded = kind.from_pretrained(folder, output_loading_info=True)
    assert not loaded["missing_keys"]
    assert all(value.abs().max() < 1e3 for value in model.parameters())
    card = read_card(folder)
    assert (card.name, card.steps) == (f"{stage}-last-good", step)
    assert card.metrics == {"astray_at": at}
    assert card.digest == find_weights(str(folder)).digest
    assert card.tokens == sum(use.tokens for use in card.data) > 0
    assert sum(use.drawn for use in card.data) == 4
    assert read_card(world.trained / stage) is None


def test_what_is_published_is_what_was_saved(world):
    astray(world, "sft")
    saved = load_state(world.trained / "sft" / WORK / BEFORE).tensors
    found = load_file(world.trained / "sft/last-good/model.safetensors")
    assert len(found) > 5
    assert all(torch.equal(value, saved[f"weight.{name}"]) for name, value in found.items())


def test_a_moving_average_is_published_where_one_is_kept(world):
    astray(world, "sft", "ema=0.5")
    saved = load_state(world.trained / "sft" / WORK / BEFORE).tensors
    found = load_file(world.trained / "sft/last-good/model.safetensors")
    assert all(torch.equal(value, saved[f"average.{name}"]) for name, value in found.items())


def test_a_parent_that_is_a_stage_is_found_from_below(world):
    world.train(only=["sft"])
    later = {**ALONE, "ppo": {**ALONE["ppo"], "from": "sft"}}
    chained = make_world(world.folder, ["sft", "ranked", "rm", "ppo"], stages=later)
    astray(replace(chained, output=world.output), "ppo", "max_kl=1.9")
    (parent,) = lineage_of(world.trained / "ppo/last-good").parents
    assert (parent.name, parent.state) == ("sft", "present")


def test_a_stage_goes_on_from_there_at_a_lower_rate(world):
    told = astray(world, "sft")
    folder = Path(told.remedy.rpartition("stages.sft.from=")[2])
    (done,) = world.train(f"stages.sft.from={folder}", only=["sft"])
    assert done.ran
    first, second = (lineage_of(path) for path in (world.trained / "sft", folder))
    assert [parent.name for parent in first.parents] == ["sft-last-good"]
    assert first.parents[0].state == "present"
    assert [parent.stage for parent in second.parents] == ["base"]


def test_one_that_goes_astray_again_does_not_take_its_parents_place(world):
    astray(world, "sft")
    first = world.trained / "sft/last-good"
    before = find_weights(str(first)).digest
    told = astray(world, "sft", f"from={first}")
    assert f"as a checkpoint in {first / 'last-good'}" in told.cause
    assert find_weights(str(first)).digest == before
    (parent,) = lineage_of(first / "last-good").parents
    assert (parent.digest, parent.state) == (before, "present")


def test_where_no_state_was_saved_there_is_none_to_publish(world):
    told = astray(world, "sft", "save_every=50")
    assert "no state had been saved" in told.cause
    assert not (world.trained / "sft/last-good").exists()
