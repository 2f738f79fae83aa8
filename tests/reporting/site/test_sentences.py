"""What a Change says: counts, pooled difference and tax in both languages, names as names."""

from dataclasses import replace

import pytest

from bench.reporting.comparison.values import Pooled
from bench.reporting.site.sentences import change_sentence
from tests.reporting.site.boards import Shape, board

VERDICTS = ["better"] * 4 + ["equivalent"] * 6 + ["worse"] + ["undetermined"] * 5
TAXES = ["undetermined"] * 3 + ["no tax"] * 2 + [None] * 11
POOLED = Pooled(
    estimate=0.021, se=0.0092, lo=0.003, hi=0.039, method="dersimonian_laird", p_better=0.98,
    tau=0.01, i2=0.2, macro=0.02, macro_lo=0.0, macro_hi=0.04, n_tasks=16, shrunken={},
)  # fmt: skip


@pytest.fixture(scope="module")
def change():
    """The change of the brief: 16 tasks, 4 better, 1 worse."""
    (one,) = board(
        Shape(sizes=("1b",), stages=("base", "sft"), tasks=("reading",), items=8)
    ).changes
    (contrast,) = one.contrasts
    contrasts = [
        replace(contrast, task=f"t{place}", verdict=verdict, tax=tax)
        for place, (verdict, tax) in enumerate(zip(VERDICTS, TAXES, strict=True))
    ]
    names = {"child": "ppo-ptx-175b", "parent": "sft-175b"}
    return replace(one, contrasts=tuple(contrasts), pooled=POOLED, **names)


def test_a_sentence_counts_verdicts_pools_and_names_the_tax(change):
    assert change_sentence(change, 0.95, "en").striptags() == (
        "ppo-ptx-175b against sft-175b: better on 4, equivalent on 6, worse on 1, undetermined on "
        "5 of 16 tasks; pooled +2.1 points [0.3, 3.9] (95%), P(better) 0.98; alignment tax: "
        "undetermined on 3, none on 2"
    )


def test_the_same_in_chinese(change):
    assert change_sentence(change, 0.95, "zh").striptags() == (
        "ppo-ptx-175b 对比 sft-175b：16 项任务中 4 项更好、 6 项相当、 1 项更差、 5 项未定；"
        "合并差值 +2.1 分 [0.3, 3.9]（95%），P(更好) 0.98；对齐税：3 项未定、2 项无税"
    )


def test_verdicts_that_do_not_occur_and_a_tax_that_nobody_asked_for_are_left_out(change):
    one = replace(change, contrasts=change.contrasts[-1:], pooled=None)
    told = change_sentence(one, 0.95, "en").striptags()
    assert told == "ppo-ptx-175b against sft-175b: undetermined on 1 of 1 task"


@pytest.mark.parametrize(
    ("warnings", "why"),
    [
        ([("limit differs",), ("limit differs",)], "limit differs"),
        ([("a",), ("b",)], "a; b"),
        ([(), ()], "no task in common"),
    ],
)
def test_without_a_number_the_sentence_gives_every_reason_once(change, warnings, why):
    nothing = [
        replace(change.contrasts[0], estimate=None, verdict="no number", warnings=told)
        for told in warnings
    ]
    told = change_sentence(replace(change, contrasts=tuple(nothing)), 0.95, "en").striptags()
    assert told == f"ppo-ptx-175b against sft-175b: no number on any task: {why}"


def test_a_name_that_is_markup_stays_a_name(change):
    told = change_sentence(replace(change, child="<b>x</b>{child}"), 0.95, "en")
    assert "<bdi>&lt;b&gt;x&lt;/b&gt;{child}</bdi>" in told
