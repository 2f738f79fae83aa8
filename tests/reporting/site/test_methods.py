"""The page of methods knows every method that the statistics can name."""

from typing import get_args

import pytest

from bench.reporting.site.method_table import METHODS
from bench.reporting.site.methods_page import used_methods
from bench.reporting.site.view import view_of
from bench.statistics.intervals import mean_interval
from bench.statistics.paired import PairedMethod

# No board computes these: they are for other callers.
ELSEWHERE = {
    "clopper_pearson", "beta_credible", "bootstrap_bca", "bootstrap_smoothed",
    "bootstrap_two_level", "none",
}  # fmt: skip


def names(kind) -> set[str]:
    """All words of a nested Literal."""
    return {
        word
        for part in get_args(kind)
        for word in ([part] if isinstance(part, str) else names(part))
    }


@pytest.mark.parametrize("method", sorted(names(PairedMethod) - ELSEWHERE))
def test_a_method_of_scores_or_differences_is_described(method):
    assert method in METHODS


def test_what_the_board_used_is_counted_and_described(built):
    used = {one.name: one for one in used_methods(view_of(built.board, "t"))}
    assert used["wilson"].count > 0
    assert all(one.method is not None for one in used.values())
    assert mean_interval([1.0, 0.0, 1.0], ["a", "b", "c"]).method in used


def test_the_page_names_versions_settings_and_what_was_left_out(built):
    words = built.pages["methods.html"].words
    for told in ("instruct-bench 0.9", "seed", "base-1b reading 2 0", "rank sets"):
        assert told in words
