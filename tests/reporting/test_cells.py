"""Records fold into Cells: counts add up, failures are not zeros, missing is not zero."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.cells import by_kind, cells_of, headlines
from bench.statistics.intervals import mean_interval, wilson
from tests.reporting.values import CELL, records, run, task

scores = st.lists(st.none() | st.sampled_from([0.0, 0.5, 1.0]), max_size=20)
bounds = st.tuples(*[st.floats(0, 1)] * 3).map(sorted)


def choosing(rows, *odds):
    """The records `rows` with probabilities over the choices a (right) and b."""
    return [replace(row, probabilities=pair) for row, pair in zip(rows, odds, strict=True)]


def test_a_cell_names_its_run_task_and_metric():
    (cell,) = cells_of(run(), records("facts", 1.0, 0.0))
    assert (cell.model, cell.run, cell.task, cell.kind) == ("org/model", "model-1", "facts", "qa")
    assert (cell.metric, cell.headline, cell.language) == ("accuracy", True, "en")
    assert (cell.chance, cell.level) == (0.25, 0.95)


def test_the_interval_of_a_proportion_is_wilsons():
    (cell,) = cells_of(run(), records("facts", *[1.0] * 27, *[0.0] * 3))
    expected = wilson(27, 30)
    assert (cell.estimate, cell.lo, cell.hi) == (0.9, expected.lo, expected.hi)
    assert cell.method == "wilson"


@given(scores)
def test_scored_and_failed_add_up_to_the_rows(values):
    (cell,) = cells_of(run(), records("facts", *values))
    assert cell.n + cell.failed == len(values)
    assert cell.failed == values.count(None)


def test_failed_records_are_counted_and_not_scored_as_zero():
    (cell,) = cells_of(run(), records("facts", 1.0, 1.0, None, None))
    assert (cell.estimate, cell.n, cell.failed) == (1.0, 2, 2)


@pytest.mark.parametrize("values", [(), (None, None)])
def test_nothing_scored_has_no_estimate(values):
    entry = task("facts", aggregates=("macro_f1", "ece"))
    for cell in cells_of(run(entry), records("facts", *values)):
        assert (cell.estimate, cell.lo, cell.hi, cell.n) == (None, None, None, 0)
        assert (cell.method, cell.failed) == ("none", len(values))


def test_the_headline_comes_first_and_tasks_keep_their_order():
    entries = task("b", scorers=("squad_f1", "squad_em"), aggregates=("macro_f1",)), task("a")
    cells = cells_of(run(*entries), [])
    assert [(cell.task, cell.metric) for cell in cells] == [
        ("b", "squad_f1"),
        ("b", "squad_em"),
        ("b", "macro_f1"),
        ("a", "accuracy"),
    ]
    assert [cell.metric for cell in headlines(cells)] == ["squad_f1", "accuracy"]


def test_records_of_other_tasks_do_not_count():
    rows = records("facts", 1.0) + records("reading", 0.0)
    (cell,) = cells_of(run(), rows)
    assert (cell.estimate, cell.n) == (1.0, 1)


def test_rows_of_one_cluster_are_not_independent():
    rows = [replace(row, cluster=row.id[-1:]) for row in records("facts", *[1.0, 0.0] * 20)]
    (cell,) = cells_of(run(), rows)
    expected = mean_interval([1.0, 0.0] * 20, [row.cluster for row in rows])
    assert (cell.n, cell.n_clusters, cell.method) == (40, 10, "wilson_clustered")
    assert (cell.lo, cell.hi) == (expected.lo, expected.hi)
    assert cell.warnings == ("only 10 clusters: the interval may be too narrow",)


def test_several_samples_of_one_item_are_one_cluster():
    rows = [replace(row, id=row.id[-1:]) for row in records("facts", *[1.0, 0.0] * 20)]
    (cell,) = cells_of(run(), rows)
    assert (cell.n, cell.n_clusters) == (40, 10)


def test_aggregates_have_no_interval():
    cell = cells_of(run(task("facts", aggregates=("macro_f1",))), records("facts", 1.0))[1]
    assert (cell.metric, cell.estimate, cell.lo, cell.headline) == ("macro_f1", 0.0, None, False)


def test_calibration_counts_only_replies_with_probabilities():
    rows = choosing(records("facts", 1.0, 1.0, 0.0), (0.8, 0.2), (0.8, 0.2), ())
    cell = cells_of(run(task("facts", aggregates=("nll",))), rows)[1]
    assert cell.estimate == pytest.approx(-math.log(0.8))
    assert (cell.n, cell.failed) == (2, 0)
    assert cell.warnings == ("left out, for want of probabilities: 1 of 3 replies",)


@pytest.mark.parametrize(
    ("metric", "warning"),
    [("pass@3", "pass@3 needs 3 samples"), ("nonesuch", "no metric is named 'nonesuch'")],
)
def test_a_metric_that_cannot_be_computed_warns_and_leaves_the_others_alone(metric, warning):
    cells = cells_of(run(task("facts", aggregates=(metric,))), records("facts", 1.0))
    assert [cell.estimate for cell in cells] == [1.0, None]
    assert warning in cells[1].warnings[0]


def test_a_kind_is_the_unweighted_mean_of_its_tasks_headlines():
    entries = task("a"), task("b"), task("c", kind="code")
    rows = records("a", *[1.0] * 8) + records("b", 0.0, 0.0) + records("c", 1.0)
    qa, code = by_kind(cells_of(run(*entries), rows))
    assert (qa.task, qa.estimate, qa.n) == ("qa", 0.5, 10)
    assert (code.task, code.estimate, code.n) == ("code", 1.0, 1)
    assert not qa.headline


def test_a_kind_of_one_task_has_the_interval_of_that_task():
    cells = cells_of(run(), records("facts", *[1.0] * 9, 0.0))
    (kind,) = by_kind(cells)
    assert (kind.lo, kind.hi) == pytest.approx((cells[0].lo, cells[0].hi))
    assert kind.method == "macro"


def test_the_bounds_of_a_kind_add_distances_in_quadrature_on_each_side():
    one = replace(CELL, task="a", estimate=0.9, lo=0.6, hi=1.0)
    two = replace(CELL, task="b", estimate=0.5, lo=0.1, hi=0.9)
    (kind,) = by_kind([one, two])
    assert kind.estimate == pytest.approx(0.7)
    assert kind.lo == pytest.approx(0.7 - math.hypot(0.3, 0.4) / 2)
    assert kind.hi == pytest.approx(0.7 + math.hypot(0.1, 0.4) / 2)


@given(st.lists(bounds, min_size=1, max_size=8))
def test_the_bounds_of_a_kind_never_leave_the_scale(triples):
    cells = [replace(CELL, task=str(place), lo=lo, estimate=mean, hi=hi)
             for place, (lo, mean, hi) in enumerate(triples)]  # fmt: skip
    (kind,) = by_kind(cells)
    assert 0.0 <= kind.lo <= kind.estimate + 1e-12
    assert kind.estimate - 1e-12 <= kind.hi <= 1.0


def test_a_kind_with_a_task_without_score_says_so_and_does_not_count_it_as_zero():
    empty = replace(CELL, task="b", estimate=None, lo=None, hi=None, n=0, failed=3, chance=0.5)
    (kind,) = by_kind([CELL, empty])
    assert (kind.estimate, kind.n, kind.failed, kind.chance) == (0.5, 12, 3, 0.25)
    assert kind.warnings == ("1 of 2 tasks have no score",)


def test_a_kind_without_any_score_has_no_estimate():
    (kind,) = by_kind([replace(CELL, estimate=None, lo=None, hi=None, n=0)])
    assert (kind.estimate, kind.lo, kind.hi, kind.method) == (None, None, None, "none")


def test_a_kind_has_no_interval_if_one_of_its_tasks_has_none():
    (kind,) = by_kind([CELL, replace(CELL, task="b", lo=None, hi=None)])
    assert (kind.estimate, kind.lo, kind.hi) == (0.5, None, None)


def test_kinds_of_different_runs_stay_apart():
    found = by_kind([CELL, replace(CELL, run="model-2", estimate=0.1, lo=0.0, hi=0.2)])
    assert [(cell.run, cell.estimate) for cell in found] == [("model-1", 0.5), ("model-2", 0.1)]
