"""Tables as files: what is written comes back, and nothing in them is executed or markup."""

import csv
import io
import math

import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.site.tables import FORMATS, Table, files_of, json, markdown, tex
from bench.reporting.site.tables import csv as as_csv
from bench.reporting.site.tables import parquet as as_parquet
from tests.reporting.site.pages import document

TABLE = Table(
    "scores",
    ("model", "n", "estimate", "headline"),
    (("sft", 120, 0.6133333333333333, True), ("ppo", None, -1e-17, False)),
)
text = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)
numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
rows = st.lists(st.tuples(text, numbers, st.integers(-(2**53), 2**53)), min_size=1, max_size=6)


@given(rows)
def test_json_comes_back_as_it_was(values):
    found = document(json(Table("t", ("a", "b", "c"), values)))
    assert found == {"name": "t", "columns": ["a", "b", "c"], "rows": [list(row) for row in values]}


@given(rows)
def test_parquet_comes_back_as_it_was(values):
    table = parquet.read_table(io.BytesIO(as_parquet(Table("t", ("a", "b", "c"), values))))
    assert [tuple(row.values()) for row in table.to_pylist()] == values


def test_csv_keeps_every_digit_and_leaves_what_is_missing_empty():
    header, *found = csv.reader(io.StringIO(as_csv(TABLE).decode()))
    assert header == list(TABLE.columns)
    assert [float(row[2]) for row in found] == [0.6133333333333333, -1e-17]
    assert found[1][1] == ""


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "＝"])
def test_a_formula_is_text_in_csv(sign):
    (row,) = list(csv.reader(io.StringIO(as_csv(Table("t", ("a",), ((f"{sign}1+1",),))).decode())))[
        1:
    ]
    assert row[0].startswith("'")


def test_what_is_no_number_is_null_in_json():
    found = document(json(Table("t", ("a", "b"), ((math.nan, math.inf),))))
    assert found["rows"] == [[None, None]]


def test_half_of_a_surrogate_pair_breaks_no_file():
    for name, content in files_of(Table("t", ("a\ud800",), (("b\ud801",),)), FORMATS):
        assert content, name


def test_latex_is_a_booktabs_table_in_which_nothing_is_a_command():
    told = tex(Table("t", ("100%", "n_a"), ((r"\input{x} & {y}_z #1 $ ~ ^ <", 1.23456),)))
    lines = told.decode().splitlines()
    assert lines[:3] == [r"\begin{tabular}{lr}", r"\toprule", r"100\% & n\_a \\"]
    assert lines[4] == (
        r"\textbackslash{}input\{x\} \& \{y\}\_z \#1 \$ \textasciitilde{} \textasciicircum{} "
        r"\textless{} & 1.235 \\"
    )
    assert lines[5:] == [r"\bottomrule", r"\end{tabular}"]


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=4))
def test_markdown_keeps_any_text_on_its_line_and_in_its_column(values):
    lines = markdown(Table("t", ("a", "b"), values)).decode("utf-8").split("\n")
    assert len(lines) == len(values) + 3
    for line in lines[:-1]:
        bare = line.replace("\\\\", "").replace("\\|", "")
        assert bare.count("|") == 3


def test_an_empty_table_has_every_form():
    names = [name for name, _ in files_of(Table("t", ("a", "b"), ()), FORMATS)]
    assert names == ["t.csv", "t.json", "t.parquet", "t.tex", "t.md"]
