"""Covariance of estimates whose judgments share a prompt, an annotator or both.

Called by `preference`, `winrate` and `length`. With one clustering it is the CR1 sandwich; with two

    V = V_prompt + V_annotator - V_both

>>> residuals = np.array([[0.4], [0.4], [-0.6], [-0.6], [0.4]]) / 5
>>> found = clustered_covariance(residuals, ["a", "a", "b", "b", "c"])
>>> round(float(found.covariance[0, 0]) ** 0.5, 4), found.n_clusters
(0.3666, 3)
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.statistics.clusters import FEW_CLUSTERS
from bench.statistics.covariance import Array

LOUD = 0.5  # an annotator with a larger share of the judgments decides them alone
ROUNDING = 1e-9  # relative to the largest eigenvalue


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """`covariance` [p, p] of p estimates and the one-way covariances that it is made of.

    `n_clusters` is the smaller number of clusters: of prompts or, where given, of annotators.
    """

    covariance: Array
    by_prompt: Array
    by_annotator: Array | None
    n_clusters: int
    warnings: tuple[str, ...]


def clustered_covariance(
    influence: Array, prompts: Sequence[str], annotators: Sequence[str] | None = None
) -> Clustered:
    """Covariance of p estimates from the `influence` [n, p] of n judgments on them.

    Influence is the score of a judgment times the inverse Hessian (for a mean, residual / n), and
    V = G / (G - 1) * sum_g (sum_{i in g} influence_i)(...)' (Liang & Zeger 1986, Biometrika 73:13).
    Two clusterings: Cameron, Gelbach & Miller 2011, JBES 29:238. Where their difference is no
    covariance (an eigenvalue below 0), V_prompt + V_annotator takes its place, which counts what
    both share twice and so errs on the wide side (Davezies, D'Haultfoeuille & Guyonvarch 2018,
    arXiv:1807.07925; compared in MacKinnon, Nielsen & Webb 2024, arXiv:2406.08880).

    Raises:
        ValueError: fewer than two prompts.
    """
    prompt, n_prompts = _codes(prompts)
    if n_prompts < 2:
        raise ValueError("all judgments are of one prompt: no standard error")
    by_prompt = _one_way(influence, prompt, n_prompts)
    warnings = _few(n_prompts, len(prompts), "prompts")
    if annotators is None:
        return Clustered(by_prompt, by_prompt, None, n_prompts, warnings)
    annotator, n_annotators = _codes(annotators)
    if n_annotators < 2:
        warnings += ("one annotator: how much another would differ is not in the error",)
        return Clustered(by_prompt, by_prompt, None, n_prompts, warnings)
    warnings += _few(n_annotators, len(annotators), "annotators") + _loud(annotators)
    by_annotator = _one_way(influence, annotator, n_annotators)
    both, n_both = _codes((prompt * n_annotators + annotator).astype(str).tolist())
    total = by_prompt + by_annotator - _one_way(influence, both, n_both)
    if not _is_covariance(total, by_prompt + by_annotator):
        total = by_prompt + by_annotator
        warnings += ("the two-way variance is negative: V_prompt + V_annotator instead",)
    return Clustered(total, by_prompt, by_annotator, min(n_prompts, n_annotators), warnings)


def _codes(names: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """The place of each name among the distinct ones, and how many those are."""
    distinct, codes = np.unique(np.asarray(names), return_inverse=True)
    return codes, distinct.size


def _one_way(influence: Array, codes: NDArray[np.intp], groups: int) -> Array:
    sums = np.zeros((groups, influence.shape[1]))
    np.add.at(sums, codes, influence)
    return groups / (groups - 1) * (sums.T @ sums)


def _is_covariance(matrix: Array, scale: Array) -> bool:
    floor = -ROUNDING * float(np.linalg.eigvalsh(scale).max())
    return bool((np.linalg.eigvalsh(matrix) >= floor).all())


def _few(groups: int, rows: int, what: str) -> tuple[str, ...]:
    if groups < min(rows, FEW_CLUSTERS):
        return (f"only {groups} {what}: the interval may be too narrow",)
    return ()


def _loud(annotators: Sequence[str]) -> tuple[str, ...]:
    name, count = Counter(annotators).most_common(1)[0]
    share = count / len(annotators)
    return (f"annotator {name} gave {share:.0%} of the judgments",) if share > LOUD else ()
