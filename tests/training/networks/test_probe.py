"""The probe: which families may be packed is found out by trying."""

import pytest
import torch

from bench.models.reach import UNBOUNDED
from bench.training.networks.probe import packing_reach
from tests.models import tiny


@pytest.mark.parametrize("family", tiny.PACKED)
def test_families_that_follow_mask_and_positions_are_packed_at_any_length(family):
    assert packing_reach(tiny.build(family)) == UNBOUNDED


@pytest.mark.parametrize("family", tiny.WINDOWED)
def test_families_with_a_window_are_packed_within_it(family):
    assert packing_reach(tiny.build(family)) == 40


@pytest.mark.parametrize("family", tiny.UNPACKED)
def test_families_that_read_packed_rows_otherwise_are_not_packed(family):
    assert packing_reach(tiny.build(family)) == 0


def test_the_probe_leaves_no_gradient_and_draws_nothing_random():
    model = tiny.build("llama")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    packing_reach(model)
    assert torch.equal(torch.rand(1), expected)
    assert all(parameter.grad is None for parameter in model.parameters())
