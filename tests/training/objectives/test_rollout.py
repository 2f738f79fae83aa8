"""Rollouts: how replies are run does not change what is measured of them; how they are judged."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from bench.training.networks.forward import by_reply, reply_logprobs
from bench.training.networks.network import Network
from bench.training.objectives.held_out import changes, from_json, means, measure, to_json
from bench.training.objectives.rollout import Team
from bench.training.settings import Lora
from tests.models import tiny
from tests.training.reinforced import judge_by, rollouts_of, scene, settings, site

LORA = Lora(rank=4)


def perturb(network: Network) -> None:
    """Let fresh adapters change something."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, parameter in network.model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)


def alone(network: Network) -> Network:
    """The network as a model of its own, its adapter merged."""
    copy = deepcopy(network.adapters)
    names = [network.adapter] if network.adapter else []
    model = copy.merge_and_unload(adapter_names=names) if names else copy.unload()
    return Network(model, None, "", network.head, network.reach, None)


@pytest.mark.parametrize("lora", [None, LORA])
def test_kl_to_the_reference_is_0_before_training(tmp_path, lora):
    made = rollouts_of(scene(tmp_path, lora), settings("rloo"), site(tmp_path))
    assert made.kl.abs().max() < 1e-5


def test_log_probabilities_are_those_of_each_reply_run_alone(tmp_path):
    room = scene(tmp_path)
    made = rollouts_of(room, settings("rloo", group=3), site(tmp_path))
    for row, reply in enumerate(reply for group in made.replies for reply in group):
        prompt = made.entries[row // 3].document.prompt
        alone, _ = tiny.naive(room.team.policy.model, prompt, reply.ids)
        assert float(made.old_BT[row].sum()) == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("reach", [0, 40, 10**9])
@pytest.mark.parametrize("tokens", [1, 4096])
def test_log_probabilities_do_not_depend_on_layout(tmp_path, reach, tokens):
    room, chosen = scene(tmp_path), settings("rloo")
    made = rollouts_of(room, chosen, site(tmp_path))
    policy = replace(room.team.policy, reach=reach)
    documents = made.documents(range(6))
    rows = by_reply(documents, policy, tokens, lambda batch: (reply_logprobs(policy, batch),))
    for row, (found,) in enumerate(rows):
        torch.testing.assert_close(found, made.old_BT[row, : len(found)], atol=2e-5, rtol=0)


def test_networks_that_share_a_base_give_the_numbers_of_separate_models(tmp_path):
    shared, chosen = scene(tmp_path, LORA), settings("rloo")
    perturb(shared.team.policy)
    team = shared.team
    apart = replace(
        shared,
        team=Team(alone(team.policy), alone(team.reference), None, team.reward, team.writer),
        value=alone(shared.value),
    )
    one, other = (rollouts_of(room, chosen, site(tmp_path)) for room in (shared, apart))
    assert one.replies == other.replies
    assert one.kl.abs().max() > 0.01
    for name in ("old_BT", "reference_BT", "values_BT", "entropy_BT"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), atol=1e-4, rtol=0)


def test_a_reply_depends_on_the_moment_and_its_place_and_on_nothing_else(tmp_path):
    room, chosen = scene(tmp_path), settings("rloo")
    first = rollouts_of(room, chosen, site(tmp_path), moment=1)
    assert rollouts_of(room, chosen, site(tmp_path), moment=1, count=3).replies == first.replies[:3]
    assert rollouts_of(room, chosen, site(tmp_path), moment=2).replies != first.replies
    assert len(set(first.replies[0])) > 1


@pytest.mark.parametrize("missing_eos", [None, -1.0])
def test_a_reply_that_does_not_end_is_worth_missing_eos(tmp_path, missing_eos):
    room = scene(tmp_path, judge=judge_by(lambda ids: 0.25))
    chosen = settings("rloo", group=8, missing_eos=missing_eos, temperature=3.0)
    made = rollouts_of(room, chosen, site(tmp_path), count=12)
    ended = [reply.ended for group in made.replies for reply in group]
    unfinished = 0.25 if missing_eos is None else missing_eos
    assert {True, False} == set(ended)
    assert made.scores_B.tolist() == [0.25 if end else unfinished for end in ended]


def test_a_reply_that_cannot_be_judged_has_no_tokens_to_learn_from(tmp_path):
    room = scene(tmp_path, judge=judge_by(lambda ids: None if ids[0] % 2 else 1.0))
    made = rollouts_of(room, settings("rloo"), site(tmp_path))
    odd = torch.tensor([reply.ids[0] % 2 == 1 for group in made.replies for reply in group])
    assert 0 < odd.sum() < len(odd)
    assert torch.equal(made.scores_B.isnan(), odd)
    assert torch.equal(made.learned.any(1), ~odd)
    assert made.tokens_BT.any(1).all()


def test_a_measurement_on_held_out_prompts_is_the_same_each_time(tmp_path):
    room, chosen = scene(tmp_path), settings("ppo")
    found = [
        measure(room.team, chosen, site(tmp_path), room.prompts.material.held_out) for _ in range(2)
    ]
    assert found[0] == found[1] == from_json(to_json(found[0]))
    assert len(found[0]["reward"]) == 4
    assert means(found[0])["held_out/kl"] == 0.0


def test_a_change_is_paired_and_leaves_out_what_was_not_scored_twice(tmp_path):
    entries = scene(tmp_path).prompts.material.held_out
    before, after = [0.0, 0.2, None, 0.4], [1.0, 0.2, 0.9, 0.9]
    found = changes({"reward": before}, {"reward": after}, entries)
    assert found["start/held_out/reward"] == pytest.approx(0.2)
    assert found["held_out/reward"] == pytest.approx(0.75)
    assert found["held_out/reward_change"] == pytest.approx(0.5)
    differences = torch.tensor([1.0, 0.0, 0.5])
    assert found["held_out/reward_change_se"] == pytest.approx(float(differences.std() / 3**0.5))
