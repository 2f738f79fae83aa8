"""Reference data as counts, and scores made from them."""

# Paired differences of InstructGPT's TruthfulQA samples, ppo-ptx minus sft, as (differences of
# the three prompts of one question): number of questions. 1.3B truthful; 175B truthful and
# informative.
XL_TRUTHFUL = {
    (0, 0, 0): 35, (-1, 0, 0): 21, (-1, -1, 0): 12, (0, 0, 1): 9, (-1, 0, 1): 7,
    (0, 1, 1): 7, (1, 1, 1): 3, (-1, -1, -1): 3, (-1, -1, 1): 2, (-1, 1, 1): 1,
}  # fmt: skip
LARGE_TRUTHFUL_AND_INFORMATIVE = {
    (0, 0, 0): 35, (0, 0, 1): 30, (0, 1, 1): 18, (-1, 0, 0): 7, (1, 1, 1): 5,
    (-1, 0, 1): 2, (-1, -1, 0): 1, (-1, 1, 1): 1, (-1, -1, 1): 1,
}  # fmt: skip

Counts = dict[tuple[int, int, int], int]


def table(both: int, child_only: int, parent_only: int, neither: int):
    """Zeros and ones of child and parent with these counts."""
    child = [1.0] * (both + child_only) + [0.0] * (parent_only + neither)
    parent = [1.0] * both + [0.0] * child_only + [1.0] * parent_only + [0.0] * neither
    return child, parent


def clustered_rows(counts: Counts) -> tuple[list[float], list[str]]:
    """Differences, and the question that each belongs to."""
    rows = [(d, f"{key}{copy}") for key, n in counts.items() for copy in range(n) for d in key]
    return [float(difference) for difference, _ in rows], [cluster for _, cluster in rows]


def clustered_scores(counts: Counts) -> tuple[list[float], list[float], list[str]]:
    """Zeros and ones of child and parent with these differences, and the questions."""
    changes, clusters = clustered_rows(counts)
    return [float(d > 0) for d in changes], [float(d < 0) for d in changes], clusters
