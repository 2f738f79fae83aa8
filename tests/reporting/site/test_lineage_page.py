"""The page of a lineage: what else changed in the replies, beside the scores."""

from bench.reporting.comparison.board import make_board
from bench.reporting.site.build import build_site
from tests.reporting.comparison.made import model, result
from tests.reporting.site.pages import Page


def test_how_varied_the_replies_are_stands_there_without_an_interval(tmp_path):
    scores = [1.0, 0.0] * 20
    base = result(model(), scores, aggregates={"distinct_2": 0.5, "self_bleu": 0.25})
    sft = result(model("sft", "base", "sft"), scores, aggregates={"distinct_2": 0.25})
    build_site(make_board([base, sft]), tmp_path)
    text = " ".join(Page((tmp_path / "lineage" / "base.html").read_text("utf-8")).text.split())
    assert "distinct pairs of words 0.5 → 0.25 −0.250 40" in text
    assert "self-BLEU" not in text
