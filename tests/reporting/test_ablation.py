"""An ablation: a figure with two panels, tables in four formats, and what came before."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from bench.errors import UsageError
from bench.reporting.ablation import AblationPoint, write_ablation
from bench.statistics.intervals import Interval
from tests.reporting.site.pages import Page
from tests.reporting.values import CELL

SVG = "{http://www.w3.org/2000/svg}"


def point(value, capability=0.4, reward: float | None = 1.0, **changes):
    """A point with an interval of 0.1 on both sides."""
    found = Interval(capability, capability - 0.1, capability + 0.1, "t")
    made = AblationPoint(value, f"g{value:g}", found, reward, 6.0, [CELL])
    return replace(made, **changes)


def drawn(folder, style: str) -> list[ElementTree.Element]:
    """The shapes of one class in the figure."""
    root = ElementTree.parse(folder / "ablation.svg").getroot()
    return [shape for shape in root.iter() if shape.get("class") == style]


def test_an_ablation_is_five_files(tmp_path):
    assert write_ablation([point(1)], tmp_path / "a", "gamma") == tmp_path / "a" / "ablation.html"
    found = sorted(path.suffix for path in (tmp_path / "a").iterdir())
    assert found == [".csv", ".html", ".json", ".md", ".svg"]


def test_points_stand_by_value_at_equal_distances_in_both_panels(tmp_path):
    write_ablation([point(27.8, 0.5), point(0, 0.3), point(1, 0.4)], tmp_path, "gamma")
    ticks = [
        shape.text for shape in drawn(tmp_path, "tick") if shape.get("text-anchor") == "middle"
    ]
    xs = [float(shape.attrib["cx"]) for shape in drawn(tmp_path, "point")]
    ys = [float(shape.attrib["cy"]) for shape in drawn(tmp_path, "point")]
    assert ticks == ["0", "1", "27.8"]
    assert xs[:3] == xs[3:]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys[0] > ys[1] > ys[2]
    assert ys[3] == ys[4] == ys[5] > ys[0]


def test_capability_has_bars_as_long_as_its_intervals(tmp_path):
    write_ablation([point(0, 0.3), point(1, 0.5)], tmp_path, "gamma")
    lengths = [float(bar.get("y1")) - float(bar.get("y2")) for bar in drawn(tmp_path, "bar")]
    assert len(lengths) == 2
    assert lengths[0] == pytest.approx(lengths[1], abs=0.2)


def test_what_came_before_is_a_dashed_line_with_its_band(tmp_path):
    write_ablation([point(0), point(1)], tmp_path, "gamma", point(0, 0.4, 0.2, name="sft"))
    lines, (band,) = drawn(tmp_path, "before"), drawn(tmp_path, "band")
    assert len(lines) == 2
    assert float(band.get("height")) > 0
    assert [shape.text for shape in drawn(tmp_path, "told")] == ["before", "before"]
    (bar, _) = drawn(tmp_path, "bar")
    assert float(band.get("height")) == pytest.approx(float(bar.get("y1")) - float(bar.get("y2")))


def test_without_any_reward_there_is_one_panel(tmp_path):
    write_ablation([point(0, reward=None), point(1, reward=None)], tmp_path, "gamma")
    assert [shape.text for shape in drawn(tmp_path, "title")] == [
        "capability (mean of headlines)",
        "gamma",
    ]


def test_a_reward_that_was_not_measured_is_missing_and_not_zero(tmp_path):
    write_ablation([point(0), point(1, reward=None, kl=None)], tmp_path, "gamma")
    assert len(drawn(tmp_path, "point")) == 3
    (_, row) = csv.DictReader(io.StringIO((tmp_path / "ablation.csv").read_text()))
    assert (row["value"], row["reward"], row["kl"]) == ("1", "", "")
    found = json.loads((tmp_path / "ablation.json").read_text())["points"][1]
    assert (found["value"], found["reward"], found["kl"]) == (1, None, None)
    assert "| 1 | g1 | 0.400 [0.300, 0.500] | – | – |" in (tmp_path / "ablation.md").read_text()


def test_tables_hold_every_point_and_the_headlines_of_its_tasks(tmp_path):
    other = [
        replace(CELL, task="topic", headline=True),
        replace(CELL, metric="nll", headline=False),
    ]
    write_ablation([point(5, cells=other)], tmp_path, "gamma", point(0, name="sft"))
    text = " ".join(Page((tmp_path / "ablation.html").read_text()).text.split())
    assert "before sft 0.400 [0.300, 0.500] 1.000 6.000 5 g5 0.400" in text
    assert "facts (accuracy) 0.500 [0.250, 0.750] n=12 not run" in text
    assert "topic (accuracy) not run 0.500 [0.250, 0.750] n=12" in text
    assert "nll" not in text
    rows = json.loads((tmp_path / "ablation.json").read_text())["points"]
    assert [(row["value"], row["name"], len(row["cells"])) for row in rows] == [
        (None, "sft", 1),
        (5, "g5", 2),
    ]


def test_a_capability_without_bounds_is_a_dot_without_a_bar(tmp_path):
    alone = replace(point(0), capability=Interval(0.4, None, None, "none"))
    write_ablation([alone], tmp_path, "gamma")
    assert drawn(tmp_path, "bar") == []
    assert len(drawn(tmp_path, "point")) == 2


def test_hostile_names_are_inert(tmp_path):
    hostile = "<script>|`=1"
    page = write_ablation([point(0, name=hostile)], tmp_path, "gamma")
    assert "script" not in {tag for tag, _ in Page(page.read_text()).tags}
    assert not re.search(r"(?<!\\)[<>`]", (tmp_path / "ablation.md").read_text())


def test_no_points_are_an_error(tmp_path):
    with pytest.raises(UsageError, match="no points"):
        write_ablation([], tmp_path, "gamma")
