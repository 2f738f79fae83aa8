"""The released samples themselves: the reference values that others have worked out from them.

The values are those of a computation with numpy, scipy and statsmodels apart from this code.
"""

from functools import cache

import numpy as np
import pytest

from bench.reporting.importers.instructgpt import (
    items_of_rows,
    read_instructgpt,
    rows_by_model,
)
from bench.reporting.importers.paper import SIZES, STAGES, against_paper, table_14
from bench.reporting.results.audit import audit
from bench.reporting.results.files import save_result
from bench.statistics.paired import paired_difference
from tests.reporting.importers.released import shared

QA, INSTRUCTION, BOTH = "QA prompt", "instruction prompt", "QA + instruction"
CLOSE = pytest.approx


@cache
def grouped(task):
    return rows_by_model(shared("instructgpt") / f"{task}.csv")


@cache
def items(task, model, wording=""):
    path = shared("instructgpt") / f"{task}.csv"
    return items_of_rows(path, grouped(task)[model, wording])


def scores(task, metric, model, *wordings):
    return [score for one in wordings for score in items(task, model, one).scores[metric]]


def difference(task, metric, child, parent, *wordings):
    """Paired, in the clusters that the items name."""
    clusters = [name for one in wordings for name in items(task, child, one).clusters]
    ours, theirs = (scores(task, metric, model, *wordings) for model in (child, parent))
    return paired_difference(ours, theirs, clusters)


@pytest.mark.parametrize(
    ("wording", "means"),
    [
        ("fewshot", (67.85, 64.11, 48.03, 65.83)),
        ("zeroshot", (56.68, 53.42, 40.71, 53.07)),
    ],
)
def test_squad_f1_at_175b(wording, means):
    models = ("gpt-175b", "sft-175b", "ppo-noptx-175b", "ppo-ptx-175b")
    found = [100 * np.mean(scores("squadv2", "squad_f1", model, wording)) for model in models]
    assert found == CLOSE(means, abs=0.005)


@pytest.mark.parametrize(
    ("child", "parent", "estimate", "half_width"),
    [
        ("ppo-noptx-175b", "sft-175b", -0.1608, 0.0854),
        ("ppo-ptx-175b", "ppo-noptx-175b", 0.1779, 0.0810),
    ],
)
def test_the_alignment_tax_on_squad_and_what_pretraining_text_gives_back(
    child, parent, estimate, half_width
):
    found = difference("squadv2", "squad_f1", child, parent, "fewshot")
    assert found.estimate == CLOSE(estimate, abs=5e-4)
    assert 1.96 * found.se == CLOSE(half_width, abs=5e-4)


@pytest.mark.parametrize(("size", "cells"), [("6b", (36, 14, 19, 31)), ("xl", (14, 10, 37, 39))])
def test_who_is_true_where_under_the_instruction_prompt(size, cells):
    child, parent = (
        np.array(scores("truthful_qa", "truthful", f"{stage}-{size}", INSTRUCTION), bool)
        for stage in ("ppo-ptx", "sft")
    )
    found = (child & parent, child & ~parent, ~child & parent, ~child & ~parent)
    assert tuple(int(one.sum()) for one in found) == cells


def test_truth_over_three_wordings_is_clustered_by_question():
    found = difference("truthful_qa", "truthful", "ppo-ptx-xl", "sft-xl", QA, INSTRUCTION, BOTH)
    assert (found.n_items, found.n_clusters) == (300, 100)
    assert found.estimate == CLOSE(-0.07667, abs=5e-6)
    assert found.se == CLOSE(0.04207, abs=5e-6)


def test_true_and_informative_over_three_wordings_at_175b():
    found = difference(
        "truthful_qa", "truthful_informative", "ppo-ptx-175b", "sft-175b", QA, INSTRUCTION, BOTH
    )
    assert found.estimate == CLOSE(0.24, abs=1e-9)
    assert found.se == CLOSE(0.03484, abs=5e-6)
    assert (found.lo, found.hi) == CLOSE((0.1709, 0.3091), abs=5e-5)


@pytest.mark.parametrize(
    ("wording", "true", "more", "fewer", "informative"),
    [(QA, 0.13, 21, 8, 0.33), (INSTRUCTION, -0.30, 2, 32, 0.10), (BOTH, 0.19, 23, 4, 0.29)],
)
def test_whether_rlhf_helps_truth_hangs_on_the_wording(wording, true, more, fewer, informative):
    told = ("ppo-ptx-175b", "sft-175b", wording)
    found = difference("truthful_qa", "truthful", *told)
    assert (found.child_only, found.parent_only) == (more, fewer)
    assert found.estimate == CLOSE(true)
    other = difference("truthful_qa", "truthful_informative", *told)
    assert other.estimate == CLOSE(informative)


@pytest.mark.parametrize(
    ("wording", "estimate", "lo", "hi"),
    [
        ("biased prompt", 0.0907, 0.0177, 0.1637),
        ("basic prompt", 0.0061, -0.0410, 0.0531),
        ("respectful prompt", -0.0114, -0.0625, 0.0397),
    ],
)
def test_toxicity_at_175b(wording, estimate, lo, hi):
    found = difference("real_toxicity", "toxicity", "ppo-ptx-175b", "sft-175b", wording)
    assert (found.estimate, found.lo, found.hi) == CLOSE((estimate, lo, hi), abs=5e-4)


def test_toxicity_of_both_models_when_told_to_be_biased():
    means = [
        np.mean(scores("real_toxicity", "toxicity", model, "biased prompt"))
        for model in ("sft-175b", "ppo-ptx-175b")
    ]
    assert means == CLOSE([0.2386, 0.3293], abs=5e-5)


def test_half_of_the_squad_questions_have_no_answer_as_the_note_says():
    rows = grouped("squadv2")["gpt-175b", "fewshot"]
    assert sum(row["ref_text"] == "Not in background." for row in rows) == 51


def test_two_wordings_of_truthful_qa_seem_exchanged_against_the_paper_as_its_caveat_says():
    wordings = {INSTRUCTION: "instruction", BOTH: "qa-instruction"}
    apart: dict[bool, list[float]] = {True: [], False: []}
    for stage, paper_stage in zip(("gpt", "sft", "ppo-noptx", "ppo-ptx"), STAGES, strict=True):
        for size, paper_size in zip(("xl", "6b", "175b"), SIZES, strict=True):
            for metric in ("truthful", "truthful_informative"):
                for wording, name in wordings.items():
                    ours = np.mean(scores("truthful_qa", metric, f"{stage}-{size}", wording))
                    for other in wordings.values():
                        key = ("truthful_qa", other, metric, paper_stage, paper_size)
                        apart[other == name].append(abs(ours - table_14()[key]))
    assert len(apart[True]) == len(apart[False]) == 48
    assert np.mean(apart[True]) == CLOSE(0.143, abs=5e-4)
    assert np.mean(apart[False]) == CLOSE(0.048, abs=5e-4)


@pytest.mark.slow
def test_the_whole_import_passes_the_audit_and_stands_beside_the_paper(tmp_path):
    found = read_instructgpt(shared("instructgpt"))
    assert len(found.results) == 12 * (2 + 3 + 3 + 1)
    for result in found.results:
        save_result(tmp_path, result)
    assert audit([tmp_path]) == []
    rows = against_paper(found.results)
    assert len(rows) == 12 * (2 + 2 * 3 + 3 + 1)
    told = [abs(row.difference) for row in rows if not row.caveat]
    assert max(told) < 0.1
    assert np.mean(told) < 0.04
