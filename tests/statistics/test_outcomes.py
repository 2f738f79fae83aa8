"""Outcomes and what they explain: exact sums, when a gain is explained, rates with intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics.outcomes import explained_by, outcome_change
from bench.statistics.paired import paired_difference

units = st.floats(0, 1)
items = st.lists(st.tuples(units, units, st.booleans(), st.booleans()), min_size=2, max_size=20)
few = settings(max_examples=30)


def unzipped(rows):
    return tuple(list(column) for column in zip(*rows, strict=True))


def board(n: int, parse_gain: float, skill_gain: float, seed: int):
    """Scores and parse failures of n items: a parent that half of the time is not read.

    What is not read scores 0; the child is read more often by `parse_gain`, and of what is read
    it gets more right by `skill_gain`.
    """
    random = np.random.default_rng(seed)
    luck, read = random.random(n), random.random(n)
    parent_failed, child_failed = read > 0.5, read > 0.5 + parse_gain
    parent = np.where(parent_failed, 0.0, luck < 0.5)
    child = np.where(child_failed, 0.0, luck < 0.5 + skill_gain)
    return child.tolist(), parent.tolist(), child_failed.tolist(), parent_failed.tolist()


@few
@given(items)
def test_parts_add_up_to_the_change_of_the_score(rows):
    found = explained_by(*unzipped(rows))
    assert sum(part.estimate for part in found.parts) == pytest.approx(
        found.total.estimate, abs=1e-12
    )
    assert sum(part.n for part in found.parts) == found.total.n == len(rows)
    child, parent, _, _ = unzipped(rows)
    assert found.total.estimate == paired_difference(child, parent).estimate


@few
@given(items)
def test_parts_are_the_changes_on_their_own_items(rows):
    change = {part.name: [] for part in explained_by(*unzipped(rows)).parts}
    for child, parent, fails, failed in rows:
        name = "same" if fails == failed else "began" if fails else "ended"
        change[name].append(child - parent)
    for part in explained_by(*unzipped(rows)).parts:
        assert part.n == len(change[part.name])
        assert part.estimate == pytest.approx(sum(change[part.name]) / len(rows), abs=1e-12)
        assert (part.lo is None) == (part.n == 0)
        assert part.n == 0 or part.lo <= part.estimate <= part.hi


@few
@given(items)
def test_child_and_parent_exchanged_turn_every_part_around(rows):
    child, parent, fails, failed = unzipped(rows)
    found = explained_by(child, parent, fails, failed)
    flipped = explained_by(parent, child, failed, fails)
    ended, began, same = flipped.parts
    for part, other in zip(
        (found.total, *found.parts), (flipped.total, began, ended, same), strict=True
    ):
        assert other.estimate == pytest.approx(-part.estimate, abs=1e-12)
        assert other.n == part.n
    assert flipped.explained == found.explained


@pytest.mark.parametrize(
    ("parse_gain", "skill_gain", "explained"),
    [(0.4, 0.0, True), (-0.4, 0.0, True), (0.0, 0.4, False), (0.0, 0.0, False), (0.3, 0.4, False)],
)
def test_a_change_is_explained_where_it_lies_on_items_that_are_read_or_not(
    parse_gain, skill_gain, explained
):
    assert explained_by(*board(300, parse_gain, skill_gain, seed=1)).explained == explained


def test_one_model_read_by_a_lenient_parser_gains_on_what_was_not_read():
    # EleutherAI's pull request 2034: gsm8k, one model, 0.2017 by a strict and 0.7847 by a
    # lenient parser, here of 1,319 answers of which the strict one reads a quarter.
    strict = [1.0] * 266 + [0.0] * 1053
    lenient = [1.0] * 266 + [0.0] * 64 + [1.0] * 769 + [0.0] * 220
    unread = [False] * 330 + [True] * 989
    found = explained_by(lenient, strict, [False] * 1319, unread)
    assert found.total.estimate == pytest.approx(0.7847 - 0.2017, abs=5e-4)
    assert found.parts[0].estimate == found.total.estimate
    assert found.explained
    change = outcome_change("parse_failure", [False] * 1319, unread)
    assert change.difference.estimate == pytest.approx(-989 / 1319)


def test_items_that_do_not_change_change_nothing():
    found = explained_by([1.0, 0.0] * 20, [1.0, 0.0] * 20, [False] * 40, [False] * 40)
    assert (found.total.estimate, found.explained) == (0.0, False)


def test_rates_have_the_intervals_of_rates_and_their_difference_is_paired():
    child, parent = [True] * 3 + [False] * 57, [False] * 50 + [True] * 10
    found = outcome_change("refusal", child, parent)
    assert (found.name, found.child.estimate, found.parent.estimate) == ("refusal", 0.05, 1 / 6)
    assert (found.child.method, found.difference.method) == ("wilson", "newcombe10")
    assert found.difference.estimate == pytest.approx(-7 / 60)
    assert found.difference.p_better > 0.9  # fewer are better


def test_an_outcome_that_never_happens_leaves_doubt():
    found = outcome_change("truncation", [False] * 30, [False] * 30)
    assert found.child.hi > 0.05
    assert found.difference.lo < -0.05 < 0.05 < found.difference.hi


def test_clusters_are_counted_once():
    columns = board(60, 0.4, 0.0, seed=2)
    names = [f"passage {place // 3}" for place in range(60)]
    found = explained_by(*columns, names)
    assert (found.n_items, found.n_clusters) == (60, 20)
    change = outcome_change("parse_failure", columns[2], columns[3], names)
    assert (change.child.method, change.difference.n_clusters) == ("wilson_clustered", 20)


def test_a_scale_without_0_can_be_decomposed():
    found = explained_by(
        [5.0, 4.0, 3.0], [1.0, 4.0, 2.0], [False] * 3, [True, False, False], bounds=(1, 5)
    )
    assert [part.estimate for part in found.parts] == pytest.approx([4 / 3, 0.0, 1 / 3])


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 and 2 scores, 1 and 2 outcomes"):
        explained_by([1.0, 0.0], [1.0, 0.0], [True], [True, False])
