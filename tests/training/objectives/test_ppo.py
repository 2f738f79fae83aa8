"""PPO: its first update, its gradients, an exact resume, and that a policy learns."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RunError
from bench.training.networks.forward import reply_logprobs, values
from bench.training.networks.layout import Document, lay_out
from bench.training.objectives.ppo import estimate, learn_policy, learn_values
from bench.training.objectives.reinforce import parts, updates_per_batch
from bench.training.settings import Lora
from bench.training.steps.meter import Meter
from tests.training.reinforced import (
    KilledError,
    Killer,
    assert_better,
    assert_same_gradients,
    gradients_of,
    held_out_rewards,
    judge_by,
    log_of,
    rollouts_of,
    scene,
    settings,
    site,
    train,
    weights_of,
)

PTX = {"data": "d", "gamma": 0.5, "ratio": 1.5}
ALL = range(6)


def policy_gradients(room, chosen, made, advantages_BT):
    """The policy's gradients from one whole batch, and what was metered."""
    meter = Meter()
    processes = site(Path()).processes
    learn_policy(room.team.policy, made, advantages_BT, ALL, chosen, processes, meter)
    return gradients_of(room.team.policy), meter.means()


def value_gradients(room, chosen, made, returns_BT):
    meter = Meter()
    processes = site(Path()).processes
    learn_values(room.value, made, returns_BT, ALL, chosen, processes, meter)
    return gradients_of(room.value), meter.means()


@given(
    st.integers(1, 12),
    st.one_of(st.none(), st.integers(1, 15)),
    st.integers(1, 3),
    st.integers(0, 5),
)
def test_every_inner_epoch_learns_from_each_prompt_once(batch, minibatch, epochs, step):
    chosen = settings("ppo", batch=batch, minibatch=minibatch, inner_epochs=epochs)
    found = parts(chosen, site(Path()), step, group=2)
    first, episodes = step * updates_per_batch(chosen), epochs * batch * 2
    assert [part.update for part in found] == [first + place for place in range(len(found))]
    assert len(found) == updates_per_batch(chosen)
    assert sorted(p for part in found for p in part.places) == sorted([*range(batch)] * epochs)
    drawn = [episode for part in found for episode in part.episodes]
    assert drawn == list(range(step * episodes, (step + 1) * episodes))


@pytest.mark.parametrize("lora", [None, Lora(rank=4)])
def test_the_ratio_is_1_on_the_first_minibatch(tmp_path, lora):
    room, chosen = scene(tmp_path, lora), settings("ppo", batch=6, minibatch=2, steps=1)
    train(room, chosen, site(tmp_path))
    first = log_of(tmp_path)[1]
    assert first["ratio"] == pytest.approx(1, abs=1e-5)
    assert first["approx_kl"] == pytest.approx(0, abs=1e-8)
    assert first["clip_fraction"] == 0
    assert first["kl"] == pytest.approx(0, abs=1e-5)


def test_the_first_gradient_is_that_of_the_policy_gradient_theorem(tmp_path):
    room, chosen = scene(tmp_path), settings("ppo")
    made = rollouts_of(room, chosen, site(tmp_path))
    advantages_BT, _ = estimate(made, chosen, 0.1)
    found, _ = policy_gradients(room, chosen, made, advantages_BT)
    loss, tokens = torch.zeros(()), int(made.tokens_BT.sum())
    for row, (entry, (reply,)) in enumerate(zip(made.entries, made.replies, strict=True)):
        document = Document("", entry.document.prompt, (reply.ids,))
        logprobs = reply_logprobs(room.team.policy, lay_out([document], reach=0))[0]
        loss = loss - (logprobs * advantages_BT[row, : len(reply.ids)]).sum() / tokens
    loss.backward()
    assert_same_gradients(found, gradients_of(room.team.policy), 1e-5)


def test_gradients_do_not_depend_on_micro_batches(tmp_path):
    room, chosen = scene(tmp_path), settings("ppo")
    made = rollouts_of(room, chosen, site(tmp_path))
    advantages_BT, returns_BT = estimate(made, chosen, 0.1)
    found = []
    for tokens in (1, 4096):
        sized = chosen.model_copy(update={"micro_tokens": tokens})
        policy, _ = policy_gradients(room, sized, made, advantages_BT)
        value, _ = value_gradients(room, sized, made, returns_BT)
        found.append(policy | {f"value.{name}": grad for name, grad in value.items()})
    assert_same_gradients(found[0], found[1], 5e-6)


def test_the_value_function_learns_the_returns(tmp_path):
    room, chosen = scene(tmp_path), settings("ppo", value={"clip": 1e9, "coefficient": 0.1})
    made = rollouts_of(room, chosen, site(tmp_path))
    _, returns_BT = estimate(made, chosen, 0.0)
    found, metered = value_gradients(room, chosen, made, returns_BT)
    batch = lay_out(made.documents(ALL), reach=0)
    errors = (values(room.value, batch) - returns_BT)[made.tokens_BT].square() / 2
    (0.1 * errors.mean()).backward()
    assert metered["value_loss"] == pytest.approx(errors.mean().item(), rel=1e-4)
    assert_same_gradients(found, gradients_of(room.value), 1e-5)


def test_networks_that_share_a_base_learn_apart(tmp_path):
    room, chosen = scene(tmp_path, Lora(rank=4)), settings("ppo")
    made = rollouts_of(room, chosen, site(tmp_path))
    advantages_BT, returns_BT = estimate(made, chosen, 0.1)
    policy_gradients(room, chosen, made, advantages_BT)
    assert gradients_of(room.value) == {}
    value_gradients(room, chosen, made, returns_BT)
    assert gradients_of(room.team.policy) == {}


def test_advantages_are_white_and_those_of_the_unscored_are_0(tmp_path):
    room = scene(tmp_path, judge=judge_by(lambda ids: None if ids[0] % 2 else len(set(ids)) / 6))
    chosen = settings("ppo", whiten_rewards=True)
    made = rollouts_of(room, chosen, site(tmp_path), count=12)
    advantages_BT, _ = estimate(made, chosen, 0.1)
    assert 0 < made.scores_B.isnan().sum() < 12
    assert advantages_BT[made.learned].mean() == pytest.approx(0, abs=1e-6)
    assert advantages_BT[made.learned].std() == pytest.approx(1, abs=1e-5)
    assert (advantages_BT[~made.learned] == 0).all()


@pytest.mark.parametrize("kill", [3, 6])
def test_a_killed_run_goes_on_bit_for_bit(tmp_path, kill):
    changes = {"kl_target": 0.5, "ema": 0.5, "ptx": PTX, "save_every": 3, "inner_epochs": 2}
    chosen = settings("ppo", steps=2, minibatch=3, measure_every=1, **changes)
    whole, again = scene(tmp_path / "a"), scene(tmp_path / "b")
    expected = train(whole, chosen, site(tmp_path / "whole"))
    with pytest.raises(KilledError):
        train(scene(tmp_path / "c"), chosen, site(tmp_path / "killed", Killer(kill)))
    assert train(again, chosen, site(tmp_path / "killed")) == expected
    assert log_of(tmp_path / "killed") == log_of(tmp_path / "whole")
    for one, other in ((whole.team.policy, again.team.policy), (whole.value, again.value)):
        kept = weights_of(other)
        assert all(torch.equal(value, kept[name]) for name, value in weights_of(one).items())


def test_the_kl_coefficient_follows_its_target(tmp_path):
    chosen = settings("ppo", steps=2, kl=0.1, kl_target=1e-3, kl_horizon=12.0)
    train(scene(tmp_path), chosen, site(tmp_path))
    lines = [line for line in log_of(tmp_path) if "kl_coefficient" in line]
    assert [line["kl_coefficient"] for line in lines] == pytest.approx([0.1, 0.1 * (1 - 0.2 / 2)])


def test_the_value_function_has_a_rate_of_its_own(tmp_path):
    room = scene(tmp_path)
    frozen = settings("ppo", steps=1, value={"lr": 1e-30})
    policy, value = weights_of(room.team.policy), weights_of(room.value)
    train(room, frozen, site(tmp_path))
    after = weights_of(room.value)
    assert all((kept - after[name]).abs().max() < 1e-20 for name, kept in value.items())
    moved = weights_of(room.team.policy)
    assert not any(torch.equal(kept, moved[name]) for name, kept in policy.items())


def test_a_policy_too_far_from_the_reference_is_stopped(tmp_path):
    chosen = settings("ppo", steps=9, max_kl=0.3, optimizer={"lr": 1e-2})
    with pytest.raises(RunError, match=r"kl is .* nats a reply, above max_kl 0.3 at update 2"):
        train(scene(tmp_path), chosen, site(tmp_path))


def test_a_judge_that_can_judge_nothing_is_an_error(tmp_path):
    room = scene(tmp_path, judge=judge_by(lambda ids: None))
    with pytest.raises(RunError, match=r"none of the 6 replies .* cannot say"):
        train(room, settings("ppo"), site(tmp_path))


SOURCES = ("a", "b", "ptx/a", "ptx/b")


def test_the_log_and_the_outcome_say_what_was_learned_from(tmp_path):
    room = scene(tmp_path, judge=judge_by(lambda ids: None if ids[0] % 2 else 1.0))
    outcome = train(room, settings("ppo", steps=2, batch=12, ptx=PTX), site(tmp_path))
    first, last = (line for line in log_of(tmp_path) if "reward" in line)
    known = {"loss", "reward", "reward/a", "reward/b", "reward_term/liked", "kl", "kl/a", "kl/b"}
    known |= {"entropy", "eos", "length", "ratio", "approx_kl", "clip_fraction", "value_loss"}
    known |= {"kl_coefficient", "ptx_loss", "ptx_loss/a", "ptx_loss/b", "policy_loss", "unscored"}
    known |= {"non_score_reward", "rlhf_reward", "tokens", "lr", "grad_norm", "grad_norm/value"}
    known |= {"step", *(f"{what}/{of}" for what in ("tokens", "epochs") for of in SOURCES)}
    assert known <= set(first)
    assert set(first) - known <= {"explained_variance"}
    assert 0 < first["unscored"] < 12
    assert outcome.steps == 2
    assert [use.source for use in outcome.data] == ["a", "b"]  # of prompts and text together
    assert sum(use.drawn for use in outcome.data) == 24 + 36
    assert sum(use.tokens for use in outcome.data) == outcome.tokens == last["tokens"]


def test_a_policy_learns_what_the_judge_likes_on_prompts_it_has_not_seen(tmp_path):
    room, optimizer = scene(tmp_path), {"lr": 1e-2, "schedule": "constant"}
    before = held_out_rewards(room)
    torch.nn.init.zeros_(room.value.head.weight)  # as a stage without a reward model starts it
    own = {"kl": 0.0, "lam": 1.0, "value": {"lr": 1e-2}}
    chosen = settings("ppo", batch=32, steps=8, measure_every=100, optimizer=optimizer, **own)
    train(room, chosen, site(tmp_path))
    assert_better(held_out_rewards(room), before, by=0.15)
