"""Where a checkpoint comes from: what its description and its lineage say."""

import json
import shutil
from dataclasses import replace

import pytest

from bench.cards import CARD, write_card
from bench.errors import ModelError, RunError
from bench.evaluation.ask import request_key
from bench.models.hf import HuggingFace
from bench.models.lineage import Node, lineage_of
from bench.models.options import ModelOptions
from bench.models.weights import find_weights
from bench.types import Parent, Request
from tests.cards import card

FP32 = ModelOptions(dtype="float32", device="cpu")
ASKED = Request("the cat", (" sat",))


def child(folder, stage: str, *parents: Parent) -> Parent:
    """Write the card of the checkpoint in `folder`; the policy parent that it is to others."""
    digest = find_weights(str(folder)).digest
    write_card(folder, card(name=folder.name, stage=stage, digest=digest, parents=parents))
    return Parent("policy", folder.name, stage, str(folder), digest)


@pytest.fixture
def family(checkpoint, tmp_path):
    """base (no card) -> warm -> rl, with rm as the reward of rl; the folder of rl."""
    for name in ("base", "warm", "rm", "rl"):
        shutil.copytree(checkpoint("llama"), tmp_path / name)
        (tmp_path / name / "special.txt").write_text(name)  # a digest of its own
    digest = find_weights(str(tmp_path / "base")).digest
    base = Parent("policy", "base", "base", str(tmp_path / "base"), digest)
    warm = child(tmp_path / "warm", "sft", base)
    rm = replace(child(tmp_path / "rm", "rm", warm), role="reward")
    child(tmp_path / "rl", "ppo", warm, rm)
    return tmp_path / "rl"


def outline(node: Node) -> list:
    return [node.role, node.name, node.stage, node.state, *map(outline, node.parents)]


def test_the_tree_follows_policy_and_reward_down_to_a_base_without_a_card(family):
    warm = ["policy", "warm", "sft", "present", ["policy", "base", "base", "present"]]
    rm = ["reward", "rm", "rm", "present", warm]
    assert outline(lineage_of(family)) == ["", "rl", "ppo", "present", warm, rm]


def test_a_parent_that_is_gone_is_missing_with_its_digest(family):
    digest = find_weights(str(family.parent / "rm")).digest
    shutil.rmtree(family.parent / "rm")
    _, rm = lineage_of(family).parents
    assert (rm.state, rm.digest, rm.found, rm.card, rm.parents) == ("missing", digest, "", None, ())


def test_a_parent_whose_weights_were_deleted_still_leads_on(family):
    (family.parent / "warm/model.safetensors").unlink()
    warm, _ = lineage_of(family).parents
    assert (warm.state, warm.parents[0].name) == ("missing", "base")


def test_a_parent_trained_again_has_changed_since(family):
    (family.parent / "warm/special.txt").write_text("others")
    warm, _ = lineage_of(family).parents
    assert warm.state == "changed"
    assert warm.found == find_weights(str(family.parent / "warm")).digest != warm.digest


def test_a_relative_parent_folder_counts_from_the_childs(family, monkeypatch):
    told = json.loads((family / CARD).read_text())
    told["parents"][0]["folder"] = "../warm"
    (family / CARD).write_text(json.dumps(told))
    monkeypatch.chdir("/")
    assert lineage_of(family).parents[0].state == "present"


def test_a_card_that_names_no_folder_leads_nowhere(family):
    told = json.loads((family / CARD).read_text())
    told["parents"][0]["folder"] = ""
    (family / CARD).write_text(json.dumps(told))
    assert lineage_of(family).parents[0].state == "missing"


def test_cards_in_a_circle_are_an_error(family):
    warm = child(family.parent / "warm", "sft")
    child(family.parent / "warm", "sft", warm)
    with pytest.raises(RunError, match="names itself among its own parents"):
        lineage_of(family)


def test_a_checkpoint_without_a_card_is_an_error(family):
    with pytest.raises(RunError, match=r"base: holds no bench\.json"):
        lineage_of(family.parent / "base")


def test_a_folder_without_a_checkpoint_is_an_error(tmp_path):
    with pytest.raises(ModelError, match=r"holds neither config\.json"):
        lineage_of(tmp_path)


def test_the_description_names_stage_and_the_policy_parents_digest(family):
    described = HuggingFace(str(family), FP32).description
    warm = find_weights(str(family.parent / "warm")).digest
    assert (described["stage"], described["parent"]) == ("ppo", warm)


def test_without_a_card_stage_and_parent_are_empty(family):
    described = HuggingFace(str(family.parent / "base"), FP32).description
    assert (described["stage"], described["parent"]) == ("", "")


def test_a_card_changes_no_key_of_the_ledger(family):
    before = HuggingFace(str(family), FP32)
    (family / CARD).unlink()
    after = HuggingFace(str(family), FP32)
    keys = [request_key(model.digest, *model.encode([ASKED])) for model in (before, after)]
    assert keys[0] == keys[1]


def test_a_damaged_card_is_an_error_before_any_question(family):
    (family / CARD).write_text("{}")
    with pytest.raises(RunError, match=r"bench\.json: "):
        HuggingFace(str(family), FP32)
