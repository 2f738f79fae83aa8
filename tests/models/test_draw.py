"""Draws: in the nucleus, with its frequencies, decided by one number whatever is drawn beside."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.models.draft import drafts_of
from bench.models.draw import LIKELIEST, choose, draw
from bench.models.model import Encoded
from bench.models.naive import _choose
from bench.types import Generation

NUMBERS = st.floats(0.0, 1.0, exclude_max=True)


def plainly(logits, settings, number) -> int:
    """The definition, token by token in double precision."""
    probability = (logits.double() / settings.temperature).softmax(-1)
    if settings.top_p < 1.0:
        kept, mass = set(), 0.0
        for token in probability.argsort(descending=True).tolist():
            if mass >= settings.top_p:
                break
            kept.add(token)
            mass += float(probability[token])
        probability = torch.tensor(
            [value if token in kept else 0.0 for token, value in enumerate(probability.tolist())],
            dtype=torch.double,
        )
    reached = probability.cumsum(-1)
    return int((reached > number * reached[-1]).nonzero()[0])


@given(
    logits=st.lists(st.integers(-6, 6), min_size=2, max_size=12, unique=True),
    top_p=st.sampled_from([0.05, 0.33, 0.61, 0.9, 1.0]),
    temperature=st.floats(0.2, 3.0),
    number=NUMBERS,
)
def test_a_draw_inverts_the_distribution_of_the_nucleus(logits, top_p, temperature, number):
    settings = Generation(1, (), temperature, top_p)
    row = torch.tensor([logits]).float()
    around = {
        plainly(row[0], settings, min(max(number + off, 0.0), 1 - 1e-9)) for off in (-1e-5, 0, 1e-5)
    }
    assert draw(row, [settings], [number]).item() in around


@given(
    logits=st.lists(st.floats(-6, 6), min_size=2, max_size=12),
    top_p=st.floats(0.05, 1.0),
    temperature=st.floats(0.2, 3.0),
    number=NUMBERS,
)
def test_a_draw_is_in_the_nucleus(logits, top_p, temperature, number):
    """The smallest set of most likely tokens whose probability reaches top_p."""
    drawn = draw(torch.tensor([logits]), [Generation(1, (), temperature, top_p)], [number]).item()
    probability = (torch.tensor(logits).double() / temperature).softmax(-1)
    likelier = probability[probability > probability[drawn] + 1e-9].sum()
    assert likelier < top_p + 1e-6


@pytest.mark.parametrize(
    ("top_p", "expected"), [(1.0, [0.5, 0.3, 0.15, 0.05]), (0.7, [0.625, 0.375, 0.0, 0.0])]
)
def test_draws_have_the_frequencies_of_the_renormalised_nucleus(top_p, expected):
    temperature = 0.5
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log() * temperature
    item = Encoded((1,), generation=Generation(1, (), temperature, top_p))
    (draft,) = drafts_of([item])
    draws = torch.tensor([choose(logits.unsqueeze(0), [draft])[0] for _ in range(4000)])
    found = torch.bincount(draws, minlength=4) / 4000
    assert torch.allclose(found, torch.tensor(expected), atol=0.03)
    assert found[torch.tensor(expected) == 0.0].sum() == 0.0


@pytest.mark.parametrize("top_p", [0.3, 0.999])
def test_a_nucleus_may_hold_more_tokens_than_are_looked_at_first(top_p):
    flat = torch.zeros(2, 4 * LIKELIEST)
    flat[0] = torch.linspace(0.0, 1.0, 4 * LIKELIEST)
    settings = Generation(1, (), 1.0, top_p)
    for number in (0.0, 0.4, 0.999):
        assert draw(flat[:1], [settings], [number]).item() == pytest.approx(
            plainly(flat[0], settings, number), abs=1
        )


@given(seed=st.integers(0, 10**6), numbers=st.lists(NUMBERS, min_size=2, max_size=6))
def test_what_is_drawn_beside_does_not_matter(seed, numbers):
    made = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(numbers), 40, generator=made)
    settings = [
        Generation(1, (), 0.5 + row, (0.4, 0.8, 1.0)[row % 3]) for row in range(len(numbers))
    ]
    together = draw(logits, settings, numbers).tolist()
    alone = [
        draw(logits[row : row + 1], [settings[row]], [number]).item()
        for row, number in enumerate(numbers)
    ]
    assert together == alone


def test_a_number_that_rounds_to_one_draws_the_last_token_that_can_be_drawn():
    logits = torch.tensor([[0.0, 0.0, -torch.inf]])
    assert draw(logits, [Generation(1, temperature=1.0)], [1 - 2**-53]).tolist() == [1]


def test_greedy_and_sampled_rows_stand_side_by_side():
    settings = (Generation(1), Generation(1, temperature=1.0, top_p=0.1), Generation(1))
    drafts = drafts_of([Encoded((1,), generation=each) for each in settings])
    logits = torch.tensor([[0.0, 2.0, 1.0], [5.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    assert choose(logits, drafts) == [1, 0, 2]


def test_a_temperature_that_is_nearly_0_draws_the_likeliest():
    logits = torch.tensor([[1.0, 3.0, 2.0]])
    drawn = draw(logits, [Generation(1, temperature=1e-300)], [0.999])
    assert drawn.tolist() == [1]


@pytest.mark.parametrize("number", [0.1, 0.3, 0.6, 0.9])
def test_what_is_as_likely_as_the_last_of_the_nucleus_stays_in_both_engines(number):
    logits, settings = torch.zeros(1, 8), Generation(1, temperature=1.0, top_p=0.5)
    dice = SimpleNamespace(random=lambda: number)
    ours = draw(logits, [settings], [number]).tolist()
    assert ours == [_choose(logits[0], settings, dice)] == [int(8 * number)]
