"""Values that the tests of the charts start from, and what their drawings are read with."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace

from bench.reporting.comparison.lineage import Edge
from bench.reporting.comparison.values import Change, Contrast, Pooled
from bench.reporting.results.schema import Metric
from bench.reporting.site.charts.words import BOLD, SIZE, SMALL, width_of

ACCURACY = Metric("accuracy", rope=0.01, margin=0.02)
TOXICITY = Metric("toxicity", lower_is_better=True)
LIKERT = Metric("likert", low=1.0, high=7.0, rope=0.1)
HOSTILE = '"><script>alert(1)</script>\x00\u202e\ufffe'
CONTRAST = Contrast(
    task="topic",
    variant="",
    kind="classification",
    language="en",
    metric=ACCURACY,
    child_mean=0.4,
    parent_mean=0.6,
    estimate=-0.2,
    se=0.08,
    lo=-0.36,
    hi=-0.04,
    level=0.95,
    method="t",
    p_better=0.01,
    rope_worse=0.99,
    rope_same=0.01,
    rope_better=0.0,
    p_value=0.012,
    p_adjusted=0.031,
    verdict="worse",
    tax="tax",
    p_noninferior=0.94,
    mde=0.22,
    n_items=120,
    n_clusters=120,
    n_missing=0,
)
NO_NUMBER = replace(
    CONTRAST,
    task="bias",
    estimate=None,
    se=None,
    lo=None,
    hi=None,
    p_value=None,
    p_adjusted=None,
    verdict="no number",
    tax=None,
    p_noninferior=None,
    mde=None,
    warnings=("limit differs (8 against none)",),
)
POOLED = Pooled(
    estimate=0.02,
    se=0.02,
    lo=-0.02,
    hi=0.06,
    method="normal_normal",
    p_better=0.84,
    tau=0.03,
    i2=0.5,
    macro=0.01,
    macro_lo=-0.03,
    macro_hi=0.05,
    n_tasks=8,
    shrunken={},
)
CHANGE = Change(Edge(1, 0, "parent"), "ppo-6b", "sft-6b", (CONTRAST,), (), POOLED)
Element = ElementTree.Element


def parsed(svg: str) -> Element:
    """The root; raises where the text is not well formed."""
    return ElementTree.fromstring(svg)


def classed(root: Element, name: str) -> list[Element]:
    """The elements of a class."""
    return [one for one in root.iter() if name in one.attrib.get("class", "").split()]


def texts(root: Element) -> list[str]:
    """What is written."""
    return [one.text or "" for one in root.iter("text")]


def number(element: Element, key: str) -> float:
    """An attribute as a number."""
    return float(element.attrib[key])


def points(element: Element) -> list[tuple[float, float]]:
    """The corners of a path."""
    numbers = [float(found) for found in re.findall(r"-?[\d.]+", element.attrib["d"])]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def assert_sound(svg: str) -> Element:
    """What holds for every chart: well formed, inside its frame, labelled, no script, no nan."""
    root = parsed(svg)
    ids = [one.attrib["id"] for one in root.iter() if "id" in one.attrib]
    assert ids == root.attrib["aria-labelledby"].split()
    assert len(set(ids)) == len(ids)
    assert all((root.find(name).text or "").strip() for name in ("title", "desc"))
    linked = next(root.iter("a"), None) is not None
    assert root.attrib["role"] == ("group" if linked else "img")
    assert not any("nan" in value or "inf" in value for value in _drawn_attributes(root))
    assert {one.tag for one in root.iter()} <= TAGS
    assert not any(one.attrib.keys() & {"transform", "style", "onclick"} for one in root.iter())
    assert_inside(root)
    return root


TAGS = {*("svg", "title", "desc", "g", "a"), *("line", "rect", "circle", "path", "text")}


def assert_inside(root: Element) -> None:
    """No corner and no text leaves the frame."""
    width, height = number(root, "width"), number(root, "height")
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    for element in root.iter():
        for x, y in _extent(element):
            assert -0.06 <= x <= width + 0.06, (element.attrib, element.text)
            assert -0.06 <= y <= height + 0.06, (element.attrib, element.text)


def _extent(element: Element) -> Iterator[tuple[float, float]]:
    if element.tag == "line":
        yield number(element, "x1"), number(element, "y1")
        yield number(element, "x2"), number(element, "y2")
    elif element.tag == "rect":
        x, y = number(element, "x"), number(element, "y")
        yield x, y
        yield x + number(element, "width"), y + number(element, "height")
    elif element.tag == "circle":
        x, y, r = (number(element, key) for key in ("cx", "cy", "r"))
        yield x - r, y - r
        yield x + r, y + r
    elif element.tag == "path":
        yield from points(element)
    elif element.tag == "text":
        yield from _extent_of_text(element)


def _extent_of_text(element: Element) -> Iterator[tuple[float, float]]:
    style = set(element.attrib.get("class", "").split())
    size = SMALL if style & {"soft", "small", "name", "badge-text"} else SIZE
    bold = style & {"strong", "head", "verdict-better", "verdict-worse"}
    width = width_of(element.text or "", size * (BOLD if bold else 1.0))
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[element.attrib.get("text-anchor", "start")]
    left, y = number(element, "x") - share * width, number(element, "y")
    yield left, y - size
    yield left + width, y + 2


def _drawn_attributes(root: Element) -> list[str]:
    drawn = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "d", "width", "height", "viewBox"}
    return [value for one in root.iter() for key, value in one.attrib.items() if key in drawn]
