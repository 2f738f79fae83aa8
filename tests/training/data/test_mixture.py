"""Mixtures: exact shares each epoch, every row once a pass, any draw without the ones before it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bench.errors import UsageError
from bench.training.data.data_settings import Mix
from bench.training.data.mixture import Mixture, permuted, rates, wording

SIZES = some.dictionaries(some.sampled_from("abcdef"), some.integers(1, 20), min_size=1)
MIXES = some.sampled_from([Mix(), Mix(cap=5), Mix(by="temperature"), Mix(by="equal")])
SEEDS = some.integers(0, 2**32)


@given(size=some.integers(1, 150), key=SEEDS)
def test_a_permutation_takes_each_place_once(size, key):
    assert sorted(permuted(place, size, key) for place in range(size)) == list(range(size))


@given(sizes=SIZES, mix=MIXES, seed=SEEDS, epoch=some.integers(0, 5))
def test_every_epoch_draws_each_source_exactly_by_its_quota(sizes, mix, seed, epoch):
    mixture = Mixture(sizes, mix, seed)
    assert len(mixture) == sum(sizes.values())
    epoch_of = range(epoch * len(mixture), (epoch + 1) * len(mixture))
    drawn = Counter(mixture.at(index).source for index in epoch_of)
    assert drawn == Counter(mixture.quotas)


@given(sizes=SIZES, mix=MIXES, seed=SEEDS)
def test_quotas_are_within_one_of_the_rates(sizes, mix, seed):
    mixture = Mixture(sizes, mix, seed)
    for source, rate in rates(sizes, mix).items():
        assert abs(mixture.quotas[source] - rate * len(mixture)) < 1


@given(sizes=SIZES, mix=MIXES, seed=SEEDS)
def test_no_row_is_drawn_twice_in_a_pass_over_its_source(sizes, mix, seed):
    mixture = Mixture(sizes, mix, seed)
    draws = [mixture.at(index) for index in range(3 * len(mixture))]
    assert len(set(draws)) == len(draws)
    for source, quota in mixture.quotas.items():
        turns = Counter(draw.turn for draw in draws if draw.source == source)
        whole, rest = divmod(3 * quota, sizes[source])
        expected = dict.fromkeys(range(whole), sizes[source]) | ({whole: rest} if rest else {})
        assert turns == expected


def test_a_proportional_epoch_is_every_row_of_every_source_once():
    mixture = Mixture({"a": 30, "b": 7}, Mix(), seed=4)
    rows = {(draw.source, draw.row) for draw in map(mixture.at, range(37))}
    assert rows == {("a", row) for row in range(30)} | {("b", row) for row in range(7)}


@given(sizes=SIZES, mix=MIXES, seed=SEEDS, index=some.integers(0, 10**12))
def test_seeking_far_gives_what_another_mixture_of_the_same_seed_gives(sizes, mix, seed, index):
    draw = Mixture(sizes, mix, seed).at(index)
    assert draw == Mixture(dict(sizes), mix, seed).at(index)
    assert 0 <= draw.row < sizes[draw.source]


def test_another_seed_and_another_epoch_are_another_order():
    orders = [
        [Mixture({"a": 50, "b": 50}, Mix(), seed).at(index + start) for index in range(100)]
        for seed, start in [(0, 0), (1, 0), (0, 100)]
    ]
    places = [tuple((draw.source, draw.row) for draw in order) for order in orders]
    assert len(set(places)) == 3
    assert len({frozenset(order) for order in places}) == 1


# by: (settings, rates of 1000, 10 and 90 rows)
RATES = {
    "proportional": (Mix(cap=10_000), (1000 / 1100, 10 / 1100, 90 / 1100)),
    "capped": (Mix(cap=100), (100 / 200, 10 / 200, 90 / 200)),
    "temperature 1": (Mix(by="temperature", temperature=1.0), (1000 / 1100, 10 / 1100, 90 / 1100)),
    "temperature 2": (Mix(by="temperature"), (0.714286, 0.071429, 0.214286)),
    "equal": (Mix(by="equal"), (1 / 3, 1 / 3, 1 / 3)),
    "explicit": (Mix(by="explicit", weights={"a": 1, "b": 3, "c": 0}), (0.25, 0.75, 0.0)),
}


@pytest.mark.parametrize(("mix", "expected"), RATES.values(), ids=RATES)
def test_rates_by_each_rule(mix, expected):
    found = rates({"a": 1000, "b": 10, "c": 90}, mix)
    assert tuple(found.values()) == pytest.approx(expected, abs=1e-5)


def test_a_source_of_no_weight_is_never_drawn():
    mix = Mix(by="explicit", weights={"a": 0, "b": 1})
    mixture = Mixture({"a": 60, "b": 3}, mix, seed=0)
    assert {mixture.at(index).source for index in range(200)} == {"b"}


def test_a_source_without_rows_is_left_out_of_equal_shares():
    assert rates({"a": 0, "b": 5, "c": 50}, Mix(by="equal")) == {"a": 0.0, "b": 0.5, "c": 0.5}


def test_the_remainder_goes_where_it_is_largest():
    mix = Mix(by="explicit", weights={"a": 0.5, "b": 0.26, "c": 0.24})
    assert Mixture({"a": 4, "b": 2, "c": 1}, mix, 0).quotas == {"a": 3, "b": 2, "c": 2}


EMPTY = {
    "no source": ({}, Mix(), "the mixture is empty"),
    "no row": ({"a": 0}, Mix(), "the mixture is empty"),
    "no weight": ({"a": 3}, Mix(by="explicit", weights={"a": 0}), "the mixture is empty"),
    "weight missing": ({"a": 3, "b": 3}, Mix(by="explicit", weights={"a": 1}), "no weight for b"),
    "weight of nothing": (
        {"a": 3, "b": 0},
        Mix(by="explicit", weights={"a": 1, "b": 1}),
        "mix.weights draws from b, which has no rows",
    ),
    "hardly any weight": (
        {"a": 30, "b": 3},
        Mix(by="explicit", weights={"a": 99, "b": 1}),
        "the share of b is 0.01, less than one of the 33 draws of an epoch",
    ),
}


@pytest.mark.parametrize(("sizes", "mix", "cause"), EMPTY.values(), ids=EMPTY)
def test_a_mixture_that_cannot_be_drawn_from_is_refused(sizes, mix, cause):
    with pytest.raises(UsageError) as caught:
        Mixture(sizes, mix, 0)
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_every_wording_is_shown_and_the_same_draw_shows_the_same():
    mixture = Mixture({"a": 40}, Mix(), seed=0)
    draws = [mixture.at(index) for index in range(120)]
    shown = [wording(draw, ("own", "short", "bare"), 0) for draw in draws]
    assert shown == [wording(draw, ("own", "short", "bare"), 0) for draw in draws]
    assert min(Counter(shown).values()) > 20
    assert len(Counter(shown)) == 3
