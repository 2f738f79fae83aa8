"""Agreement: published tables, other libraries, what full and no agreement give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as kappa_of_statsmodels

from bench.statistics.agreement import fleiss_kappa, krippendorff_alpha, raw_agreement
from tests.statistics.judged import panda

NONE = None
# Krippendorff 2011, section E: four observers of twelve units.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3),
    (NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE),
)
UNITS = list(zip(*OBSERVERS, strict=True))
# Wikipedia, Fleiss' kappa: how many of fourteen raters gave ten subjects each of five values.
FLEISS = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip
scales = st.sampled_from(["nominal", "ordinal", "interval", "ratio"])
tables = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(
            st.one_of(st.none(), st.integers(0, 4).map(float)), min_size=raters, max_size=raters
        ),
        min_size=2,
        max_size=12,
    )
)


def is_varied(ratings):
    """Whether units with two ratings or more hold two values or more."""
    paired = [[one for one in row if one is not None] for row in ratings]
    return len({one for row in paired if len(row) > 1 for one in row}) > 1


def ratings_of(counts):
    return [[value for value, times in enumerate(row) for _ in range(times)] for row in counts]


@pytest.mark.parametrize(
    ("scale", "alpha"),
    [
        ("nominal", 0.743421),
        ("ordinal", 0.815388),
        ("interval", 0.849107),
        ("ratio", 0.797403),
    ],
)
def test_krippendorffs_table_has_the_published_values(scale, alpha):
    found = krippendorff_alpha(UNITS, scale)
    assert found.estimate == pytest.approx(alpha, abs=5e-6)
    assert found.lo < found.estimate < found.hi <= 1 + 1e-9
    assert (found.n_items, found.method) == (11, "bootstrap")
    assert found.warnings == (
        "only 11 units: the interval may be too narrow",
        "left out, with fewer than two ratings: 1 of 12",
    )


def test_fleiss_table_has_the_published_value():
    found = fleiss_kappa(ratings_of(FLEISS))
    assert found.estimate == pytest.approx(0.209931, abs=5e-6)
    assert found.estimate == pytest.approx(kappa_of_statsmodels(np.array(FLEISS)))


@settings(max_examples=60)
@given(tables.filter(is_varied), scales)
def test_alpha_is_that_of_the_krippendorff_package(ratings, scale):
    krippendorff = pytest.importorskip("krippendorff")
    table = np.array(ratings, dtype=float).T
    expected = krippendorff.alpha(reliability_data=table, level_of_measurement=scale)
    assert krippendorff_alpha(ratings, scale, resamples=2).estimate == pytest.approx(expected)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=12).filter(
        is_varied
    )
)
def test_kappa_is_that_of_statsmodels(ratings):
    expected = kappa_of_statsmodels(aggregate_raters(np.array(ratings))[0])
    assert fleiss_kappa(ratings, resamples=2).estimate == pytest.approx(expected)


def test_pandalms_annotators_agree_as_other_libraries_say():
    krippendorff = pytest.importorskip("krippendorff")
    votes = panda()[["annotator1", "annotator2", "annotator3"]].astype(float).to_numpy()
    alpha = krippendorff.alpha(reliability_data=votes.T, level_of_measurement="nominal")
    found = krippendorff_alpha(votes.tolist())
    assert found.estimate == pytest.approx(alpha)
    assert 0.01 < found.se < 0.03
    kappa = fleiss_kappa(votes.tolist())
    assert kappa.estimate == pytest.approx(kappa_of_statsmodels(aggregate_raters(votes)[0]))
    assert (found.n_items, found.warnings) == (999, ())


@given(tables.filter(is_varied), scales, st.randoms())
@settings(max_examples=40)
def test_the_order_of_units_and_annotators_does_not_matter(ratings, scale, random):
    turned = [random.sample(row, len(row)) for row in random.sample(ratings, len(ratings))]
    found, again = (krippendorff_alpha(each, scale, resamples=20) for each in (ratings, turned))
    assert again == found


@settings(max_examples=40)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=10), st.integers(2, 5), scales)
def test_full_agreement_is_1_unless_there_was_nothing_to_disagree_about(values, raters, scale):
    ratings = [[float(value)] * raters for value in values]
    found = krippendorff_alpha(ratings, scale, resamples=50)
    if len(set(values)) > 1:
        assert found.estimate == pytest.approx(1.0)
        assert fleiss_kappa(ratings, resamples=2).estimate == pytest.approx(1.0)
    else:
        assert found.estimate is None
        assert "all ratings are equal: nothing to disagree about" in found.warnings
    assert (found.lo, found.hi) == (None, None)
    raw = raw_agreement(ratings)
    assert (raw.estimate, raw.method) == (1.0, "wilson")
    assert raw.lo < 1.0


def test_chance_is_0():
    ratings = np.random.default_rng(1).integers(0, 3, (4000, 2)).tolist()
    assert krippendorff_alpha(ratings, resamples=2).estimate == pytest.approx(0.0, abs=0.04)
    assert raw_agreement(ratings).estimate == pytest.approx(1 / 3, abs=0.03)


def test_raw_agreement_is_the_share_of_pairs_and_leaves_lone_ratings_out():
    found = raw_agreement([[1, 1, 2], [3, 3, 3], [1, 2, None], [1, None, None]])
    assert found.estimate == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert found.n_items == 3
    assert "left out, with fewer than two ratings: 1 of 4" in found.warnings


def test_skewed_margins_are_told():
    ratings = [[1, 1]] * 97 + [[1, 0], [0, 1], [0, 0]]
    assert krippendorff_alpha(ratings).warnings == (
        "98% of the ratings are 1: little is left beyond chance",
    )


@pytest.mark.parametrize(
    ("ratings", "told"),
    [
        ([[1, 2], [1]], "rows of different lengths"),
        ([], "no ratings"),
        ([[1, None], [None, 2]], "no unit has two ratings"),
    ],
)
def test_tables_without_agreement_are_refused(ratings, told):
    with pytest.raises(ValueError, match=told):
        krippendorff_alpha(ratings)


def test_ratings_that_a_statistic_does_not_allow_are_refused():
    with pytest.raises(ValueError, match="a rating of -1 on a ratio scale"):
        krippendorff_alpha([[-1, 1], [1, 1]], "ratio")
    with pytest.raises(ValueError, match="use krippendorff_alpha"):
        fleiss_kappa([[1, 1], [1, None]])


@pytest.mark.slow
def test_alpha_is_covered_as_promised():
    """Two annotators who see the truth with probability 0.8 and guess otherwise: alpha is 0.64."""
    random, hits, repeats = np.random.default_rng(1), 0, 500
    for _ in range(repeats):
        truth = random.integers(0, 3, (200, 1))
        seen = np.where(random.random((200, 2)) < 0.8, truth, random.integers(0, 3, (200, 2)))
        found = krippendorff_alpha(seen.tolist(), resamples=500)
        hits += found.lo <= 0.64 <= found.hi
    assert 0.92 <= hits / repeats <= 0.98
