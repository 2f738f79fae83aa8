"""Names as parts of addresses: safe, short, all different."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.site.addresses import RESERVED, relative, slug_of, slugs


@given(st.lists(st.text(max_size=90), unique=True, max_size=12))
def test_slugs_are_safe_and_differ_also_where_case_does_not_count(names):
    found = slugs(names)
    assert len({slug.casefold() for slug in found}) == len(names)
    for slug in found:
        assert re.fullmatch(r"[A-Za-z0-9_][\w.-]*", slug, re.ASCII)
        assert len(slug) <= 80
        assert slug.split(".")[0].casefold() not in RESERVED


@pytest.mark.parametrize("name", ["topic", "zh_reading", "ppo-ptx-175b", "v1.2"])
def test_a_safe_name_stays(name):
    assert slug_of(name) == name


@pytest.mark.parametrize("name", ["../../etc/passwd", "/", "..", "a\\b", "nul.html", "CON", "a\0b"])
def test_no_name_climbs_out_or_means_a_device(name):
    slug = slug_of(name)
    assert slug != name
    assert not set(slug) & set("/\\\0")
    assert slug not in (".", "..")


def test_a_lone_surrogate_is_a_name_too():
    assert len(set(slugs(["\ud800", "\ud801"]))) == 2


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("index.html", "task/a.html", "task/a.html"),
        ("task/a.html", "index.html", "../index.html"),
        ("zh/item/a/b.html", "static/board.css", "../../../static/board.css"),
    ],
)
def test_links_are_relative(source, target, told):
    assert relative(source, target) == told
