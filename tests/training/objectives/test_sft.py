"""Supervised finetuning: its loss by hand, what it learns, which epoch it keeps, how it resumes."""

import json
import math
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import nn

from bench.errors import ModelError, RunError, UsageError
from bench.training.networks.trunk import make_trunk
from bench.training.objectives.sft import set_dropout, train_sft
from bench.training.settings import Lora
from bench.training.steps.gradients import add_nll_gradient
from bench.training.steps.meter import Meter
from bench.training.steps.processes import Processes
from bench.training.steps.state import BEST, WORK, load_state
from tests.models import tiny
from tests.training.values import (
    CPU,
    StoppedError,
    StopsAfter,
    assert_goes_on_bit_for_bit,
    assert_same,
    demonstrations,
    gradients,
    log_of,
    network,
    settings,
    site,
    stream,
    weights,
)

PROCESSES = Processes(CPU)
ROWS, HELD_OUT = demonstrations(14)[:10], demonstrations(14)[10:]


def train(folder, rows=ROWS, held_out=HELD_OUT, critic=None, trained=None, watcher=None, **changes):
    """Returns (outcome, network, log) of a stage of `rows`."""
    trained = trained or network()
    place = site(folder, watcher)
    outcome = train_sft(settings("sft", **changes), place, trained, stream(rows, held_out), critic)
    return outcome, trained, log_of(folder)


def by_hand(model, entries) -> float:
    """The mean over all reply tokens, from one plain forward of each row."""
    found = [tiny.naive(model, row.document.prompt, row.document.replies[0])[0] for row in entries]
    return -math.fsum(found) / sum(len(row.document.replies[0]) for row in entries)


def drawn(step: int, batch: int = 3):
    return stream(ROWS).take(step * batch, batch)


@pytest.mark.parametrize("micro_tokens", [1, 30, 4096])
def test_the_loss_is_the_mean_over_the_reply_tokens_of_the_update(tmp_path, micro_tokens):
    _, _, log = train(tmp_path, steps=1, batch=8, micro_tokens=micro_tokens)
    (line,) = [line for line in log if "loss" in line]
    assert line["loss"] == pytest.approx(by_hand(tiny.build("llama"), drawn(0, 8)), rel=1e-5)


@pytest.mark.parametrize("micro_tokens", [1, 30, 4096])
def test_the_gradient_is_that_of_labels_on_replies_alone(micro_tokens):
    ours, theirs = network(), network()
    documents = [row.document for row in ROWS]
    add_nll_gradient(ours, documents, micro_tokens, PROCESSES, Meter())
    tokens = sum(len(document.replies[0]) for document in documents)
    for document in documents:
        ids = torch.tensor([[*document.prompt, *document.replies[0]]])
        labels = ids.clone()
        labels[0, : len(document.prompt)] = -100  # no loss where transformers finds this
        loss = theirs.model(input_ids=ids, labels=labels).loss
        (loss * len(document.replies[0]) / tokens).backward()
    found, expected = gradients(ours), gradients(theirs)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-5)


def test_losses_of_sources_average_to_the_whole_by_their_tokens(tmp_path):
    _, _, log = train(tmp_path, steps=2, batch=7)
    for step, line in enumerate(line for line in log if "loss" in line):
        tokens = Counter[str]()
        for row in drawn(step, 7):
            tokens[row.prompt.source] += len(row.document.replies[0])
        parts = [line[f"loss/{source}"] * count for source, count in tokens.items()]
        assert len(parts) == 2
        assert line["loss"] == pytest.approx(sum(parts) / tokens.total(), rel=1e-6)


def test_the_held_out_loss_is_that_of_the_weights_at_each_moment(tmp_path):
    outcome, trained, log = train(tmp_path, steps=3, batch=4)
    measured = [line for line in log if "held_out/loss" in line]
    before, after = by_hand(tiny.build("llama"), HELD_OUT), by_hand(trained.model, HELD_OUT)
    assert measured[0]["held_out/loss"] == pytest.approx(before, rel=1e-5)
    assert measured[-1]["held_out/loss"] == pytest.approx(after, rel=1e-5)
    assert outcome.metrics["start/held_out/loss"] == measured[0]["held_out/loss"]
    assert outcome.metrics["held_out/loss"] == measured[-1]["held_out/loss"]


def test_one_batch_can_be_learned_by_heart(tmp_path):
    trained = network(calm=True)
    outcome, _, log = train(tmp_path, ROWS[:3], (), trained=trained, steps=40, lr=1e-2)
    assert log[1]["loss"] > 5.0
    assert log[-2]["loss"] < 0.05
    assert by_hand(trained.model, ROWS[:3]) < 0.05
    assert outcome.steps == 40


def test_an_adapter_learns_and_leaves_the_base_as_it_was(tmp_path):
    trained = network(lora=Lora(rank=4))
    base = {name: value.clone() for name, value in trained.model.named_parameters()}
    _, _, log = train(tmp_path, ROWS[:3], (), trained=trained, steps=10, lr=1e-2)
    assert log[-2]["loss"] < log[1]["loss"]
    changed = {
        name
        for name, value in trained.model.named_parameters()
        if not torch.equal(value, base[name])
    }
    assert changed == set(weights(trained))


def test_what_was_drawn_and_learned_is_accounted_for(tmp_path):
    outcome, _, log = train(tmp_path, epochs=2.0, batch=4)
    entries = [row for step in range(5) for row in drawn(step, 4)]
    tokens = sum(len(row.document.replies[0]) for row in entries)
    assert (outcome.steps, outcome.tokens, log[-2]["tokens"]) == (5, tokens, tokens)
    assert [(use.source, use.drawn, use.epochs) for use in outcome.data] == [
        ("a", 10, 2.0),
        ("b", 10, 2.0),
    ]
    assert sum(use.tokens for use in outcome.data) == tokens


# settings whose held-out loss falls and rises again within a few epochs
ASTRAY = {"epochs": 4.0, "batch": 5, "lr": 3e-2}


def test_the_epoch_with_the_lowest_held_out_loss_is_kept(tmp_path):
    outcome, trained, log = train(
        tmp_path, trained=network(calm=True), select={"by": "loss"}, **ASTRAY
    )
    measured = {line["step"]: line["held_out/loss"] for line in log if "held_out/loss" in line}
    del measured[0]
    best = min(measured, key=measured.__getitem__)
    assert best not in (0, max(measured))
    assert outcome.steps == best
    assert outcome.metrics["held_out/loss"] == measured[best]
    assert by_hand(trained.model, HELD_OUT) == pytest.approx(measured[best], rel=1e-5)


def test_the_epoch_with_the_highest_reward_is_kept(tmp_path):
    rewards = iter([9.0, 1.0, 3.0, 2.0])  # the first is of the weights before training
    outcome, trained, log = train(
        tmp_path / "selected",
        critic=lambda network, entries: next(rewards),
        select={"by": "reward", "reward": "rm"},
        epochs=3.0,
        batch=5,
    )
    _, shorter, _ = train(tmp_path / "shorter", epochs=2.0, batch=5)
    assert (outcome.steps, outcome.metrics["held_out/reward"]) == (4, 3.0)
    assert_same(weights(trained), weights(shorter))
    assert [line["held_out/reward"] for line in log if "held_out/reward" in line] == [9, 1, 3, 2]


def test_the_critic_is_given_the_network_and_all_that_is_held_out(tmp_path):
    seen = []

    def critic(judged, entries):
        seen.append((judged, tuple(entries)))
        return 0.0

    _, trained, _ = train(tmp_path, critic=critic, select={"by": "reward", "reward": "rm"})
    assert {(id(judged), entries) for judged, entries in seen} == {(id(trained), tuple(HELD_OUT))}


def test_of_equal_epochs_the_earliest_is_kept(tmp_path):
    select = {"by": "reward", "reward": "rm"}
    outcome, _, _ = train(tmp_path, critic=lambda *_: 1.0, select=select, epochs=3.0, batch=5)
    assert outcome.steps == 2


def test_nothing_can_be_selected_where_nothing_is_held_out(tmp_path):
    with pytest.raises(UsageError, match=r"stages\.warm\.select\.by: found 'loss'"):
        train(tmp_path, held_out=(), select={"by": "loss"})


def test_best_weights_that_are_gone_are_a_run_error(tmp_path):
    changes = {"select": {"by": "loss"}, "epochs": 2.0, "batch": 5}
    train(tmp_path, **changes)
    (tmp_path / WORK / BEST).unlink()
    with pytest.raises(RunError, match=r"best\.safetensors: missing"):
        train(tmp_path, **changes)


def test_without_held_out_rows_nothing_is_measured(tmp_path):
    outcome, _, log = train(tmp_path, held_out=(), steps=2)
    assert not any(name.startswith("held_out") for line in log for name in line)
    assert outcome.metrics == {"step": 2.0}


def test_dropout_changes_what_is_learned_but_not_what_is_measured(tmp_path):
    found = [
        train(tmp_path / str(rate), trained=network("gpt2"), steps=2, dropout=rate)
        for rate in (0.0, 0.3)
    ]
    (_, without, plain), (_, dropped, noisy) = found
    assert noisy[0] == plain[0]
    assert noisy[1]["loss"] != pytest.approx(plain[1]["loss"], rel=1e-3)
    assert not torch.equal(without.model.lm_head.weight, dropped.model.lm_head.weight)
    assert not any(module.training for module in without.model.modules())


def test_dropout_below_an_adapter_is_drawn_anew_for_every_update(tmp_path):
    """Frozen layers that drop are not run once for all: their states would keep the first draw."""
    adapted = network("gpt_neox", lora=Lora(rank=2, last_layers=1))
    trunk = make_trunk(adapted.model, depth=1, reach=adapted.reach)
    train(tmp_path, trained=replace(adapted, trunk=trunk), steps=2, dropout=0.3)
    assert trunk.known == {}


def test_attention_weights_are_dropped_too():
    trained = network("gpt2")
    set_dropout(trained, 0.5)
    for name, module in trained.model.named_modules():
        if isinstance(module, nn.Dropout) and not name.endswith("attn_dropout"):
            module.p = 0.0
    ids = torch.tensor([[9, 8, 7, 6]])
    with torch.no_grad():
        first, second = (trained.model(input_ids=ids).logits for _ in range(2))
        set_dropout(trained, 0.0)
        third, fourth = (trained.model(input_ids=ids).logits for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(third, fourth)


def test_dropout_is_refused_where_there_is_none(tmp_path):
    with pytest.raises(ModelError, match=r"dropout: found 0\.2, but the model \(llama\)"):
        train(tmp_path, dropout=0.2)


def test_the_moving_average_is_what_is_left(tmp_path):
    _, trained, log = train(tmp_path, steps=4, ema=0.6)
    saved = load_state(tmp_path / WORK / "state.safetensors").tensors
    raw, average = (
        {name: saved[f"{kind}.{name}"] for name in weights(trained)}
        for kind in ("weight", "average")
    )
    assert_same(weights(trained), average)
    assert not torch.equal(raw["lm_head.weight"], average["lm_head.weight"])
    assert by_hand(trained.model, HELD_OUT) == pytest.approx(log[-1]["held_out/loss"], rel=1e-5)


def test_a_loss_that_is_not_finite_stops_the_stage(tmp_path):
    trained = network()
    with torch.no_grad():
        trained.model.lm_head.weight[5, 3] = math.nan
    with pytest.raises(RunError, match="loss is nan at update 1"):
        train(tmp_path, trained=trained)


RESUMED = {
    "moving average": {"save_every": 2, "epochs": 1.7, "ema": 0.7},
    "best epoch": {"save_every": 2, "epochs": 2.0, "select": {"by": "loss"}, "lora": {"rank": 2}},
    "dropout": {"save_every": 2, "epochs": 1.2, "dropout": 0.2},
}


@pytest.mark.parametrize("kind", RESUMED)
def test_a_stage_stopped_anywhere_ends_as_one_left_alone(tmp_path, kind):
    changes = RESUMED[kind]
    optimizer = {"lr": 3e-2, "warmup": 3, "weight_decay": 0.1}
    chosen = settings("sft", optimizer=optimizer, batch=4, **changes)

    def run(place):
        trained = network("gpt2" if kind == "dropout" else "llama", lora=chosen.lora)
        return train_sft(chosen, place, trained, stream(ROWS, HELD_OUT), None), trained

    assert_goes_on_bit_for_bit(run, tmp_path)


def test_a_stage_stopped_twice_ends_as_one_left_alone(tmp_path):
    changes = {"epochs": 3.0, "batch": 4, "save_every": 2}
    outcome, trained, log = train(tmp_path / "whole", **changes)
    for reports in (4, 4):
        with pytest.raises(StoppedError):
            train(tmp_path / "cut", watcher=StopsAfter(reports), **changes)
    again, resumed, lines = train(tmp_path / "cut", **changes)
    assert (again, lines) == (outcome, log)
    assert_same(weights(resumed), weights(trained))


def test_the_state_says_how_far_the_stage_came(tmp_path):
    with pytest.raises(StoppedError):
        train(tmp_path, watcher=StopsAfter(4), batch=2, save_every=2)
    saved = load_state(tmp_path / WORK / "state.safetensors")
    assert saved.facts["step"] == 2
    assert json.dumps(saved.facts["history"])
