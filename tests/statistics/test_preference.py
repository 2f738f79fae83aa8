"""The Bradley-Terry family: reference values, other libraries, symmetry, what has no fit."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bench.statistics.judgments import Judgments, checked, design
from bench.statistics.preference import preference, theta_difference
from bench.statistics.ranks import rank_sets
from bench.statistics.winrate import win_rate
from tests.statistics.judged import NAMES, TABLE, drawn, judgments_of, panda_judgments

ties_models = st.sampled_from(["half", "davidson", "rao_kupper", "decisive"])
seeds = st.integers(0, 2**32 - 1)
CANCELLED = "clusters cancel out or are too few: in part errors of independent judgments"


def errors(covariance):
    return np.sqrt(np.diag(covariance))


@pytest.mark.parametrize(
    ("ties", "theta", "tie", "equal"),
    [
        ("half", (0, 1.5534, 2.1588, 2.2323), None, None),
        ("davidson", (0, 1.8775, 2.5981, 2.6856), 0.3525, 0.1499),
        ("rao_kupper", (0, 1.5785, 2.1977, 2.2638), 1.4139, 0.4139 / 2.4139),
        ("decisive", (0, 1.8070, 2.5311, 2.6322), None, None),
    ],
)
def test_ratings_have_the_reference_values(ties, theta, tie, equal):
    found = preference(judgments_of(TABLE), ties=ties)
    assert found.theta == pytest.approx(theta, abs=5e-4)
    if tie is None:
        assert (found.tie_parameter, found.tie_if_equal) == (None, None)
    else:
        assert found.tie_parameter == pytest.approx(tie, abs=5e-4)
        assert found.tie_if_equal.estimate == pytest.approx(equal, abs=5e-4)


def test_errors_and_elo_have_the_reference_values():
    found = preference(judgments_of(TABLE))
    assert errors(found.model_covariance) == pytest.approx((0, 0.1914, 0.2010, 0.2024), abs=5e-4)
    assert errors(found.covariance) == pytest.approx((0, 0.1734, 0.1849, 0.1836), abs=5e-4)
    ratings = [row.estimate for row in found.ratings]
    assert ratings == pytest.approx((741.8, 1011.7, 1116.9, 1129.6), abs=0.05)
    assert (found.n_items, found.n_clusters, found.anchor) == (600, 600, "base")


@pytest.mark.parametrize(
    ("ties", "difference", "by_model", "by_clusters"),
    [("half", 0.0735, 0.1566, 0.1424), ("davidson", 0.0875, 0.1708, None)],
)
def test_the_difference_of_two_models_has_the_reference_values(
    ties, difference, by_model, by_clusters
):
    found = preference(judgments_of(TABLE), ties=ties)
    row = theta_difference(found, "ptx", "ppo")
    contrast = np.array([0, 0, -1, 1])
    assert row.estimate == pytest.approx(difference, abs=5e-4)
    assert contrast @ found.model_covariance @ contrast == pytest.approx(by_model**2, abs=2e-4)
    if by_clusters is not None:
        assert row.se == pytest.approx(by_clusters, abs=5e-4)
    assert row.lo < 0 < row.hi


def test_rank_sets_of_the_ratings_have_the_reference_values():
    found = preference(judgments_of(TABLE))
    ranked = rank_sets(found.theta, found.covariance)
    assert [(rank.best, rank.worst) for rank in ranked.ranks] == [(4, 4), (3, 3), (1, 2), (1, 2)]
    assert ranked.critical == pytest.approx(2.55, abs=0.02)
    assert ranked.ranks[3].p_best == pytest.approx(0.70, abs=0.005)


def test_decisive_ratings_are_choix():
    choix = pytest.importorskip("choix")
    random = np.random.default_rng(1)
    judged = replace(drawn(random, [0.0, 0.5, 1.0, 1.2], 400), covariates={})
    found = preference(judged, ties="decisive")
    rows = zip(judged.first, judged.second, judged.outcomes, strict=True)
    wins = [(i, j) if won else (j, i) for i, j, won in rows if won != 0.5]
    expected = choix.opt_pairwise(4, wins, alpha=1e-9, tol=1e-9)
    assert found.theta == pytest.approx(expected - expected[0], abs=1e-4)


@pytest.mark.parametrize("two_way", [False, True])
def test_half_ties_are_a_clustered_binomial_regression(two_way):
    judged = drawn(np.random.default_rng(2), [0.0, 0.4, 1.0, -0.5], 900, annotators=25, slot=0.3)
    judged = judged if two_way else replace(judged, annotators=None)
    found = check_against_regression(judged, anchor=1, two_way=two_way)
    assert found.n_clusters == (25 if two_way else len(set(judged.prompts)))


def test_ratings_of_pandalms_annotators_are_a_clustered_binomial_regression():
    judged = panda_judgments()
    found = check_against_regression(judged, anchor=0, two_way=True)
    assert (found.n_items, found.n_clusters) == (2997, 3)
    assert found.covariates["length"].estimate > 1  # people prefer the longer answer
    assert found.warnings[0] == "only 3 annotators: the interval may be too narrow"


def check_against_regression(judged, anchor, two_way):
    """The same as statsmodels' GLM, but for its (n - 1) / (n - p)."""
    found = preference(judged, anchor=anchor)
    columns, outcomes = design(checked(judged, "half"), anchor), np.array(judged.outcomes)
    groups = np.unique(judged.prompts, return_inverse=True)[1]
    if two_way:
        groups = np.stack([groups, np.unique(judged.annotators, return_inverse=True)[1]], axis=1)
    fitted = sm.GLM(outcomes, columns, family=sm.families.Binomial())
    fitted = fitted.fit(cov_type="cluster", cov_kwds={"groups": groups}, tol=1e-12)
    n, p = columns.shape
    others = [at for at in range(len(judged.names)) if at != anchor]
    assert found.theta[others] == pytest.approx(fitted.params[: len(others)], abs=1e-6)
    covariance = fitted.cov_params()[: len(others), : len(others)] * (n - p) / (n - 1)
    assert found.covariance[np.ix_(others, others)] == pytest.approx(covariance, abs=1e-8)
    (covariate,) = found.covariates.values()
    assert covariate.estimate == pytest.approx(fitted.params[-1], abs=1e-6)
    assert covariate.se == pytest.approx(fitted.bse[-1] * np.sqrt((n - p) / (n - 1)), abs=1e-6)
    return found


@pytest.mark.parametrize("ties", ["davidson", "rao_kupper"])
def test_models_with_ties_are_at_the_largest_likelihood_of_the_papers(ties):
    judged = drawn(np.random.default_rng(3), [0.0, 0.7, -0.4], 300, slot=0.2)
    columns, outcomes = design(checked(judged, ties), 0), np.array(judged.outcomes)

    def surprise(place):
        odds, tie = np.exp(columns @ place[:-1]), np.exp(place[-1])
        if ties == "davidson":
            total = odds + 1 + tie * np.sqrt(odds)
            win, loss = odds / total, 1 / total
        else:
            tie += 1
            win, loss = odds / (odds + tie), 1 / (1 + tie * odds)
        chances = np.where(outcomes == 1, win, np.where(outcomes == 0, loss, 1 - win - loss))
        return -np.log(chances).sum()

    expected = minimize(surprise, np.array([0.1, 0.1, 0.1, -1.0]), tol=1e-10)
    found = preference(judged, ties=ties)
    assert found.theta[1:] == pytest.approx(expected.x[:2], abs=1e-4)
    assert found.covariates["slot"].estimate == pytest.approx(expected.x[2], abs=1e-4)
    tie = np.exp(expected.x[-1]) + (ties == "rao_kupper")
    assert found.tie_parameter == pytest.approx(tie, abs=1e-4)


@settings(max_examples=30)
@given(st.integers(5, 40), st.integers(0, 20), st.integers(5, 40))
def test_of_two_models_the_rating_is_the_win_rate(wins, ties, losses):
    found = preference(judgments_of({(1, 0): (wins, ties, losses)}, ("sft", "ppo")))
    row = found.win_rates[1]
    expected = win_rate([1.0] * wins + [0.5] * ties + [0.0] * losses).win_rate
    assert (row.estimate, row.se) == pytest.approx((expected.estimate, expected.se))
    assert (row.lo, row.hi) == pytest.approx((expected.lo, expected.hi))
    assert row.method == expected.method == "logit_t"
    davidson = preference(
        judgments_of({(1, 0): (wins, ties + 1, losses)}, ("sft", "ppo")), ties="davidson"
    )
    share = (wins + (ties + 1) / 2) / (wins + ties + losses + 1)
    assert davidson.win_rates[1].estimate == pytest.approx(share)


@settings(max_examples=25)
@given(ties_models, seeds)
def test_swapping_the_sides_of_judgments_changes_nothing(ties, seed):
    random = np.random.default_rng(seed)
    judged = drawn(random, [0.0, 0.5, 1.0], 120, slot=0.2)
    turned = random.random(120) < 0.5
    first, second = np.array(judged.first), np.array(judged.second)
    outcomes = np.array(judged.outcomes)
    swapped = replace(
        judged,
        first=np.where(turned, second, first).tolist(),
        second=np.where(turned, first, second).tolist(),
        outcomes=np.where(turned, 1 - outcomes, outcomes).tolist(),
        covariates={"slot": np.where(turned, -1.0, 1.0).tolist()},
    )
    assert_same(preference(judged, ties=ties), preference(swapped, ties=ties))


@settings(max_examples=25)
@given(ties_models, seeds)
def test_the_order_of_judgments_and_the_names_of_clusters_do_not_matter(ties, seed):
    random = np.random.default_rng(seed)
    judged = drawn(random, [0.0, 0.5, 1.0], 120)
    order = random.permutation(120)
    turned = replace(
        judged,
        first=[judged.first[at] for at in order],
        second=[judged.second[at] for at in order],
        outcomes=[judged.outcomes[at] for at in order],
        prompts=[f"!{judged.prompts[at]}" for at in order],
        annotators=[f"!{judged.annotators[at]}" for at in order],
    )
    assert_same(preference(judged, ties=ties), preference(turned, ties=ties))


def assert_same(found, again):
    assert again.theta == pytest.approx(found.theta, abs=1e-7)
    assert again.covariance == pytest.approx(found.covariance, abs=1e-7)
    for one, other in zip(found.covariates.values(), again.covariates.values(), strict=True):
        assert (other.estimate, other.se) == pytest.approx((one.estimate, one.se), abs=1e-7)


@settings(max_examples=25)
@given(ties_models, seeds, st.integers(0, 2))
def test_another_anchor_shifts_ratings_and_keeps_their_differences(ties, seed, anchor):
    judged = drawn(np.random.default_rng(seed), [0.0, 0.5, 1.0], 120)
    found, moved = preference(judged, 0, ties), preference(judged, anchor, ties)
    assert moved.theta == pytest.approx(found.theta - found.theta[anchor], abs=1e-7)
    for one, other in (("m0", "m1"), ("m2", "m1")):
        here, there = (theta_difference(each, one, other) for each in (found, moved))
        assert (there.estimate, there.se) == pytest.approx((here.estimate, here.se), abs=1e-6)
    before, after = ([row.estimate for row in each.ratings] for each in (found, moved))
    assert after == pytest.approx(before, abs=1e-4)
    assert sum(before) / 3 == pytest.approx(1000)
    assert moved.win_rates[anchor].method == "definition"


@settings(max_examples=25)
@given(
    st.sampled_from(["half", "decisive"]),
    seeds,
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)).filter(sum),
)
def test_a_model_that_never_meets_a_or_b_leaves_their_comparison_alone(ties, seed, counts):
    """Nor where it always wins and takes a prior. (A tie parameter would be shared by all.)"""
    assume(ties == "half" or counts[0] + counts[2] > 0)
    random = np.random.default_rng(seed)
    judged = replace(
        drawn(random, [0.0, 0.5, 1.0], 150), covariates={}, annotators=None, prompts=None
    )
    more = judgments_of({(3, 2): counts})
    joined = Judgments(
        NAMES,
        [*judged.first, *more.first],
        [*judged.second, *more.second],
        [*judged.outcomes, *more.outcomes],
    )
    found, beside = preference(judged, ties=ties), preference(joined, ties=ties)
    assert beside.theta[:3] == pytest.approx(found.theta, abs=1e-6)
    before = theta_difference(found, "m0", "m1")
    after = theta_difference(beside, "base", "sft")
    assert (after.estimate, after.se) == pytest.approx((before.estimate, before.se), rel=0.02)


@pytest.mark.parametrize("ties", ["half", "davidson", "rao_kupper", "decisive"])
@pytest.mark.parametrize("wins", [10, 100])
def test_a_model_that_never_lost_gets_half_a_win_and_half_a_loss_and_a_warning(ties, wins):
    table = {(0, 1): (10, 4, 20), (1, 2): (0, 0, wins)}
    found = preference(judgments_of(table, ("base", "sft", "ppo")), ties=ties)
    assert "never lost to the rest: {ppo}; prior of half a win and half a loss" in found.warnings
    row = theta_difference(found, "ppo", "sft")
    if ties in ("half", "decisive"):
        assert row.estimate == pytest.approx(np.log((wins + 0.5) / 0.5))
        # About the lower bound of Wilson's interval of as many wins.
        least = {10: 0.722, 100: 0.963}[wins]
        assert 1 / (1 + np.exp(-row.lo)) == pytest.approx(least, abs=0.02)
    assert row.se > 0.9
    assert row.n_items == 34 + wins - (4 if ties == "decisive" else 0)


def test_ties_alone_do_not_bound_a_model_that_never_lost():
    counts = {(0, 1): (0, 10, 10)}
    found = preference(judgments_of(counts, ("sft", "ppo")), ties="davidson")
    assert found.warnings == ("never lost to the rest: {ppo}; prior of half a win and half a loss",)
    assert preference(judgments_of(counts, ("sft", "ppo"))).warnings == ()


def test_pools_that_never_met_are_named():
    judged = judgments_of({(0, 1): (5, 0, 5), (2, 3): (5, 0, 5)})
    with pytest.raises(
        ValueError, match=r"not linked by judgments: \{base, sft\} and \{ppo, ptx\}"
    ):
        preference(judged)
    tied = judgments_of({(0, 1): (5, 0, 5), (1, 2): (0, 3, 0), (2, 3): (5, 0, 5)})
    assert preference(tied).theta[2] == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError, match=r"once ties are left out: \{base, sft\} and \{ppo, ptx\}"):
        preference(tied, ties="decisive")


def test_a_cycle_is_told_with_its_closest_pair():
    table = {(0, 1): (30, 0, 20), (1, 2): (26, 3, 24), (2, 0): (35, 0, 15)}
    found = preference(judgments_of(table, ("base", "sft", "ppo")))
    assert found.warnings == ("a cycle: base > sft > ppo > base (its closest pair 26 : 24)",)
    assert found.cycles[0].models == (0, 1, 2)


def test_models_judged_too_rarely_are_told():
    table = {(0, 1): (20, 5, 20), (1, 2): (4, 1, 4)}
    found = preference(judgments_of(table, ("base", "sft", "ppo")))
    assert found.warnings == ("only 9 judgments of ppo",)
    assert [row.warnings for row in found.win_rates] == [(), (), ("only 9 judgments of ppo",)]
    assert [row.n_items for row in found.win_rates] == [45, 54, 9]


@pytest.mark.parametrize("ties", ["davidson", "rao_kupper"])
def test_without_ties_there_is_no_tie_parameter(ties):
    judged = judgments_of({(0, 1): (20, 0, 30)}, ("sft", "ppo"))
    found = preference(judged, ties=ties)
    assert found.warnings == ("no ties: no tie parameter",)
    assert found.theta[1] == pytest.approx(np.log(1.5))
    assert found.tie_parameter is None


def test_ties_alone_say_that_models_are_equal_with_doubt():
    judged = judgments_of({(0, 1): (0, 30, 0)}, ("sft", "ppo"))
    found = preference(judged)
    assert found.theta.tolist() == [0.0, 0.0]
    assert found.win_rates[1].hi - found.win_rates[1].lo > 0.3
    assert found.warnings == (CANCELLED,)
    assert found.covariance == pytest.approx(found.model_covariance)
    with pytest.raises(ValueError, match="all judgments are ties"):
        preference(judged, ties="davidson")


def test_a_model_that_only_tied_is_as_uncertain_as_its_judgments_are_few():
    found = preference(judgments_of({(0, 1): (20, 5, 30), (1, 2): (0, 25, 0)}, NAMES[:3]))
    without = preference(judgments_of({(0, 1): (20, 5, 30)}, ("base", "sft")))
    row = theta_difference(found, "ppo", "sft")
    assert row.estimate == pytest.approx(0.0, abs=1e-9)
    assert row.se == pytest.approx(2 / np.sqrt(25))
    assert found.warnings == (CANCELLED,)
    assert found.covariance[1, 1] == pytest.approx(without.covariance[1, 1], rel=0.01)


def test_swaps_that_a_judge_answers_by_slot_leave_the_models_apart_by_chance_only():
    """Each pair is shown in both orders and the first slot wins: every prompt sums to nothing."""
    judged = Judgments(
        ["sft", "ppo"],
        [0, 1] * 40,
        [1, 0] * 40,
        [1.0] * 80,
        prompts=[str(at // 2) for at in range(80)],
    )
    row = theta_difference(preference(judged), "ppo", "sft")
    assert row.estimate == pytest.approx(0.0, abs=1e-9)
    assert row.se == pytest.approx(2 / np.sqrt(80))


def test_weights_count_as_copies_do():
    judged = judgments_of({(0, 1): (6, 2, 9)}, ("sft", "ppo"))
    names = [str(at) for at in range(17)]
    twice = replace(
        judged,
        first=judged.first * 2,
        second=judged.second * 2,
        outcomes=judged.outcomes * 2,
        prompts=names * 2,
    )
    weighted = replace(judged, weights=[2.0] * 17, prompts=names)
    found, again = preference(twice), preference(weighted)
    assert again.theta == pytest.approx(found.theta)
    assert again.covariance == pytest.approx(found.covariance)
    assert again.model_covariance == pytest.approx(found.model_covariance)


def test_judgments_of_the_same_prompt_count_once():
    judged = judgments_of({(0, 1): (6, 2, 9)}, ("sft", "ppo"))
    names = [str(at) for at in range(17)]
    copied = replace(
        judged,
        first=judged.first * 5,
        second=judged.second * 5,
        outcomes=judged.outcomes * 5,
        prompts=names * 5,
    )
    assert preference(copied).covariance == pytest.approx(preference(judged).covariance)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"covariates": {"same": [1.0] * 20}}, "already tell: same"),
        ({"covariates": {"fate": [1.0] * 10 + [-1.0] * 10}}, "without fail: fate"),
        ({"covariates": {"slot": [float("nan")] * 20}}, "slot of judgment 0 is nan"),
        ({"outcomes": [0.7] + [0.0] * 19}, "outcome of judgment 0 is 0.7, expected 1, 0.5 or 0"),
        ({"weights": [0.0] * 20}, "weight of judgment 0 is 0.0"),
        ({"first": [2] * 20}, "model of judgment 0 is 2, expected 0 to 1"),
        ({"second": [0] * 20}, "expected another than the first"),
        ({"prompts": ["a"] * 20}, "one prompt"),
        ({"prompts": ["a", "b"]}, "20 outcomes, but columns of"),
        ({"names": ["sft", "sft"]}, "two models of one name"),
        ({"outcomes": [], "first": [], "second": []}, "no judgments"),
    ],
)
def test_what_cannot_be_fitted_is_refused(changed, told):
    judged = judgments_of({(0, 1): (10, 0, 10)}, ("sft", "ppo"))
    with pytest.raises(ValueError, match=told):
        preference(replace(judged, **changed))


def test_an_unknown_anchor_or_name_is_refused():
    judged = judgments_of({(0, 1): (10, 0, 10)}, ("sft", "ppo"))
    with pytest.raises(ValueError, match="anchor 2, expected 0 to 1"):
        preference(judged, anchor=2)
    with pytest.raises(ValueError, match="no model pqo among sft, ppo"):
        theta_difference(preference(judged), "pqo", "sft")


def test_more_parameters_than_clusters_are_told():
    judged = drawn(np.random.default_rng(4), [0.0] * 8, 400, annotators=5)
    found = preference(judged)
    assert "5 clusters for 8 parameters" in found.warnings
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-12


@pytest.mark.slow
@pytest.mark.parametrize("prompts", [60, 400])
def test_differences_of_ratings_of_clustered_judgments_are_covered_as_promised(prompts):
    """Three annotators who always agree: 3 n judgments that are worth n."""
    random, hits, repeats = np.random.default_rng(prompts), 0, 1000
    for _ in range(repeats):
        judged = drawn(random, [0.0, 0.5, 1.0], prompts)
        tripled = Judgments(
            judged.names,
            judged.first * 3,
            judged.second * 3,
            judged.outcomes * 3,
            prompts=[str(at) for at in range(prompts)] * 3,
        )
        row = theta_difference(preference(tripled, ties="decisive"), "m2", "m1")
        hits += row.lo <= 0.5 <= row.hi
    assert 0.93 <= hits / repeats <= 0.98
