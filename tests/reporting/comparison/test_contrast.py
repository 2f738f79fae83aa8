"""Contrasts: which items enter, what is refused, what the numbers and verdicts are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.comparison.board import labels_of, make_board
from bench.reporting.comparison.change import comparison
from bench.reporting.comparison.contrast import contrast
from bench.reporting.comparison.lineage import rows_of
from bench.reporting.comparison.sentences import explanations
from bench.reporting.results.schema import Metric
from bench.statistics.paired import paired_difference
from bench.statistics.power import mde_among
from tests.reporting.comparison.made import METRIC, items, model, result

BASE, SFT = model(), model("sft", "base", "sft")
RIGHT, WRONG = [1.0] * 40, [0.0] * 40
MIXED = [1.0, 0.0] * 20


def compared(child, parent, **options):
    metric = child.task.metrics[0]
    ours, theirs = {child.task.variant: child}, {parent.task.variant: parent}
    return contrast(ours, theirs, metric, 0.95, **options)


def test_the_numbers_are_those_of_the_paired_difference():
    found = compared(result(SFT, RIGHT), result(BASE, MIXED))
    expected = paired_difference(RIGHT, MIXED)
    assert (found.estimate, found.lo, found.hi) == (0.5, expected.lo, expected.hi)
    assert (found.child_mean, found.parent_mean, found.verdict) == (1.0, 0.5, "better")
    assert found.tax == "no tax"
    assert found.mde is not None


def test_lower_is_better_turns_the_verdict_and_not_the_estimate():
    toxicity = Metric("toxicity", lower_is_better=True, chance=0.0, margin=0.03)
    worse = compared(
        result(SFT, RIGHT, metric=replace(toxicity, chance=1.0)),
        result(BASE, MIXED, metric=replace(toxicity, chance=1.0)),
    )
    assert worse.estimate == 0.5
    assert (worse.verdict, worse.tax) == ("worse", "tax")
    assert worse.p_better is not None
    assert worse.p_better < 0.01


def test_items_of_one_side_alone_are_counted_and_left_out():
    found = compared(result(SFT, [*RIGHT, None]), result(BASE, [*MIXED, 1.0]))
    assert (found.n_items, found.n_missing) == (40, 1)
    assert "items left out, not scored in both: 1" in found.warnings


REFUSED = {
    "limit differs (40 against none)": result(SFT, RIGHT, settings={"limit": 40}),
    "shots differs (5 against 0)": result(SFT, RIGHT, settings={"shots": 5}),
    "chat_mode differs (off against auto)": result(SFT, RIGHT, settings={"chat_mode": "off"}),
    "temperature differs (0.7 against none)": result(SFT, RIGHT, settings={"temperature": 0.7}),
    "rows or scoring differ (digests x against digest)": replace(
        result(SFT, RIGHT), task=replace(result(SFT, RIGHT).task, digest="x")
    ),
    "task version differs (2 against 1)": replace(
        result(SFT, RIGHT), task=replace(result(SFT, RIGHT).task, version=2)
    ),
    "prompts differ, though neither was asked through a chat template": replace(
        result(SFT, RIGHT), task=replace(result(SFT, RIGHT).task, prompts_digest="x")
    ),
    "accuracy is defined otherwise for the parent: rope 0.5 against 0.02": result(
        SFT, RIGHT, metric=replace(METRIC, rope=0.5)
    ),
    "row 3 is not the same item in both": result(
        SFT, RIGHT, items=items(RIGHT, digests=tuple(f"d{i}" if i != 3 else "x" for i in range(40)))
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_was_not_asked_alike_has_a_reason_and_no_number(reason):
    found = compared(REFUSED[reason], result(BASE, MIXED))
    assert (found.estimate, found.verdict, found.warnings) == (None, "no number", (reason,))


def test_shared_items_are_compared_where_rows_differ_if_asked_for():
    few = result(SFT, RIGHT[:30], settings={"limit": 30})
    few = replace(few, task=replace(few.task, digest="x"))
    found = compared(few, result(BASE, MIXED), shared_items_only=True)
    assert (found.n_items, found.n_missing) == (30, 10)


def test_a_chat_template_on_one_side_alone_is_told_and_compared():
    found = compared(result(SFT, RIGHT, settings={"chat": True}), result(BASE, MIXED))
    assert found.estimate == 0.5
    assert any("only the child has a chat template" in warning for warning in found.warnings)


def test_wordings_of_one_question_are_one_cluster():
    ours = {name: result(SFT, RIGHT, variant=name) for name in ("a", "b")}
    theirs = {name: result(BASE, MIXED, variant=name) for name in ("a", "b")}
    found = contrast(ours, theirs, METRIC, 0.95)
    assert (found.n_items, found.n_clusters, found.variant) == (80, 40, "")
    assert [one.variant for one in found.variants] == ["a", "b"]
    assert found.fragile == ""


def test_a_difference_that_turns_round_with_the_wording_is_fragile():
    ours = {"a": result(SFT, RIGHT, variant="a"), "b": result(SFT, WRONG, variant="b")}
    theirs = {name: result(BASE, MIXED, variant=name) for name in ("a", "b")}
    found = contrast(ours, theirs, METRIC, 0.95)
    assert found.fragile == "rises under a; falls under b"


def test_a_difference_on_items_that_a_parser_read_anew_is_told_apart():
    def read(scores, parsed):
        return items(scores, measures={"parsed": tuple(parsed)})

    child = result(SFT, RIGHT, items=read(RIGHT, [1.0] * 40))
    parent = result(BASE, MIXED, items=read(MIXED, MIXED))
    found = compared(child, parent)
    shares = {share.name: (share.estimate, share.n) for share in found.shares}
    assert shares["parsed in the child alone"] == (0.5, 20)
    assert found.estimate == pytest.approx(sum(estimate for estimate, _ in shares.values()))


def lengths(scores, characters):
    return items(scores, measures={"characters": tuple(characters)})


def test_a_gain_on_longer_replies_alone_is_explained_by_length():
    """Of 60 items 30 have longer replies, all right now; of the others some turn either way."""
    before, after = [1.0, 0.0] * 30, [1.0] * 30 + [1.0, 0.0, 0.0, 1.0, 1.0, 0.0] * 5
    child = result(SFT, after, items=lengths(after, [900.0] * 30 + [100.0, 90.0] * 15))
    parent = result(BASE, before, items=lengths(before, [100.0] * 60))
    found = compared(child, parent)
    assert found.lo > 0
    assert abs(found.equal_length.estimate) < found.estimate / 2
    assert found.explained == ("length",)
    assert explanations(found)[0].startswith("length may explain the difference")


def test_a_gain_at_equal_length_is_not_explained_by_it():
    child = result(SFT, RIGHT, items=lengths(RIGHT, [120.0, 80.0] * 20))
    parent = result(BASE, WRONG, items=lengths(WRONG, [100.0] * 40))
    found = compared(child, parent)
    assert found.equal_length.estimate == pytest.approx(1.0)
    assert found.explained == ()


def test_calibration_is_compared_on_the_shared_items_with_its_error():
    def sure(scores, confidence):
        measures = {"probability": (confidence,) * len(scores), "correct": tuple(scores)}
        return items(scores, measures=measures)

    child = result(SFT, MIXED, items=sure(MIXED, 0.95))
    parent = result(BASE, MIXED, items=sure(MIXED, 0.55))
    shifts = {shift.measure: shift for shift in compared(child, parent).shifts}
    ece, squared = shifts["ece"], shifts["squared_error"]
    assert (ece.child, ece.parent, ece.n) == (pytest.approx(0.45), pytest.approx(0.05), 40)
    assert 0 < ece.lo < ece.hi
    assert squared.estimate == pytest.approx(0.5 * (0.05**2 + 0.95**2 - 0.55**2 - 0.45**2))
    assert squared.lo > 0


def test_the_claim_of_no_tax_has_its_p_value_and_safety_has_none():
    better, alike = compared(result(SFT, RIGHT), result(BASE, MIXED)), result(BASE, RIGHT)
    assert better.tax == "no tax"
    assert better.p_noninferior < 0.001
    assert compared(result(SFT, WRONG), alike).p_noninferior > 0.999
    safety = replace(alike.task, kind="safety")
    assert compared(replace(alike, task=safety), replace(alike, task=safety)).p_noninferior is None


def test_the_smallest_difference_grows_with_the_tasks_of_the_comparison():
    tasks = ["t0", "t1", "t2", "t3"]
    rows = [*rows_of([result(SFT, RIGHT, task) for task in tasks])]
    rows += rows_of([result(BASE, MIXED, task) for task in tasks])
    (alone,) = comparison(rows[0], rows[1], ("sft", "base"), ["t0"]).contrasts
    among = comparison(rows[0], rows[1], ("sft", "base")).contrasts[0]
    assert among.mde == pytest.approx(mde_among(alone.mde, 4))
    assert among.mde > alone.mde


def test_a_verdict_does_not_outlive_holm():
    """One in twenty differences of nothing excludes 0: of forty tasks two would be called."""
    barely = [1.0] * 11 + [0.0] * 29
    base = [1.0] * 3 + [0.0] * 37
    tasks = [f"t{place}" for place in range(40)]
    rows = rows_of(
        [result(SFT, barely, "t0"), *(result(SFT, MIXED, task) for task in tasks[1:])]
    ) + rows_of([result(BASE, base, "t0"), *(result(BASE, MIXED, task) for task in tasks[1:])])
    alone = comparison(rows[0], rows[1], ("sft", "base"), ["t0"]).contrasts[0]
    among = comparison(rows[0], rows[1], ("sft", "base")).contrasts[0]
    assert (alone.verdict, among.verdict) == ("better", "undetermined")
    assert "adjusted for the other tasks does not" in among.warnings[-1]


scores = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=5, max_size=20)


@given(scores, st.data())
def test_swapping_the_two_turns_every_sign(ours, data):
    theirs = data.draw(
        st.lists(st.sampled_from([0.0, 1.0]), min_size=len(ours), max_size=len(ours))
    )
    there = compared(result(SFT, ours), result(BASE, theirs))
    back = compared(result(BASE, theirs), result(SFT, ours))
    assert there.estimate == pytest.approx(-(back.estimate or 0.0))
    assert there.lo == pytest.approx(-(back.hi or 0.0))
    mirrored = {"better": "worse", "worse": "better"}
    assert mirrored.get(there.verdict, there.verdict) == back.verdict


@given(scores, st.randoms(use_true_random=False))
def test_the_order_of_the_items_does_not_matter(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    parent = result(BASE, [1.0 - value for value in values])
    child = result(SFT, values)
    moved = replace(
        child,
        items=replace(
            child.items,
            ids=tuple(child.items.ids[at] for at in order),
            digests=tuple(child.items.digests[at] for at in order),
            clusters=tuple(child.items.clusters[at] for at in order),
            scores={"accuracy": tuple(values[at] for at in order)},
        ),
    )
    one, other = compared(child, parent), compared(moved, parent)
    assert (one.estimate, one.lo, one.verdict) == pytest.approx(
        (other.estimate, other.lo, other.verdict)
    )


@pytest.mark.parametrize("third", [model("else"), model("dpo", "sft", "dpo"), model("b", "base")])
def test_another_model_on_the_board_leaves_a_pair_as_it_is(third):
    barely = [1.0] * 26 + [0.0] * 14
    tasks = [f"t{place}" for place in range(4)]
    pair = [result(BASE, MIXED, task) for task in tasks] + [
        result(SFT, barely, task) for task in tasks
    ]
    alone = make_board(pair)
    among = make_board([*pair, *(result(third, WRONG, task) for task in tasks)])
    (ours,) = [
        change for change in among.changes if (change.child, change.parent) == ("sft", "base")
    ]
    assert alone.changes[0].contrasts == ours.contrasts
    assert alone.changes[0].pooled == ours.pooled


def test_items_that_a_ranked_model_failed_on_are_left_out_and_counted():
    third = model("third")
    failed = [None, None, *MIXED[2:]]
    board = make_board([result(SFT, RIGHT), result(BASE, MIXED), result(third, failed)])
    sets = board.ranks["topic", ""]
    assert sets.n_items == 38
    assert "items left out, not scored for all of these models: 2" in sets.warnings


def test_no_two_rows_have_one_label():
    who = model()
    rows = rows_of([result(who, MIXED, settings={"shots": shots}) for shots in (0, 5)])
    assert labels_of(rows) == ["base r-base, shots 0", "base r-base, shots 5"]
