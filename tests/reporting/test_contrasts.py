"""Children against parents: joined on items and lineage, or refused with a reason; a sentence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.reporting.changes import changes_of, mean_contrast, sentence, verdict
from bench.reporting.contrasts import contrast_runs
from bench.reporting.lineage import in_order, places_of
from bench.statistics.paired import paired_difference
from tests.reporting.values import descended, records, run, task

SCORES = st.lists(st.tuples(*[st.sampled_from([0.0, 0.5, 1.0, None])] * 2), min_size=2, max_size=20)


def pair(child_scores, parent_scores, **changes):
    """A child and its parent with scores of the task facts."""
    child = descended("s", parent="b", stage="sft", name="sft-1", **changes)
    parent = descended("b", name="base-1")
    return (child, records("facts", *child_scores)), (parent, records("facts", *parent_scores))


def contrast_of(child, parent):
    (found,) = contrast_runs(child, parent)
    return found


def test_a_contrast_is_the_paired_difference_of_the_headline_on_shared_items():
    ours, theirs = [1.0, 1.0, 0.0, 1.0] * 5, [0.0, 1.0, 0.0, 1.0] * 5
    found, expected = contrast_of(*pair(ours, theirs)), paired_difference(ours, theirs)
    assert (found.child, found.parent) == ("sft-1", "base-1")
    assert (found.task, found.kind, found.metric) == ("facts", "qa", "accuracy")
    assert (found.estimate, found.se, found.lo, found.hi, found.p_better, found.method) == (
        (expected.estimate, expected.se, expected.lo, expected.hi, expected.p_better, "newcombe10")
    )
    assert (found.n, found.n_clusters, found.missing, found.level) == (20, 20, 0, 0.95)


def test_the_order_of_records_does_not_matter():
    child, parent = pair([1.0, 0.0, 0.5, 1.0], [0.0, 0.0, 1.0, 0.5])
    turned = (parent[0], parent[1][::-1])
    assert contrast_of(child, turned) == contrast_of(child, parent)


@given(SCORES)
def test_items_that_only_one_side_scored_are_counted_and_left_out(scores):
    ours, theirs = zip(*scores, strict=True)
    found = contrast_of(*pair(ours, theirs))
    assert found.n == sum(a is not None and b is not None for a, b in scores)
    assert found.missing == sum((a is None) != (b is None) for a, b in scores)
    assert any("only one of the two" in told for told in found.warnings) == (found.missing > 0)
    assert (found.estimate is None) == (found.n < 2)


def test_items_of_one_cluster_and_samples_of_one_item_are_not_independent():
    child, parent = pair([1.0, 0.0, 1.0, 1.0] * 10, [0.0, 0.5, 1.0, 0.0] * 10)
    clustered = [
        (told, [replace(row, cluster=str(int(row.id) % 8)) for row in rows])
        for told, rows in (child, parent)
    ]
    sampled = [
        (told, [replace(row, id=str(int(row.id) % 8), digest="", sample=n) for n, row in each])
        for told, each in ((told, list(enumerate(rows))) for told, rows in (child, parent))
    ]
    assert contrast_of(*clustered).n_clusters == contrast_of(*sampled).n_clusters == 8
    assert contrast_of(*clustered).method == contrast_of(*sampled).method == "t_clustered"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"settings": {"shots": 5}}, "shots differs (5 against 0)"),
        ({"settings": {"shots": 0, "limit": 8, "seed": 1}}, "seed differs (1 against none); "),
        ({"settings": {"shots": 0, "variant": "terse"}}, "variant differs (terse against none)"),
        ({"tasks": (task("facts", digest="e"),)}, "rows or scoring differ (digests e against d)"),
        ({"tasks": (task("facts", prompts_digest="q"),)}, "prompts differ, though neither was"),
        ({"tasks": (task("topic"),)}, "the parent was not run on this task"),
    ],
)
def test_runs_that_were_not_asked_the_same_have_a_reason_and_no_number(changes, reason):
    found = contrast_of(*pair([1.0, 0.0], [0.0, 0.0], **changes))
    assert (found.estimate, found.se, found.lo, found.hi, found.p_better) == (None,) * 5
    assert found.warnings[0].startswith(reason)
    assert verdict(found) == "no number"


def test_an_item_that_is_another_in_the_other_run_refuses_the_task():
    (child, rows), parent = pair([1.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    changed = [rows[0], replace(rows[1], digest="x"), replace(rows[2], digest="y")]
    found = contrast_of((child, changed), parent)
    assert found.estimate is None
    assert found.warnings == ("row 1 and 1 more is not the same item in both runs",)


def test_a_chat_template_may_change_the_prompts_and_that_is_said():
    asked = {"shots": 0, "system": "", "limit": None, "chat": True}
    tasks = (task("facts", prompts_digest="q"),)
    found = contrast_of(*pair([1.0] * 12, [0.0] * 12, tasks=tasks, settings=asked))
    assert found.estimate == 1.0
    assert found.warnings == ("prompts differ by their chat templates",)


def test_differing_dtypes_are_said():
    child, (parent, rows) = pair([1.0] * 12, [0.0] * 12)
    half = replace(parent, model_description={**parent.model_description, "dtype": "bfloat16"})
    found = contrast_of(child, (half, rows))
    assert found.warnings == ("dtype differs (float32 against bfloat16)",)


def test_changes_join_runs_on_digests_of_weights():
    base, sft = descended("b"), descended("s", parent="b", stage="sft")
    ppo, other = descended("p", parent="s", stage="ppo"), descended("o", parent="gone")
    rows = records("facts", 1.0, 0.0)
    found = changes_of([(one, rows) for one in (ppo, other, base, sft)], ["P", "O", "B", "S"])
    assert [(change.child, change.parent) for change in found] == [("P", "S"), ("S", "B")]


def test_runs_without_lineage_have_no_changes():
    rows = records("facts", 1.0, 0.0)
    assert changes_of([(run(), rows), (descended(), rows)], ["a", "b"]) == []


def test_of_several_runs_of_the_parent_the_one_asked_alike_is_compared_with():
    child = descended("s", parent="b", settings={"shots": 5})
    others = [descended("b", settings={"shots": shots}) for shots in (0, 5)]
    less = descended("b", settings={"shots": 5}, tasks=(task("topic"),))
    places = places_of([child, others[0], less, others[1]])
    assert places[0].parent == 3


def test_children_stand_behind_their_parents_in_the_order_of_stages():
    runs = [
        descended("x", parent="s", stage="ppo_ptx"),
        descended("alone"),
        descended("p", parent="s", stage="ppo"),
        descended("d", parent="s", stage="dpo"),
        descended("s", parent="b", stage="sft"),
        descended("b", stage="base"),
    ]
    assert in_order(runs) == [1, 5, 4, 3, 2, 0]
    assert [place.depth for place in places_of(runs)] == [2, 0, 2, 2, 1, 0]


def test_parents_in_a_circle_are_no_parents():
    runs = [descended("a", parent="b"), descended("b", parent="c"), descended("c", parent="b")]
    assert sorted(in_order(runs)) == [0, 1, 2]
    assert [place.parent for place in places_of([*runs, descended("d", parent="d")])] == [
        1,
        None,
        None,
        None,
    ]


@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "c", "d"])] * 2), max_size=6))
def test_whatever_the_digests_say_every_run_has_one_place(digests):
    runs = [descended(weights, parent) for weights, parent in digests]
    assert sorted(in_order(runs)) == list(range(len(runs)))
    assert len(places_of(runs)) == len(runs)


def many(*differences, refused=0):
    """Contrasts of tasks with 30 graded items around each of `differences`."""
    names = [f"task{number}" for number in range(len(differences) + refused)]
    told = [task(name) for name in names]
    child, parent = descended("s", parent="b", tasks=tuple(told)), descended("b", tasks=tuple(told))
    parent = replace(parent, tasks=tuple(told[: len(differences)]))
    ours = [
        row
        for name, difference in zip(names, differences, strict=False)
        for row in records(name, *[0.4 + difference, 0.5 + difference, 0.6 + difference] * 10)
    ]
    theirs = [row for name in names for row in records(name, *[0.5, 0.5, 0.5] * 10)]
    return changes_of([(child, ours), (parent, theirs)], ["sft", "base"])[0]


def test_a_verdict_is_whether_the_interval_excludes_zero():
    found = [verdict(contrast) for contrast in many(0.2, -0.2, 0.01, refused=1).contrasts]
    assert found == ["better", "worse", "undetermined", "no number"]


def test_the_mean_change_is_that_of_tasks_with_intervals_in_quadrature():
    change = many(0.2, 0.1, -0.06)
    first, second, third = change.contrasts
    half = sum((one.hi - one.estimate) ** 2 for one in (first, second, third)) ** 0.5 / 3
    assert change.mean.estimate == pytest.approx(0.08)
    assert (change.mean.lo, change.mean.hi) == pytest.approx((0.08 - half, 0.08 + half))
    assert change.mean.p_better == pytest.approx(stats.norm.cdf(1.959964 * 0.08 / half))
    assert (change.mean.task, change.mean.n, change.mean.method) == ("all", 90, "macro")


def test_tasks_without_a_number_are_left_out_of_the_mean_and_counted():
    change = many(0.2, 0.1, refused=1)
    assert change.mean.estimate == pytest.approx(0.15)
    assert change.mean.warnings == ("left out of the mean: 1 of 3 tasks, which have no number",)


def test_a_mean_has_bounds_only_where_every_task_has():
    contrasts = many(0.2, 0.1).contrasts
    found = mean_contrast([contrasts[0], replace(contrasts[1], lo=None, hi=None, se=None)])
    assert found.estimate == pytest.approx(0.15)
    assert (found.lo, found.hi, found.se, found.p_better) == (None,) * 4


@given(st.lists(st.sampled_from([-0.4, -0.1, 0.0, 0.1, 0.4]), min_size=1, max_size=6))
def test_the_mean_lies_in_its_interval_inside_the_scale_and_p_agrees_with_it(differences):
    mean = many(*differences).mean
    assert -1.0 <= mean.lo <= mean.estimate <= mean.hi <= 1.0
    assert (mean.p_better > 0.975) == (mean.lo > 0) or abs(mean.lo) < 1e-9


def test_a_sentence_says_what_became_of_the_child():
    assert sentence(many(0.2, 0.2, -0.2, 0.0)).startswith(
        "sft against base: better on 2 tasks, worse on 1, undetermined on 1; mean change +0.050 ["
    )
    assert "better on 1 task, worse on 0, undetermined on 0, no number on 2; " in sentence(
        many(0.2, refused=2)
    )


def test_a_sentence_without_any_number_says_why():
    child, parent = pair([1.0, 0.0], [0.0, 0.0], settings={"shots": 5})
    (found,) = changes_of([child, parent], ["sft", "base"])
    said = "sft against base: no number on any task: shots differs (5 against 0)"
    assert sentence(found) == said
