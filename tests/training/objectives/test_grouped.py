"""RLOO and GRPO: their first update, their gradients, an exact resume, and that a policy learns."""

from pathlib import Path

import pytest
import torch

from bench.training.networks.forward import reply_logprobs
from bench.training.networks.layout import Document, lay_out
from bench.training.objectives.grouped import estimate, learn_policy
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

KINDS = ("rloo", "grpo")
PTX = {"data": "d", "gamma": 0.5, "ratio": 0.5}


def gradients(room, chosen, made, advantages_B):
    """The policy's gradients from one whole batch, and what was metered."""
    meter = Meter()
    processes = site(Path()).processes
    learn_policy(room.team.policy, made, advantages_B, range(6), chosen, processes, meter)
    return gradients_of(room.team.policy), meter.means()


@pytest.mark.parametrize("kind", KINDS)
def test_the_ratio_is_1_on_the_first_minibatch(tmp_path, kind):
    room, chosen = scene(tmp_path), settings(kind, minibatch=2, steps=1)
    train(room, chosen, site(tmp_path))
    first = log_of(tmp_path)[1]
    assert first["ratio"] == pytest.approx(1, abs=1e-5)
    assert first["approx_kl"] == pytest.approx(0, abs=1e-8)
    assert first["kl"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_gradient_is_that_of_the_policy_gradient_theorem(tmp_path, kind):
    room, chosen = scene(tmp_path), settings(kind, group=3)
    made = rollouts_of(room, chosen, site(tmp_path))
    advantages_B = estimate(made, chosen)
    found, _ = gradients(room, chosen, made, advantages_B)
    loss = torch.zeros(())
    for row, reply in enumerate(reply for group in made.replies for reply in group):
        document = Document("", made.entries[row // 3].document.prompt, (reply.ids,))
        logprobs = reply_logprobs(room.team.policy, lay_out([document], reach=0))[0]
        each = logprobs.mean() if kind == "grpo" else logprobs.sum()
        loss = loss - each * advantages_B[row] / 18
    loss.backward()
    assert_same_gradients(found, gradients_of(room.team.policy), 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_do_not_depend_on_micro_batches(tmp_path, kind):
    room, chosen = scene(tmp_path), settings(kind)
    made = rollouts_of(room, chosen, site(tmp_path))
    advantages_B = estimate(made, chosen)
    one, other = (
        gradients(room, chosen.model_copy(update={"micro_tokens": n}), made, advantages_B)[0]
        for n in (1, 4096)
    )
    assert_same_gradients(one, other, 5e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reply_that_cannot_be_judged_teaches_nothing(tmp_path, kind):
    room = scene(tmp_path, judge=judge_by(lambda ids: None if ids[0] % 2 else len(set(ids)) / 6))
    chosen = settings(kind, group=4)
    made = rollouts_of(room, chosen, site(tmp_path))
    advantages_B = estimate(made, chosen)
    unscored = made.scores_B.isnan()
    assert 0 < unscored.sum() < 24
    assert (advantages_B[unscored] == 0).all()
    assert not advantages_B.isnan().any()
    found, metered = gradients(room, chosen, made, advantages_B)
    assert all(value.isfinite().all() for value in found.values())
    assert metered["ratio"] == pytest.approx(1, abs=1e-5)


def test_rloo_takes_kl_from_the_reward_and_grpo_into_the_loss(tmp_path):
    room = scene(tmp_path)
    chosen = settings("rloo", steps=1, optimizer={"lr": 1e-2, "schedule": "constant"})
    train(room, chosen, site(tmp_path))
    far = rollouts_of(room, settings("rloo"), site(tmp_path))
    assert far.kl.abs().max() > 0.1
    for kind, moves_advantages in (("rloo", True), ("grpo", False)):
        free, held = (estimate(far, settings(kind, kl=kl)) for kl in (0.0, 1.0))
        assert torch.equal(free, held) != moves_advantages
    losses = [
        gradients(room, settings("grpo", kl=kl), far, torch.zeros(24))[1]["policy_loss"]
        for kl in (0.0, 1.0)
    ]
    assert losses[0] == 0 < losses[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_goes_on_bit_for_bit(tmp_path, kind):
    changes = {"ptx": PTX, "save_every": 3, "inner_epochs": 2, "group": 2}
    chosen = settings(kind, steps=2, minibatch=3, measure_every=1, **changes)
    whole, again = scene(tmp_path / "a"), scene(tmp_path / "b")
    expected = train(whole, chosen, site(tmp_path / "whole"))
    with pytest.raises(KilledError):
        train(scene(tmp_path / "c"), chosen, site(tmp_path / "killed", Killer(6)))
    assert train(again, chosen, site(tmp_path / "killed")) == expected
    assert log_of(tmp_path / "killed") == log_of(tmp_path / "whole")
    kept = weights_of(again.team.policy)
    for name, value in weights_of(whole.team.policy).items():
        assert torch.equal(value, kept[name]), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_learns_what_the_judge_likes_on_prompts_it_has_not_seen(tmp_path, kind):
    room, optimizer = scene(tmp_path), {"lr": 1e-2, "schedule": "constant"}
    before = held_out_rewards(room)
    chosen = settings(kind, steps=7, batch=8, kl=0.0, optimizer=optimizer, measure_every=100)
    train(room, chosen, site(tmp_path))
    assert_better(held_out_rewards(room), before, by=0.08)
