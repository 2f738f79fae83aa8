"""Logs of training become a page of charts; damaged ends are left out, damaged middles are not."""

import json
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RunError
from bench.reporting.curves import read_log, write_curves
from bench.reporting.linechart import (
    HEIGHT,
    MOST,
    WIDTH,
    lines_svg,
    make_series,
    running_mean,
)
from tests.reporting.site.pages import Page

values = st.floats(-1e300, 1e300)


def write_log(folder: Path, *lines: dict, end: str = "", written: float = 0.0) -> Path:
    """A log of `lines`, last written at `written`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + end)
    os.utime(path, (written, written))
    return path


def charts_of(page: Path) -> list[str]:
    """The captions of the charts, in order."""
    return re.findall(r"<figcaption>(.*?)</figcaption>", page.read_text())


def test_a_family_of_metrics_is_one_chart_and_held_out_metrics_are_charts_of_their_own(tmp_path):
    line = {"loss": 2.0, "loss/topic": 1.0, "loss/facts": 3.0, "lr": 1e-5, "held_out/loss": 2.5}
    write_log(tmp_path / "sft", {"step": 1, "seconds": 0.5, "tokens": 9.0, **line})
    page = write_curves(tmp_path)
    assert page == tmp_path / "curves.html"
    assert charts_of(page) == ["held_out/loss", "loss", "lr"]
    text = " ".join(Page(page.read_text()).text.split())
    assert "1 steps, 0 s, 9 tokens." in text
    assert "all 2 facts 3 topic 1" in text


def test_stages_stand_in_the_order_in_which_they_were_written(tmp_path):
    for place, name in enumerate(["sft", "rm", "ppo", "dpo"]):
        write_log(tmp_path / name, {"step": 1, "loss": 1.0}, written=place)
    write_log(tmp_path, {"step": 1, "loss": 1.0}, written=9)
    found = re.findall(r"<h2>(.*?)</h2>", write_curves(tmp_path).read_text())
    assert found == ["sft", "rm", "ppo", "dpo", tmp_path.name]


def test_the_page_needs_no_script_and_no_network(tmp_path):
    hostile = "<script>alert(1)</script>"
    write_log(tmp_path / "a<b", {"step": 1, hostile: 1.0, f"loss/{hostile}": 2.0})
    page = Page(write_curves(tmp_path).read_text())
    assert {"script", "img", "link"}.isdisjoint(tag for tag, _ in page.tags)
    assert not any({"src", "href"} & attrs.keys() for _, attrs in page.tags)
    assert "a<b" in page.text


def test_metrics_that_not_every_line_has_are_drawn_where_they_are(tmp_path):
    lines = [{"step": step, "reward": 1.0 * step} for step in range(1, 11)]
    lines[4]["held_out/reward"] = 7.0
    page = write_log(tmp_path, *lines)
    assert len(read_log(page)) == 10
    assert charts_of(write_curves(tmp_path)) == ["held_out/reward", "reward"]


@pytest.mark.parametrize(
    "end", ['{"step": 3, "lo', '{"step": 3, "loss": 1.0', "\x00\x00", '{"loss"']
)
def test_a_last_line_that_a_kill_cut_short_is_left_out(tmp_path, end):
    lines = {"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}
    assert read_log(write_log(tmp_path, *lines, end=end)) == list(lines)


@pytest.mark.parametrize("line", ["{", "[1]", '{"loss": 1.0}', '{"step": 2, "loss": "much"}'])
def test_a_damaged_line_before_the_last_is_an_error_that_names_it(tmp_path, line):
    path = write_log(tmp_path, {"step": 1}, end=f'{line}\n{{"step": 3}}\n')
    with pytest.raises(RunError, match=re.escape(f"{path}:2: found ")):
        read_log(path)


def test_a_folder_without_a_log_is_an_error(tmp_path):
    with pytest.raises(RunError, match=re.escape(f"{tmp_path}: no log.jsonl here")):
        write_curves(tmp_path)


def test_a_log_without_a_line_is_a_stage_without_a_chart(tmp_path):
    write_log(tmp_path / "sft")
    page = write_curves(tmp_path)
    assert charts_of(page) == []
    assert "0 steps." in page.read_text()


def test_values_that_are_not_finite_are_counted_and_not_drawn(tmp_path):
    write_log(tmp_path, *({"step": step, "kl": float("nan")} for step in (1, 2)))
    text = Page(write_curves(tmp_path).read_text()).text
    assert "2 not finite" in text
    series = make_series("kl", [(1, 0.5), (2, float("inf")), (3, 0.7)])
    assert (series.steps, series.values, series.not_finite) == ((1, 3), (0.5, 0.7), 1)


def test_of_a_step_that_was_made_twice_the_last_counts():
    assert make_series("loss", [(1, 2.0), (2, 1.5), (2, 1.0)]).values == (2.0, 1.0)


def test_the_axes_say_their_first_and_last_step_and_their_least_and_greatest_value():
    svg = lines_svg([make_series("loss", [(5, 2.5), (50, 0.25), (20, 1.0)])])
    told = [text.text for text in ElementTree.fromstring(svg).iter("text")]
    assert told == ["2.5", "0.25", "step 5", "50"]


def test_more_points_than_can_be_told_apart_are_thinned_and_keep_both_ends():
    svg = lines_svg([make_series("loss", [(step, float(step)) for step in range(10_000)])])
    (raw,) = [
        path for path in ElementTree.fromstring(svg).iter("path") if path.get("class") == "raw"
    ]
    places = re.findall(r"M([\d.]+) ([\d.]+)h0", raw.attrib["d"])
    ends = re.findall(
        r"M([\d.]+) ([\d.]+)h0", _raw(lines_svg([make_series("", [(0, 0.0), (9, 9.0)])]))
    )
    assert len(places) == MOST
    assert (places[0], places[-1]) == (ends[0], ends[-1])


def _raw(svg: str) -> str:
    return next(
        p.attrib["d"] for p in ElementTree.fromstring(svg).iter("path") if p.get("class") == "raw"
    )


@given(st.lists(st.lists(st.tuples(st.integers(0, 10**9), values), max_size=8), max_size=12))
def test_whatever_the_numbers_the_lines_stay_inside_their_frame(points):
    svg = lines_svg([make_series(str(number), each) for number, each in enumerate(points)])
    for path in ElementTree.fromstring(svg).iter("path") if svg else ():
        numbers = re.findall(r"-?[\d.]+ -?[\d.]+", path.attrib["d"])
        for x, y in (map(float, pair.split()) for pair in numbers):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(0, 12))
def test_a_running_mean_lies_between_the_values_and_keeps_both_ends(found, window):
    means = running_mean(found, window)
    assert len(means) == len(found)
    assert (means[0], means[-1]) == pytest.approx((found[0], found[-1]), abs=1e-6)
    assert all(min(found) - 1e-6 <= mean <= max(found) + 1e-6 for mean in means)


def test_a_running_mean_of_a_straight_line_is_the_line():
    line = [0.5 * step for step in range(20)]
    assert running_mean(line, 6) == pytest.approx(line)
