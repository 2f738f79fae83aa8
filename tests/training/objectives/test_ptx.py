"""Text mixed into the gradient: how much of it, which rows, and that it is gamma times SFT's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.training.networks.network import trained_parameters
from bench.training.objectives.ptx import add_ptx_gradient, drawn_before, ptx_documents
from bench.training.settings import Ptx
from bench.training.steps.gradients import add_nll_gradient
from bench.training.steps.loop import Loop
from bench.training.steps.meter import Meter
from bench.training.steps.updates import Group
from tests.training.reinforced import assert_same_gradients, gradients_of, scene, settings, site


@given(
    st.floats(0.01, 10.0), st.lists(st.integers(1, 64), min_size=1, max_size=20), st.integers(0, 9)
)
def test_updates_draw_every_row_once_and_in_order(ratio, sizes, start):
    ends = [start + sum(sizes[: place + 1]) for place in range(len(sizes))]
    firsts = [start, *ends[:-1]]
    drawn = [
        row
        for first, end in zip(firsts, ends, strict=True)
        for row in range(drawn_before(ratio, first), drawn_before(ratio, end))
    ]
    assert drawn == list(range(drawn_before(ratio, start), drawn_before(ratio, ends[-1])))
    assert len(drawn) == pytest.approx(ratio * sum(sizes), abs=1)


def test_the_gradient_is_gamma_times_that_of_sft(tmp_path):
    room, place = scene(tmp_path), site(tmp_path)
    policy = room.team.policy
    documents = ptx_documents(Ptx(data="d", ratio=2.0), room.ptx, range(3, 8))
    loop = Loop(place, settings("ppo"), [Group(trained_parameters(policy))], 1)
    meter, plain = Meter(), Meter()
    add_ptx_gradient(policy, Ptx(data="d", gamma=27.8), documents, 4096, loop, meter)
    mixed = gradients_of(policy)
    add_nll_gradient(policy, documents, 4096, place.processes, plain)
    sft = {name: 27.8 * value for name, value in gradients_of(policy).items()}
    assert len(documents) == 10
    assert_same_gradients(mixed, sft)
    assert meter.means()["ptx_loss"] == plain.means()["loss"]


def test_its_tokens_are_counted_apart_from_those_of_replies(tmp_path):
    room, place = scene(tmp_path), site(tmp_path)
    policy = room.team.policy
    documents = ptx_documents(Ptx(data="d"), room.ptx, range(4))
    loop = Loop(place, settings("ppo"), [Group(trained_parameters(policy))], 1)
    add_ptx_gradient(policy, Ptx(data="d"), documents, 4096, loop, Meter())
    assert set(loop.tokens) <= {"ptx/a", "ptx/b"}
    assert loop.tokens.total() == sum(len(document.replies[0]) for document in documents)
