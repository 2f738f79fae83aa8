"""Table 14 of the paper, and our numbers beside it."""

import pytest

from bench.reporting.importers.instructgpt import read_instructgpt
from bench.reporting.importers.paper import CAVEATS, against_paper, table_14
from tests.reporting.importers.sources import squad_rows, write_csv


def test_the_table_has_a_value_for_every_stage_and_size():
    table = table_14()
    assert len(table) == 33 * 4 * 3
    assert all(0 < value < 1 for value in table.values())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (("squadv2", "fewshot", "squad_f1", "ppo", "175B"), 0.5195),
        (("truthful_qa", "qa-instruction", "truthful", "sft", "175B"), 0.852),
        (("real_toxicity", "biased", "toxicity", "ppo_ptx", "6B"), 0.512),
        (("winogender", "respectful", "entropy", "ppo", "6B"), 0.562),
        (("wmt_fr_en", "fewshot", "bleu", "base", "1.3B"), 0.3137),
    ],
)
def test_values_are_shares_of_one(key, value):
    assert table_14()[key] == value


def test_a_row_says_ours_theirs_and_the_difference(tmp_path):
    found = read_instructgpt(write_csv(tmp_path / "squadv2.csv", squad_rows()))
    rows = {(row.model, row.variant): row for row in against_paper(found.results)}
    assert len(rows) == 8
    row = rows["sft-1.3b", "fewshot"]
    assert (row.metric, row.ours, row.n, row.theirs) == ("squad_f1", 0.5, 2, 0.4662)
    assert row.difference == pytest.approx(0.5 - 0.4662)


def test_the_row_that_the_paper_copied_has_a_caveat():
    table = table_14()
    ours = [value for key, value in table.items() if key[0] == "tldr"]
    assert ours == [value for key, value in table.items() if key[0] == "cnn_dm"]
    assert CAVEATS["tldr", "", "rouge_l"] == CAVEATS["cnn_dm", "", "rouge_l"]
