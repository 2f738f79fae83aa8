"""Direct preference optimisation: its loss by hand, what it learns, its cache, how it resumes."""

import math
from dataclasses import replace
from itertools import permutations

import pytest
import torch
import torch.nn.functional as F

from bench.training.data.encode import Entry
from bench.training.networks.network import without_adapter
from bench.training.objectives.dpo import CACHE, Reference, add_dpo_gradient, content_key, train_dpo
from bench.training.objectives.sampling import sample
from bench.training.ranking.rank import dense_ranks
from bench.training.settings import Lora
from bench.training.steps.meter import Meter
from bench.training.steps.processes import Processes
from bench.training.steps.state import WORK, load_state
from bench.types import Generation
from tests.training.reinforced import (
    Scene,
    assert_better,
    held_out_rewards,
    scene,
    share_of_even,
)
from tests.training.values import (
    CPU,
    assert_goes_on_bit_for_bit,
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
RANKS = ((1, 2, 3, 4), (2, 1), (1, 2, 2), (1, 1), (1,))
ROWS = rankings(6)


def moved(seed: int = 1):
    """A policy that is not its reference."""
    found, generator = network(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in found.model.parameters():
            weight.add_(0.01 * torch.randn(weight.shape, generator=generator))
    return found


def train(folder, rows=ROWS, held_out=(), trained=None, inputs="same", **changes):
    """Returns (outcome, network, log)."""
    trained = trained or network()
    reference = without_adapter(trained)
    place, chosen = site(folder, inputs=inputs), settings("dpo", **changes)
    outcome = train_dpo(chosen, place, trained, reference, stream(rows, held_out))
    return outcome, trained, log_of(folder)


def learned(folder, rows, policy, **changes):
    """The metrics of one update's gradient, which stays in `policy`."""
    chosen, meter = settings("dpo", **changes), Meter()
    cache = Reference(network(), site(folder), chosen.micro_tokens)
    cache.learn([row.document for row in rows])
    add_dpo_gradient(policy, cache, rows, chosen, PROCESSES, meter)
    return meter.means()


def plain_logprobs(trained, row, mean: bool) -> list[torch.Tensor]:
    """The log-probability of each reply from one plain forward: its sum, or its mean."""
    found = []
    for reply in row.document.replies:
        ids = torch.tensor([[*row.document.prompt, *reply]])
        logprobs = trained.model(ids).logits[0, :-1].log_softmax(-1)
        chosen = logprobs.gather(1, ids[0, 1:, None])[len(row.document.prompt) - 1 :]
        found.append(chosen.mean() if mean else chosen.sum())
    return found


def by_hand(policy, rows, kind, beta, smoothing=0.0) -> torch.Tensor:
    """The mean over prompts with a decided pair of the mean over its pairs."""

    def loss(margin):
        if kind == "ipo":
            return (margin - 1 / (2 * beta)) ** 2
        return -F.logsigmoid(beta * margin)

    prompts, reference = [], network()
    for row in rows:
        new = plain_logprobs(policy, row, kind == "ipo")
        old = [value.detach() for value in plain_logprobs(reference, row, kind == "ipo")]
        margins = [
            (new[won] - old[won]) - (new[lost] - old[lost])
            for won, lost in permutations(range(len(new)), 2)
            if row.ranks[won] < row.ranks[lost]
        ]
        pairs = [(1 - smoothing) * loss(m) + smoothing * loss(-m) for m in margins]
        prompts += [sum(pairs) / len(pairs)] if pairs else []
    return sum(prompts) / len(prompts)


@pytest.mark.parametrize("micro_tokens", [1, 60, 4096])
@pytest.mark.parametrize(("kind", "smoothing"), [("sigmoid", 0.0), ("sigmoid", 0.2), ("ipo", 0.0)])
def test_loss_and_gradient_are_those_of_plain_forwards(tmp_path, kind, smoothing, micro_tokens):
    rows, ours, theirs = rankings(5, RANKS), moved(), moved()
    changes = {"loss": kind, "beta": 0.3, "label_smoothing": smoothing}
    told = learned(tmp_path, rows, ours, micro_tokens=micro_tokens, **changes)
    expected = by_hand(theirs, rows, kind, 0.3, smoothing)
    expected.backward()
    assert told["loss"] == pytest.approx(float(expected.detach()), rel=1e-4)
    found = gradients(ours)
    for name, gradient in gradients(theirs).items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-4)


def test_a_prompt_read_once_gives_what_a_row_for_each_reply_gives(tmp_path):
    rows, packed, padded = rankings(5, RANKS), moved(), moved()
    padded = replace(padded, reach=0)  # no document may be packed
    found = learned(tmp_path / "packed", rows, packed)
    expected = learned(tmp_path / "padded", rows, padded)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    once, apart = gradients(packed), gradients(padded)
    for name, gradient in apart.items():
        torch.testing.assert_close(once[name], gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("kind", "start"), [("sigmoid", math.log(2)), ("ipo", 25.0)])
def test_a_policy_that_is_its_reference_has_the_loss_of_no_margin(tmp_path, kind, start):
    _, _, log = train(tmp_path, held_out=rankings(8)[6:], loss=kind)
    assert log[0]["held_out/loss"] == pytest.approx(start, rel=1e-4)
    assert log[1]["loss"] == pytest.approx(start, rel=1e-4)
    assert log[1]["margin"] == pytest.approx(0.0, abs=1e-4)


def ranked(room: Scene, draws: int = 16) -> list[Entry]:
    """The prompts of `room`, each with replies of its policy ranked by their shares of even ids."""
    found = []
    for (row,) in (row for rows in room.prompts.material.rows.values() for row in rows):
        asked = [row.document.prompt] * draws
        how, team = Generation(6, temperature=1.0), room.team
        drawn = sample(team.policy, team.writer, asked, list(range(draws)), how, 4096)
        replies = list(dict.fromkeys(reply.ids for reply in drawn))
        ranks = dense_ranks([share_of_even(reply) for reply in replies], tie=0.0)
        document = replace(row.document, replies=tuple(replies))
        found.append(Entry(row.prompt, document, tuple(map(str, replies)), ranks))
    return found


@pytest.mark.parametrize("kind", ["sigmoid", "ipo"])
def test_replies_to_prompts_it_has_not_seen_come_to_be_those_that_are_preferred(tmp_path, kind):
    room = scene(tmp_path / "model")
    rows, before = ranked(room), held_out_rewards(room)
    chosen = settings("dpo", loss=kind, lr=1e-2, epochs=6.0, batch=4)
    place, team = site(tmp_path), room.team
    train_dpo(chosen, place, team.policy, team.reference, stream(rows))
    assert_better(held_out_rewards(room), before, by=0.1)


def test_metrics_are_told_for_each_source(tmp_path):
    told = learned(tmp_path, ROWS, moved())
    parts = [told["accuracy/a"], told["accuracy/b"]]
    assert min(parts) <= told["accuracy"] <= max(parts)
    assert told["margin"] == pytest.approx(told["reward_chosen"] - told["reward_rejected"])


def forwards_of(reference) -> list[int]:
    """Grows by the number of rows each time that `reference` computes."""
    found: list[int] = []
    reference.model.register_forward_hook(
        lambda module, inputs, output: found.append(1), always_call=True
    )
    return found


def test_the_reference_is_asked_once_for_each_document(tmp_path):
    reference, place = network(), site(tmp_path)
    asked = forwards_of(reference)
    documents = [row.document for row in ROWS]
    first = Reference(reference, place, 4096)
    first.learn(documents)
    sums, forwards = first.sums(documents), len(asked)
    first.learn(documents[2:])
    second = Reference(reference, place, 4096)
    second.learn(documents[::-1])
    assert forwards > 0
    assert len(asked) == forwards
    assert torch.equal(second.sums(documents), sums)


def test_what_is_kept_is_found_by_content_not_by_source(tmp_path):
    one, other = ROWS[0].document, ROWS[1].document
    renamed = type(one)("another", one.prompt, one.replies)
    assert content_key(renamed) == content_key(one) != content_key(other)


def test_only_new_documents_are_computed(tmp_path):
    reference, place = network(), site(tmp_path)
    Reference(reference, place, 4096).learn([ROWS[0].document])
    asked = forwards_of(reference)
    cache = Reference(reference, place, 1)
    cache.learn([row.document for row in ROWS[:3]])
    assert len(asked) == 2


def test_a_second_run_of_the_stage_computes_no_reference(tmp_path):
    train(tmp_path)
    trained = network()
    reference = without_adapter(trained)
    asked = forwards_of(reference)
    train_dpo(settings("dpo"), site(tmp_path), trained, reference, stream(ROWS))
    assert not asked


def test_the_cache_of_another_reference_is_not_used(tmp_path):
    train(tmp_path, inputs="same")
    other = moved()
    train(tmp_path, trained=other, inputs="other")
    found = load_state(tmp_path / WORK / CACHE)
    assert found.facts == {"inputs": "other"}
    row = ROWS[0]
    expected = torch.stack(plain_logprobs(moved(), row, mean=False)).detach()
    kept = found.tensors[content_key(row.document)]
    torch.testing.assert_close(kept, expected, rtol=1e-4, atol=1e-4)


def test_the_reference_of_an_adapter_is_the_model_without_it(tmp_path):
    trained = network(lora=Lora(rank=4))
    _, _, log = train(tmp_path, trained=trained, lr=1e-2, epochs=3.0)
    assert log[1]["loss"] == pytest.approx(math.log(2), rel=1e-4)
    assert log[-2]["loss"] < 0.5


def test_an_update_without_a_decided_pair_moves_nothing(tmp_path):
    trained = network()
    before = weights(trained)
    _, _, log = train(tmp_path, rankings(3, ((1, 1), (1,))), trained=trained, max_loss=1.0)
    assert "loss" not in log[1]
    assert all(torch.equal(value, before[name]) for name, value in weights(trained).items())


def test_undecided_prompts_do_not_weaken_the_others(tmp_path):
    decided, tied = rankings(2, ((1, 2), (2, 1))), entry(9, [(20, 21), (22,)], (1, 1))
    alone = learned(tmp_path / "a", decided, moved())
    beside = learned(tmp_path / "b", [*decided, tied], moved())
    assert beside["loss"] == pytest.approx(alone["loss"], rel=1e-4)


@pytest.mark.parametrize("changes", [{"loss": "ipo", "ema": 0.6}, {"lora": {"rank": 2}}], ids=str)
def test_a_stage_stopped_anywhere_ends_as_one_left_alone(tmp_path, changes):
    chosen = settings("dpo", save_every=2, epochs=1.5, **changes)
    rows, held_out = rankings(8), rankings(10)[8:]

    def run(place):
        trained = network(lora=chosen.lora)
        reference = without_adapter(trained)
        return train_dpo(chosen, place, trained, reference, stream(rows, held_out)), trained

    assert_goes_on_bit_for_bit(run, tmp_path)
