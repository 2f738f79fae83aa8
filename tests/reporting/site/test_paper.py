"""OpenAI's models stand beside what their paper says of them; others do not."""

from bench.reporting.comparison.board import make_board
from bench.reporting.results.schema import Metric
from bench.reporting.site.build import build_site
from tests.reporting.comparison.made import model, result


def page(folder, family: str) -> str:
    who = model("gpt-175b", family=family, size="175B")
    one = result(
        who,
        [1.0, 0.0],
        task="truthful_qa",
        variant="qa",
        metric=Metric("truthful"),
    )
    build_site(make_board([one]), folder)
    return next(folder.glob("lineage/*.html")).read_text(encoding="utf-8")


def test_a_number_of_the_paper_stands_beside_ours(tmp_path):
    shown = page(tmp_path, "InstructGPT")
    assert "Beside the paper" in shown
    assert "<td>50.0</td><td>2</td><td>28.4</td><td>+21.6</td>" in shown


def test_other_models_have_no_paper(tmp_path):
    assert "Beside the paper" not in page(tmp_path, "llama")
