"""The optimizer is torch's AdamW; what it holds can be put back, and it goes on bit for bit."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from bench.training.settings import Sft
from bench.training.steps.processes import Processes
from bench.training.steps.updates import Group, Updates
from tests.training.values import CPU, assert_same

PROCESSES = Processes(CPU)


def toy(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


def updates_of(*models: nn.Module, scales=(1.0, 1.0), ema: float = 0.0, **optimizer) -> Updates:
    settings = {"lr": 0.01, "schedule": "constant", "clip": 1e9, **optimizer}
    training = Sft.model_validate({"kind": "sft", "data": "d", "optimizer": settings, "ema": ema})
    groups = [
        Group({label + name: value for name, value in model.named_parameters()}, scale, label)
        for label, model, scale in zip(("", "value"), models, scales, strict=False)
    ]
    return Updates(groups, training, 10, PROCESSES)


def differentiate(model: nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    model(torch.randn(4, 5, generator=generator)).square().sum().backward()


def learn(updates: Updates, model: nn.Module, steps) -> None:
    for step in steps:
        differentiate(model, step)
        updates.apply(step)


def state_of(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def test_updates_are_those_of_torchs_adamw():
    ours, theirs = toy(), toy()
    matrices = [value for value in theirs.parameters() if value.dim() == 2]
    vectors = [value for value in theirs.parameters() if value.dim() == 1]
    parts = [{"params": matrices, "weight_decay": 0.3}, {"params": vectors, "weight_decay": 0.0}]
    oracle = torch.optim.AdamW(parts, lr=0.01, betas=(0.8, 0.9), eps=1e-6, fused=False)
    learn(updates_of(ours, betas=[0.8, 0.9], eps=1e-6, weight_decay=0.3), ours, range(5))
    for step in range(5):
        oracle.zero_grad()
        differentiate(theirs, step)
        oracle.step()
    for name, value in theirs.named_parameters():
        torch.testing.assert_close(ours.get_parameter(name), value, rtol=1e-5, atol=1e-6)


def test_matrices_decay_and_vectors_do_not():
    model = toy()
    before, updates = state_of(model), updates_of(model, weight_decay=0.5, eps=1e9)
    differentiate(model, 0)
    updates.apply(0)  # with so large an eps only the decay moves anything
    for name, value in model.named_parameters():
        share = 1 - 0.01 * 0.5 if value.dim() == 2 else 1.0
        torch.testing.assert_close(value.detach(), before[name] * share)


def test_each_group_has_its_own_rate():
    first, second = toy(), toy()
    before, updates = state_of(first), updates_of(first, second, scales=(1.0, 0.1))
    differentiate(first, 0)
    differentiate(second, 0)
    updates.apply(0)
    for name, start in before.items():
        moved, slowly = first.get_parameter(name) - start, second.get_parameter(name) - start
        torch.testing.assert_close(slowly.detach(), 0.1 * moved.detach(), rtol=1e-3, atol=1e-7)


def test_a_long_gradient_is_cut_and_its_length_before_that_is_told():
    model = toy()
    differentiate(model, 0)
    whole = torch.cat([value.grad.flatten() for value in model.parameters()])
    updates = updates_of(model, clip=0.5)
    assert updates.apply(0)["grad_norm"] == pytest.approx(float(whole.norm()), rel=1e-5)
    kept = torch.cat(
        [updates.optimizer.state[value]["exp_avg"].flatten() for value in model.parameters()]
    ) / (1 - 0.9)
    torch.testing.assert_close(kept, whole * 0.5 / whole.norm(), rtol=1e-3, atol=1e-6)


def test_each_group_is_cut_by_itself():
    long, short = toy(), toy()
    differentiate(long, 0)
    differentiate(short, 0)
    for value in long.parameters():
        value.grad.mul_(1000)
    expected = [value.grad.clone() for value in short.parameters()]
    norm = float(torch.cat([value.flatten() for value in expected]).norm())
    updates = updates_of(long, short, clip=2 * norm, betas=[0.0, 0.9])
    told = updates.apply(0)
    assert told["grad_norm"] == pytest.approx(1000 * norm, rel=1e-4)
    assert told["grad_norm/value"] == pytest.approx(norm, rel=1e-4)
    for value, gradient in zip(short.parameters(), expected, strict=True):
        torch.testing.assert_close(updates.optimizer.state[value]["exp_avg"], gradient)


def test_one_group_that_is_not_finite_holds_back_the_other():
    first, second = toy(), toy()
    updates, before = updates_of(first, second), state_of(first)
    differentiate(first, 0)
    differentiate(second, 0)
    second[0].weight.grad[0, 0] = float("nan")
    updates.apply(0)
    assert_same(state_of(first), before)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_changes_nothing(bad):
    model = toy()
    updates = updates_of(model, ema=0.5, weight_decay=0.5)
    learn(updates, model, range(2))
    before = {name: value.clone() for name, value in updates.tensors().items()}
    differentiate(model, 2)
    model[0].weight.grad[0, 0] = bad
    told = updates.apply(2)
    assert not told["grad_norm"] < float("inf")
    assert_same(updates.tensors(), before)
    assert all(value.grad is None for value in model.parameters())


def test_the_average_follows_the_weights():
    model = toy()
    updates, expected = updates_of(model, ema=0.8), state_of(model)
    for step in range(4):
        learn(updates, model, [step])
        for name, value in model.named_parameters():
            expected[name] = 0.8 * expected[name] + 0.2 * value.detach()
    own = state_of(model)
    with updates.averaged():
        torch.testing.assert_close(state_of(model), expected)
    assert_same(state_of(model), own)
    updates.adopt_average()
    torch.testing.assert_close(state_of(model), expected)


def test_without_an_average_the_weights_stay():
    model = toy()
    updates, own = updates_of(model), state_of(model)
    with updates.averaged():
        assert_same(state_of(model), own)
    updates.adopt_average()
    assert_same(state_of(model), own)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_what_is_put_back_goes_on_bit_for_bit(ema):
    whole, first, second = toy(), toy(), toy(seed=9)
    optimizer = {"schedule": "cosine", "warmup": 2, "weight_decay": 0.1, "ema": ema}
    of_whole, of_first = updates_of(whole, **optimizer), updates_of(first, **optimizer)
    learn(of_whole, whole, range(7))
    learn(of_first, first, range(3))
    of_second = updates_of(second, **optimizer)
    of_second.restore(deepcopy(of_first.tensors()))
    learn(of_second, second, range(3, 7))
    assert_same(of_second.tensors(), of_whole.tensors())


def test_two_optimizers_share_nothing_after_a_restore():
    first, second = toy(), toy(seed=9)
    of_first, of_second = updates_of(first), updates_of(second)
    learn(of_first, first, range(2))
    of_second.restore(of_first.tensors())
    held = deepcopy(of_second.tensors())
    learn(of_first, first, range(2, 4))
    assert_same(of_second.tensors(), held)


def test_a_state_before_the_first_update_can_be_put_back():
    model, other = toy(), toy(seed=9)
    of_other = updates_of(other)
    of_other.restore(updates_of(model).tensors())
    assert_same(state_of(other), state_of(model))


def test_the_rate_of_an_update_is_the_schedules():
    model = toy()
    updates = updates_of(model, schedule="linear", warmup=2, final=0.0)
    found = [updates.apply(step)["lr"] for step in range(10)]
    falling = [0.01 * (8 - step) / 8 for step in range(8)]
    assert found == pytest.approx([0.0, 0.005, *falling])


def test_an_update_without_a_gradient_moves_nothing_even_after_others():
    model = toy()
    updates = updates_of(model)
    learn(updates, model, range(3))
    before = state_of(model)
    assert updates.apply(3)["grad_norm"] == 0.0
    assert_same(state_of(model), before)
