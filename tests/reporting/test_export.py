"""Cells as Markdown, CSV and JSON, also when names are hostile."""

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.export import (
    cells_json,
    dumps,
    printable,
    rows_csv,
    show,
    table_markdown,
)
from tests.reporting.values import CELL

EMPTY = replace(CELL, estimate=None, lo=None, hi=None, n=0)


def table(text: str) -> list[list[str]]:
    """Rows of a CSV text."""
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (CELL, "0.500 [0.250, 0.750] n=12"),
        (replace(CELL, failed=3), "0.500 [0.250, 0.750] n=12, 3 failed"),
        (replace(CELL, lo=None, hi=None), "0.500 n=12"),
        (replace(CELL, estimate=0.0, lo=0.0, hi=0.2), "0.000 [0.000, 0.200] n=12"),
        (replace(EMPTY, failed=3), "–, 3 failed"),
        (EMPTY, "–"),
        (None, "not run"),
    ],
)
def test_a_cell_is_shown_with_its_interval_count_and_failures(cell, shown):
    assert show(cell) == shown


def test_json_has_runs_with_cells_of_exactly_the_promised_keys():
    document = cells_json([("org/model", "model-1", [CELL, EMPTY]), ("other", "other-1", [])])
    assert list(document) == ["runs"]
    first, second = document["runs"]
    assert list(first) == ["model", "run", "cells"]
    assert list(first["cells"][0]) == ["task", "metric", "estimate", "lo", "hi", "n", "failed"]
    assert second == {"model": "other", "run": "other-1", "cells": []}


def test_json_writes_null_for_what_is_missing_and_survives_a_round_trip():
    document = cells_json([("模型|<script>", "r", [EMPTY])])
    assert document["runs"][0]["cells"][0]["estimate"] is None
    assert json.loads(dumps(document)) == document
    assert "模型" in dumps(document)


def csv_of(**row: object) -> str:
    return rows_csv(list(row), [row])


def test_csv_leaves_missing_values_empty():
    assert table(csv_of(estimate=None, n=0)) == [["estimate", "n"], ["", "0"]]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\t", "\r\n"])
def test_csv_text_that_starts_like_a_formula_is_quoted(before, sign):
    hostile = f'{before}{sign}cmd|"/c calc"!A1'
    _, row = table(csv_of(model=hostile))
    assert row[0] == f'\'{sign}cmd|"/c calc"!A1'


def test_csv_numbers_stay_numbers():
    assert table(csv_of(estimate=-0.5))[1] == ["-0.5"]


@given(st.text(max_size=20))
def test_csv_keeps_any_name_in_one_field_of_one_line(name):
    text = csv_of(model=name, task="facts")
    assert len(text.splitlines()) == 2
    assert table(text)[1][1] == "facts"


def test_markdown_is_a_table_with_a_column_for_each_model():
    text = table_markdown(["one", "two"], [("facts", [show(CELL), show(None)])])
    assert text.splitlines() == [
        "| | one | two |",
        "|---|---|---|",
        "| facts | 0.500 [0.250, 0.750] n=12 | not run |",
    ]


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("a\\|b", r"a\\\|b"),
        ("a\nb\r\nc\u2028d", "a b c d"),
        ("<script>", r"\<script\>"),
        ("[x](javascript:y)", r"\[x\](javascript:y)"),
        ("**bold** `code`", r"\*\*bold\*\* \`code\`"),
        ("zh_reading", "zh_reading"),
    ],
)
def test_markdown_escapes_what_would_be_markup(name, escaped):
    text = table_markdown([name], [(name, [show(CELL)])])
    assert text.splitlines()[0] == f"| | {escaped} |"
    assert text.splitlines()[2].startswith(f"| {escaped} |")


@given(st.text(max_size=30))
def test_markdown_keeps_any_name_on_one_line_in_one_column(name):
    lines = table_markdown([name, "two"], [("facts", [show(CELL), show(CELL)])]).split("\n")
    assert len(lines) == 4
    bare = lines[0].replace("\\\\", "").replace("\\|", "")
    assert bare.count("|") == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("two\nlines\tand more", "two lines and more"),
        ("nul\0, bell\a", "nul\ufffd, bell\ufffd"),
        ("gnp.\u202egpj", "gnp.\ufffdgpj"),
        ("\u2066isolate\u2069", "\ufffdisolate\ufffd"),
        ("lone \ud800", "lone \ufffd"),
        ("模型 é 👩\u200d🔬", "模型 é 👩\u200d🔬"),
    ],
)
def test_printable_replaces_what_hides_or_reorders_text(text, shown):
    assert printable(text) == shown
