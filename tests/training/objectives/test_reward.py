"""The reward model: its loss by hand, what it learns, where it is centred, how it resumes."""

import math
from itertools import combinations, permutations

import pytest
import torch

from bench.errors import UsageError
from bench.models.hf import HuggingFace
from bench.training.networks.forward import rewards
from bench.training.networks.layout import Document, lay_out
from bench.training.objectives.reward import add_ranking_gradient, train_reward
from bench.training.steps.meter import Meter
from bench.training.steps.processes import Processes
from tests.training.replying import open_tiny, plain_writer
from tests.training.values import (
    CPU,
    assert_goes_on_bit_for_bit,
    draw,
    entry,
    gradients,
    log_of,
    network,
    rankings,
    settings,
    site,
    stream,
    weights,
)

PROCESSES = Processes(CPU)
LIKED = 77


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> HuggingFace:
    return open_tiny(tmp_path_factory.mktemp("reward"))[0]


def train(folder, rows, held_out, model, trained=None, **changes):
    """Returns (outcome, network, log)."""
    trained = trained or network(head=True)
    chosen = settings("reward", **changes)
    writer = plain_writer(model)
    outcome = train_reward(chosen, site(folder), trained, stream(rows, held_out), writer)
    return outcome, trained, log_of(folder)


def plain_rewards(trained, row) -> list[torch.Tensor]:
    """The head's score of each reply, from one plain forward of prompt and reply."""
    found = []
    for reply in row.document.replies:
        ids = torch.tensor([[*row.document.prompt, *reply]])
        found.append(trained.head(trained.model.base_model(ids).last_hidden_state[0, -1]).squeeze())
    return found


def prompt_loss(trained, row, ties="drop") -> torch.Tensor | None:
    """The mean over the pairs of a prompt of -log sigmoid(winner - loser); half a win a tie."""
    scored, found = plain_rewards(trained, row), []
    for first, second in combinations(range(len(scored)), 2):
        difference = scored[first] - scored[second]
        forwards, backwards = (
            -torch.nn.functional.logsigmoid(sign * difference) for sign in (1, -1)
        )
        if row.ranks[first] < row.ranks[second]:
            found.append(forwards)
        elif row.ranks[first] > row.ranks[second]:
            found.append(backwards)
        elif ties == "half":
            found.append((forwards + backwards) / 2)
    return sum(found) / len(found) if found else None


def batch_loss(trained, rows, ties="drop") -> torch.Tensor:
    """The mean over the prompts that have a pair."""
    found = [loss for row in rows if (loss := prompt_loss(trained, row, ties)) is not None]
    return sum(found) / len(found)


RANKS = ((1, 2, 3, 4), (2, 1), (1, 2, 2), (1, 1), (1,), (3, 1, 1, 2))


@pytest.mark.parametrize("ties", ["drop", "half"])
@pytest.mark.parametrize("micro_tokens", [1, 50, 4096])
def test_loss_and_gradient_are_the_mean_over_prompts_of_the_mean_over_pairs(micro_tokens, ties):
    rows = rankings(6, RANKS)
    ours, theirs = network(head=True), network(head=True)
    meter, chosen = Meter(), settings("reward", micro_tokens=micro_tokens, ties=ties)
    add_ranking_gradient(ours, rows, chosen, PROCESSES, meter)
    expected = batch_loss(theirs, rows, ties)
    expected.backward()
    assert meter.means()["loss"] == pytest.approx(float(expected.detach()), rel=1e-5)
    found, by_hand = gradients(ours), gradients(theirs)
    assert {"head.weight", "head.bias"} < found.keys()
    for name, gradient in by_hand.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-6)


def test_the_loss_of_k_replies_is_the_mean_of_the_losses_of_their_pairs():
    (row,) = rankings(1, ((2, 4, 1, 3),))
    trained, chosen = network(head=True), settings("reward")

    def loss_of(rows):
        meter = Meter()
        add_ranking_gradient(trained, rows, chosen, PROCESSES, meter)
        return meter.means()["loss"], gradients(trained)

    pairs = [
        entry(0, [row.document.replies[place][:-1] for place in pair], [row.ranks[p] for p in pair])
        for pair in combinations(range(4), 2)
    ]
    (whole, gradient), (mean, parts) = loss_of([row]), loss_of(pairs)
    assert whole == pytest.approx(mean, rel=1e-5)
    for name, value in parts.items():
        torch.testing.assert_close(gradient[name], value, rtol=1e-3, atol=1e-6)


def test_an_update_without_a_pair_moves_nothing_and_tells_no_loss(tmp_path, model):
    trained = network(head=True)
    before = weights(trained)
    _, _, log = train(
        tmp_path, rankings(3, ((1, 1),)), (), model, trained, max_loss=1.0, centre=False
    )
    assert "loss" not in log[1]
    assert all(torch.equal(value, before[name]) for name, value in weights(trained).items())


def test_ties_are_dropped_or_count_half():
    rows = rankings(2, ((1, 1), (1, 1, 1)))
    trained, counted = network(head=True), {}
    for ties in ("drop", "half"):
        meter = Meter()
        add_ranking_gradient(trained, rows, settings("reward", ties=ties), PROCESSES, meter)
        counted[ties] = meter.means()
    assert set(counted["drop"]) == {"reward"}
    assert counted["half"]["loss"] >= math.log(2)
    assert "accuracy" not in counted["half"]


def test_accuracy_is_the_share_of_decided_pairs_whatever_ties_count():
    rows, trained = rankings(6, ((1, 2, 2), (1, 1, 2))), network(head=True)
    meters = {ties: Meter() for ties in ("drop", "half")}
    for ties, meter in meters.items():
        add_ranking_gradient(trained, rows, settings("reward", ties=ties), PROCESSES, meter)
    right = sum(
        bool(scored[first] > scored[second])
        for row in rows
        for scored in [plain_rewards(trained, row)]
        for first, second in permutations(range(3), 2)
        if row.ranks[first] < row.ranks[second]
    )
    assert [meter.means()["accuracy"] for meter in meters.values()] == [right / 12] * 2


def preferences(count: int, start: int):
    """Pairs of replies of which one holds the liked token, and wins."""
    generator = torch.Generator().manual_seed(start)
    found = []
    for number in range(start, start + count):
        replies = [list(draw(generator, 3, 6)) for _ in range(2)]
        replies[number % 3 == 0][number % 2] = LIKED
        ranks = (2, 1) if number % 3 == 0 else (1, 2)
        found.append(entry(number, replies, ranks))
    return found


def test_a_simple_preference_is_learned(tmp_path, model):
    trained = network(calm=True, head=True)
    rows, held_out = preferences(60, 0), preferences(40, 100)
    outcome, _, log = train(
        tmp_path, rows, held_out, model, trained, lr=1e-2, epochs=2.0, batch=10, centre=False
    )
    assert log[0]["held_out/accuracy"] < 0.8
    assert outcome.metrics["held_out/accuracy"] > 0.9
    assert outcome.metrics["held_out/pairs"] == 40
    assert outcome.metrics["held_out/nll"] < log[0]["held_out/nll"]
    assert log[-2]["accuracy"] > 0.9


def mean_reward(trained, documents) -> float:
    with torch.no_grad():
        return float(rewards(trained, lay_out(documents, trained.reach)).double().mean())


def test_demonstrations_score_nothing_on_average(tmp_path, model):
    held_out = rankings(9)[5:]
    outcome, trained, _ = train(tmp_path, rankings(5), held_out, model)
    writer = plain_writer(model)
    documents = [
        Document("a", row.document.prompt, (writer.reply(row.prompt, row.target),))
        for row in held_out
    ]
    assert mean_reward(trained, documents) == pytest.approx(0.0, abs=1e-5)
    assert outcome.metrics["bias"] == trained.head.bias.item() != 0.0


def test_nothing_can_be_centred_where_nothing_is_held_out(tmp_path, model):
    with pytest.raises(UsageError, match="nothing is held out that could score 0"):
        train(tmp_path, rankings(5), [], model)


def test_the_best_replies_stand_in_for_demonstrations(tmp_path, model):
    held_out = [entry(50 + n, [(20, 21), (30,), (40 + n,)], (3, 1, 2)) for n in range(4)]
    bare = [type(row)(row.prompt, row.document, row.texts, row.ranks, "") for row in held_out]
    _, trained, _ = train(tmp_path, rankings(5), bare, model)
    best = [Document("a", row.document.prompt, (row.document.replies[1],)) for row in bare]
    assert mean_reward(trained, best) == pytest.approx(0.0, abs=1e-5)


def test_without_centring_the_bias_is_as_it_was_learned(tmp_path, model):
    # A pair says nothing about the bias: winner and loser share it. AdamW makes a whole step of
    # what rounding leaves of that gradient, unless eps is larger.
    calm = {"lr": 1e-3, "eps": 1e-3, "schedule": "constant"}
    rows, held_out = rankings(5), rankings(9)[5:]
    outcome, trained, _ = train(tmp_path, rows, held_out, model, centre=False, optimizer=calm)
    assert "bias" not in outcome.metrics
    assert trained.head.bias.item() == pytest.approx(0.0, abs=1e-4)


def test_held_out_pairs_are_judged_as_by_hand(tmp_path, model):
    held_out = rankings(8, RANKS)
    _, _, log = train(tmp_path, rankings(5), held_out, model)
    fresh, won = network(head=True), []
    for row in held_out:
        scored = plain_rewards(fresh, row)
        for first, second in combinations(range(len(scored)), 2):
            if row.ranks[first] != row.ranks[second]:
                better = scored[first] > scored[second]
                won.append(bool(better) == (row.ranks[first] < row.ranks[second]))
    assert log[0]["held_out/pairs"] == len(won)
    assert log[0]["held_out/accuracy"] == pytest.approx(sum(won) / len(won))


def test_a_moving_average_is_what_is_measured_and_left(tmp_path, model):
    outcome, trained, log = train(tmp_path, rankings(6), rankings(8)[6:], model, ema=0.5)
    held_out = rankings(8)[6:]
    assert outcome.metrics["held_out/accuracy"] == log[-1]["held_out/accuracy"]
    losses = [prompt_loss(trained, row) for row in held_out]
    assert all(loss is not None for loss in losses)
    again, resumed, _ = train(tmp_path, rankings(6), held_out, model, ema=0.5)
    assert again == outcome
    assert torch.equal(resumed.head.bias, trained.head.bias)


def test_a_stage_stopped_anywhere_ends_as_one_left_alone(tmp_path, model):
    chosen = settings("reward", save_every=2, epochs=1.5, ema=0.6, ties="half")
    rows, held_out, writer = rankings(8), rankings(11)[8:], plain_writer(model)

    def run(place):
        trained = network(head=True)
        return train_reward(chosen, place, trained, stream(rows, held_out), writer), trained

    assert_goes_on_bit_for_bit(run, tmp_path)
