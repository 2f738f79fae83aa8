"""InstructGPT's own samples: the numbers of statistics that others can check from public data."""

import numpy as np
import pytest

from bench.statistics.noninferiority import noninferiority
from bench.statistics.paired import paired_difference
from bench.statistics.permutation import sign_flip, wilcoxon
from bench.statistics.rope import compare
from tests.statistics.instructgpt import (
    TRUTHFUL_PROMPTS,
    questions,
    squad_f1,
    toxicity,
    truthful,
)

PERCENT = (0.0, 100.0)


def test_truthfulness_of_6b_has_the_reference_values():
    found = paired_difference(
        truthful("ppo-ptx-6b", "instruction prompt"), truthful("sft-6b", "instruction prompt")
    )
    assert (found.child_only, found.parent_only, found.n_items) == (14, 19, 100)
    assert found.estimate == pytest.approx(-0.05)
    assert found.se == pytest.approx(0.05752, abs=5e-5)
    assert found.unpaired_se == pytest.approx(0.07089, abs=5e-5)
    assert found.correlation == pytest.approx(0.3417, abs=5e-4)
    assert (found.lo, found.hi) == pytest.approx((-0.1607, 0.0628), abs=5e-4)
    assert found.p_value == pytest.approx(0.39153, abs=5e-4)
    assert found.p_better == pytest.approx(0.19576, abs=5e-4)
    probabilities = compare(found, 0.02)
    assert (
        probabilities.p_worse,
        probabilities.p_equivalent,
        probabilities.p_better,
    ) == pytest.approx((0.691, 0.196, 0.113), abs=2e-3)


@pytest.mark.parametrize(
    ("prompt", "informative", "estimate", "wins", "losses", "p_value"),
    [
        ("QA prompt", False, 0.13, 21, 8, 0.024),
        ("instruction prompt", False, -0.30, 2, 32, 6.9e-8),
        ("QA + instruction", False, 0.19, 23, 4, 3.1e-4),
        ("QA prompt", True, 0.33, None, None, None),
        ("instruction prompt", True, 0.10, None, None, None),
        ("QA + instruction", True, 0.29, None, None, None),
    ],
)
def test_truthfulness_of_175b_depends_on_prompt_and_metric(
    prompt, informative, estimate, wins, losses, p_value
):
    models = (truthful(f"{stage}-175b", prompt, informative) for stage in ("ppo-ptx", "sft"))
    found = paired_difference(*models)
    assert found.estimate == pytest.approx(estimate)
    if wins is not None:
        assert (found.child_only, found.parent_only) == (wins, losses)
        # The reference is the exact test, to which the mid-p is at most twice closer.
        assert p_value / 2 < found.p_value < p_value


@pytest.mark.parametrize(
    ("size", "informative", "estimate", "error"),
    [
        ("xl", False, -0.07667, 0.04207),
        ("175b", False, 0.0067, 0.0325),
        ("175b", True, 0.24, 0.03484),
    ],
)
def test_three_prompts_of_one_question_are_a_cluster(size, informative, estimate, error):
    child, parent = (
        [score for prompt in TRUTHFUL_PROMPTS for score in truthful(model, prompt, informative)]
        for model in (f"ppo-ptx-{size}", f"sft-{size}")
    )
    clusters = [one for prompt in TRUTHFUL_PROMPTS for one in questions(f"sft-{size}", prompt)]
    found = paired_difference(child, parent, clusters)
    assert (found.n_items, found.n_clusters, found.test) == (300, 100, "t_clustered")
    assert found.estimate == pytest.approx(estimate, abs=5e-5)
    assert found.se == pytest.approx(error, abs=5e-5)
    assert found.clustering.se == found.se


@pytest.mark.parametrize(
    ("prompt", "means"),
    [("fewshot", (67.85, 64.11, 48.03, 65.83)), ("zeroshot", (56.68, 53.42, 40.71, 53.07))],
)
def test_squad_f1_has_the_reference_means(prompt, means):
    stages = ("gpt", "sft", "ppo-noptx", "ppo-ptx")
    found = [np.mean(squad_f1(f"{stage}-175b", prompt)) for stage in stages]
    assert found == pytest.approx(means, abs=5e-3)


@pytest.mark.parametrize(
    ("child", "parent", "estimate", "half", "verdict"),
    [
        ("ppo-noptx", "sft", -16.08, 8.54, "tax"),
        ("ppo-ptx", "ppo-noptx", 17.79, 8.10, "no tax"),
        ("ppo-ptx", "sft", 1.716, None, "undetermined"),
    ],
)
def test_the_alignment_tax_on_squad_is_paid_and_given_back(child, parent, estimate, half, verdict):
    scores = (squad_f1(f"{stage}-175b", "fewshot") for stage in (child, parent))
    difference = paired_difference(*scores, bounds=PERCENT)
    assert difference.estimate == pytest.approx(estimate, abs=6e-3)
    if half is not None:
        assert 1.96 * difference.se == pytest.approx(half, abs=5e-3)
    assert noninferiority(difference, margin=2.0).verdict == verdict


@pytest.mark.parametrize(
    ("prompt", "parent", "estimate", "lo", "hi", "ranks"),
    [
        ("biased prompt", 0.2386, 0.0907, 0.0177, 0.1637, 0.0013),
        ("basic prompt", None, 0.0061, -0.0410, 0.0531, None),
        ("respectful prompt", None, -0.0114, -0.0625, 0.0397, None),
    ],
)
def test_toxicity_has_the_reference_values(prompt, parent, estimate, lo, hi, ranks):
    ours, theirs = (toxicity(f"{stage}-175b", prompt) for stage in ("ppo-ptx", "sft"))
    found = paired_difference(ours, theirs, lower_is_better=True)
    assert (found.estimate, found.lo, found.hi) == pytest.approx((estimate, lo, hi), abs=5e-4)
    assert (found.p_better < 0.5) == (estimate > 0)
    differences = np.subtract(ours, theirs).tolist()
    assert sign_flip(differences).p_value == pytest.approx(found.p_value, abs=0.01)
    if parent is not None:
        assert np.mean(theirs) == pytest.approx(parent, abs=5e-5)
        assert wilcoxon(differences) == pytest.approx(ranks, abs=5e-5)
