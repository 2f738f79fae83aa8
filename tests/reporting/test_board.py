"""The board of several runs: files, rows, labels, what is not comparable, hostile names."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting.board import (
    LONGEST,
    kind_rows,
    load_entries,
    make_entries,
    mismatches,
    other_rows,
    task_rows,
    write_board,
)
from bench.store import save_run
from tests.reporting.pages import Page
from tests.reporting.values import descended, records, run, task

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"`&amp;</summary></details></main>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "nul\0 bell\a",
    "\u202egnp.exe\u2066",
    "]]><!-- --><style>*{display:none}</style>",
    "x" * 100_000,
    "两个\n行",
]


def page_of(*runs, folder: Path) -> str:
    return write_board(make_entries(runs), folder).read_text(encoding="utf-8")


def two_runs():
    """Two runs of which only the second has `reading`."""
    facts, reading = task("facts", rows=2), task("reading", rows=2)
    first = run(facts, name="one-1", model="org/one")
    second = run(facts, reading, name="two-1", model="org/two")
    rows = records("facts", 1.0, 0.0)
    return (first, rows), (second, rows + records("reading", 1.0, None))


def test_a_board_is_four_files(tmp_path):
    written = write_board(make_entries(two_runs()), tmp_path / "a" / "b")
    assert written == tmp_path / "a" / "b" / "index.html"
    assert sorted(path.name for path in written.parent.iterdir()) == [
        "board.csv",
        "board.json",
        "board.md",
        "index.html",
    ]


def test_the_page_is_well_formed_and_needs_no_script_and_no_network(tmp_path):
    page = Page(page_of(*two_runs(), folder=tmp_path))
    assert "script" not in {tag for tag, _ in page.tags}
    links = {attrs["href"] for _, attrs in page.tags if "href" in attrs}
    assert links == {"board.csv", "board.json", "board.md"}
    assert not any("src" in attrs for _, attrs in page.tags)
    policy = next(attrs["content"] for _, attrs in page.tags if "http-equiv" in attrs)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_shows_estimates_intervals_counts_and_failures(tmp_path):
    text = " ".join(Page(page_of(*two_runs(), folder=tmp_path)).text.split())
    assert "facts (accuracy) 0.500 [0.095, 0.905] n=2 0.500 [0.095, 0.905] n=2" in text
    assert "reading (accuracy) not run 1.000 [0.207, 1.000] n=1 1 failed" in text


def test_a_task_that_a_run_does_not_have_is_not_run_rather_than_zero(tmp_path):
    rows = dict(task_rows(make_entries(two_runs())))
    assert rows["reading (accuracy)"][0] is None
    assert rows["reading (accuracy)"][1].estimate == 1.0
    write_board(make_entries(two_runs()), tmp_path)
    line = "| reading (accuracy) | not run | 1.000 [0.207, 1.000] n=1, 1 failed |"
    assert line in (tmp_path / "board.md").read_text().splitlines()


def test_a_task_without_a_score_shows_its_failures(tmp_path):
    html = page_of((run(), records("facts", None, None)), folder=tmp_path)
    assert "no score 2 failed" in " ".join(Page(html).text.split())


def test_tasks_are_grouped_by_kind_and_other_metrics_kept_apart():
    tasks = task("b", kind="qa", aggregates=("nll",)), task("a", kind="code"), task("c", kind="qa")
    entries = make_entries([(run(*tasks), [])])
    assert [name for name, _ in task_rows(entries)] == [
        "a (accuracy)",
        "b (accuracy)",
        "c (accuracy)",
    ]
    assert [name for name, _ in other_rows(entries)] == ["b (nll, lower is better)"]
    assert [name for name, _ in kind_rows(entries)] == ["code", "qa"]


def test_runs_of_one_name_keep_their_own_numbers():
    good, bad = (run(), records("facts", 1.0)), (run(), records("facts", 0.0))
    ((_, cells),) = task_rows(make_entries([good, bad]))
    assert [cell.estimate for cell in cells] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("key", "values", "labels"),
    [
        ("model", ["org/a", "/x/b/"], ["a", "b"]),
        ("settings", [{"shots": 0}, {"shots": 5}], ["model, shots 0", "model, shots 5"]),
        (
            "model_description",
            [{"dtype": "float32"}, {"dtype": "bfloat16"}],
            ["model, dtype float32", "model, dtype bfloat16"],
        ),
        ("name", ["model-1", "model-2"], ["model #1", "model #2"]),
    ],
)
def test_labels_name_the_model_and_tell_runs_of_one_model_apart(key, values, labels):
    entries = make_entries([(run(**{key: value}), []) for value in values])
    assert [entry.label for entry in entries] == labels


@given(st.lists(st.sampled_from(["a", "x/a", "b", "y" * 99]), min_size=1, max_size=6))
def test_labels_are_never_shared_and_never_long(models):
    labels = [entry.label for entry in make_entries([(run(model=name), []) for name in models])]
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= LONGEST + len(" #9") for label in labels)


def test_equal_runs_of_two_models_have_no_mismatch():
    one, two = (run(model="a"), []), (run(model="b"), [])
    assert mismatches(make_entries([one, two])) == []


def test_differing_settings_rows_and_tasks_are_said():
    one = run(task("facts"), task("topic"), model="a", settings={"shots": 0, "limit": None})
    two = run(task("facts", digest="e"), model="b", settings={"shots": 5, "limit": None})
    assert mismatches(make_entries([(one, []), (two, [])])) == [
        "shots differs (0: a; 5: b)",
        "rows or scoring differ in facts",
        "not every run has every task, so means by kind cover different tasks",
    ]


def test_mismatches_and_warnings_stand_on_the_page(tmp_path):
    first, second = two_runs()
    text = Page(page_of(first, second, folder=tmp_path)).text
    assert "not every run has every task" in text
    html = page_of((run(task("facts", aggregates=("pass@9",))), second[1]), folder=tmp_path)
    assert "pass@9 needs 9 samples" in Page(html).text
    assert "#warnings" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_commands_and_reasons_are_inert(tmp_path, text):
    hostile = run(
        task(text, kind=text, aggregates=(text,)),
        name=text,
        model=text,
        command=text,
        settings={"system": text},
        model_description={"family": text},
    )
    rows = [replace(row, reason=text) for row in records(text, 1.0, None)]
    html = page_of((hostile, rows), two_runs()[1], folder=tmp_path)
    page = Page(html)
    assert {"script", "img"}.isdisjoint(tag for tag, _ in page.tags)
    assert sum(tag == "style" for tag, _ in page.tags) == 1
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert not set(html) & set("\0\a\u202e\u2066")
    assert "49" not in page.text.split()
    assert len(html) < 2_000_000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_settings_are_no_markup_in_markdown(tmp_path, text):
    hostile = run(task(text, kind=text), model=text, settings={"system": text})
    write_board(make_entries([(hostile, records(text, 1.0)), two_runs()[1]]), tmp_path)
    found = (tmp_path / "board.md").read_text()
    assert not re.search(r"(?<!\\)[<>`]", found)
    assert not set(found) & set("\0\a\u202e\u2066")
    rows = [line for line in found.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_leave_json_whole(tmp_path, text):
    write_board(make_entries([(run(task(text), model=text), records(text, 1.0))]), tmp_path)
    (found,) = json.loads((tmp_path / "board.json").read_text())["runs"]
    assert (found["model"], found["cells"][0]["task"]) == (text, text)


def test_entries_are_read_from_run_folders(tmp_path):
    for made, rows in two_runs():
        save_run(tmp_path / made.name, made, rows)
    entries = load_entries([tmp_path / "one-1", tmp_path / "two-1"])
    assert [entry.label for entry in entries] == ["one", "two"]
    assert [len(entry.cells) for entry in entries] == [1, 2]


def lineage():
    """A base, an SFT of it, a PPO of that, given in another order; PPO was run with a limit."""
    base, sft = descended("base"), descended("sft", "base", "sft")
    ppo = descended("ppo", "sft", "ppo", settings={"shots": 0, "limit": 8})
    rows = [records("facts", *[float(n < right) for n in range(40)]) for right in (10, 30, 20)]
    return (ppo, rows[2]), (sft, rows[1]), (base, rows[0])


def test_columns_follow_the_lineage():
    entries = make_entries(lineage())
    assert [entry.label for entry in entries] == ["base", "sft", "ppo"]
    ((_, cells),) = task_rows(entries)
    assert [cell.estimate for cell in cells] == [0.25, 0.75, 0.5]


def test_the_page_shows_lineage_and_changes_and_says_them_in_a_sentence(tmp_path):
    text = " ".join(Page(page_of(*lineage(), folder=tmp_path)).text.split())
    assert "base stage not stated sft stage sft, from base ppo stage ppo, from sft" in text
    assert "sft against base: better on 1 task, worse on 0, undetermined on 0; mean change" in text
    assert "ppo against sft: no number on any task: limit differs (8 against none)." in text
    assert re.search(r"facts \(accuracy\) \+0.500 \[.*?\] n=40 better, P >0.999 no number", text)


def test_changes_stand_in_markdown_json_and_csv(tmp_path):
    write_board(make_entries(lineage()), tmp_path)
    found = (tmp_path / "board.md").read_text()
    assert "- base: stage not stated\n  - sft: stage sft, from base\n    - ppo" in found
    assert re.search(
        r"\| facts \(accuracy\) \| \+0.500 \[.*\] n=40, better .* \| no number \|", found
    )
    sft, ppo = json.loads((tmp_path / "board.json").read_text())["contrasts"]
    assert (sft["child"], sft["parent"], sft["mean"]["estimate"]) == ("sft", "base", 0.5)
    assert (sft["tasks"][0]["verdict"], ppo["tasks"][0]["verdict"]) == ("better", "no number")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "contrasts.csv").read_text())))
    assert [line["task"] for line in lines] == ["all", "facts"] * 2
    assert [line["verdict"] for line in lines] == ["better"] * 2 + ["no number"] * 2
    assert lines[3]["estimate"] == ""


def test_a_board_without_lineage_leaves_the_sections_out_and_an_older_file_too(tmp_path):
    write_board(make_entries(lineage()), tmp_path)
    html = page_of(*two_runs(), folder=tmp_path)
    assert not (tmp_path / "contrasts.csv").exists()
    assert list(json.loads((tmp_path / "board.json").read_text())) == ["runs"]
    for text in (html, (tmp_path / "board.md").read_text()):
        assert "Lineage" not in text
        assert "Change against parent" not in text


def test_a_parent_that_is_not_on_the_board_is_said(tmp_path):
    (_, sft, _) = lineage()
    text = " ".join(Page(page_of(sft, folder=tmp_path)).text.split())
    assert "sft stage sft, from base, not on this board" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_lineages_are_inert(tmp_path, text):
    runs = [
        (descended(text, stage=text, tasks=(task(text),)), records(text, 1.0, 0.0)),
        (descended("c", text, text, tasks=(task(text),)), records(text, 1.0, 1.0)),
    ]
    html = page_of(*runs, folder=tmp_path)
    assert {"script", "img"}.isdisjoint(tag for tag, _ in Page(html).tags)
    assert not set(html) & set("\0\a\u202e\u2066")
    assert not re.search(
        r"(?<!\\)[<>`]", (tmp_path / "board.md").read_text().replace("P <0", "P 0")
    )
