"""Corpora: cleaned, held out by whole groups, and never by where a row stands."""

import pytest

from bench.errors import TaskError
from bench.training.data.corpus import demonstrations_of, load_corpus, rankings_of
from bench.training.data.data_settings import Clean, Data, Holdout, Source
from bench.training.data.sources import Places
from tests.training.rows import real_data, write_rows, write_task

PLAIN = Clean(decontaminate=False)
ROWS = [
    {"id": f"row-{n}", "prompt": f"What is {n} + 1?", "completion": str(n + 1), "user": str(n % 40)}
    for n in range(200)
]


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch):
    monkeypatch.delenv("BENCH_DATA_ROOT", raising=False)


def corpus_of(folder, rows=ROWS, seed=0, holdout=None, clean=PLAIN, group="user"):
    write_rows(folder / "data.jsonl", rows)
    source = Source(file="data.jsonl", group=group)
    data = Data(sources=(source,), clean=clean, holdout=holdout or Holdout())
    return load_corpus("sums", data, Places(folder), seed)


def learned(corpus) -> set[str]:
    return {row[0].prompt.id for row in corpus.train["data"]}


def held(corpus) -> set[str]:
    return {item.prompt.id for item in corpus.held_out}


def test_every_row_is_learned_or_held_out_and_groups_stay_whole(tmp_path):
    corpus = corpus_of(tmp_path, holdout=Holdout(share=0.3))
    assert learned(corpus) | held(corpus) == {row["id"] for row in ROWS}
    groups = {item.prompt.group for item in corpus.held_out}
    assert groups.isdisjoint(row[0].prompt.group for row in corpus.train["data"])
    assert 6 <= len(groups) <= 18


def test_more_rows_in_another_order_move_no_row(tmp_path):
    few = corpus_of(tmp_path, ROWS[:90])
    more = corpus_of(tmp_path, [ROWS[150], *reversed(ROWS[:120])])
    assert held(few) <= held(more)
    assert learned(few) <= learned(more)


def test_another_seed_holds_out_other_groups(tmp_path):
    assert held(corpus_of(tmp_path, seed=0)) != held(corpus_of(tmp_path, seed=1))


def test_no_share_holds_out_nothing(tmp_path):
    corpus = corpus_of(tmp_path, holdout=Holdout(share=0.0))
    assert corpus.held_out == ()
    assert len(corpus.train["data"]) == 200


def test_rows_above_the_most_are_held_out_but_not_measured(tmp_path):
    every = corpus_of(tmp_path, holdout=Holdout(share=0.3))
    some = corpus_of(tmp_path, holdout=Holdout(share=0.3, most=5))
    assert learned(some) == learned(every)
    assert len(some.held_out) == 5
    assert held(some) < held(every)


def test_held_out_rows_are_in_their_own_wording(tmp_path):
    data = Data(
        sources=(Source(task="capitals", variants=("*",)),), holdout=Holdout(share=0.6), clean=PLAIN
    )
    corpus = load_corpus("tasks", data, write_task(tmp_path), 0)
    assert {len(row) for row in corpus.train["capitals"]} == {3}
    assert corpus.held_out
    assert {item.prompt.example.variant for item in corpus.held_out} == {""}


def test_digests_follow_what_is_left_after_cleaning(tmp_path):
    assert corpus_of(tmp_path).digests == corpus_of(tmp_path, [*ROWS, ROWS[0]]).digests
    assert corpus_of(tmp_path).digests != corpus_of(tmp_path, ROWS[:-1]).digests


def test_rows_of_the_task_s_own_test_split_are_not_learned(tmp_path):
    places = write_task(tmp_path)
    asked = {"prompt": "What is the capital of Japan?", "completion": "Tokyo"}
    write_rows(tmp_path / "data.jsonl", [asked, {"prompt": "Of Peru?", "completion": "Lima"}])
    data = Data(sources=(Source(file="data.jsonl"),), holdout=Holdout(share=0.0))
    corpus = load_corpus("plain", data, places, 0)
    assert [row[0].target for row in corpus.train["data"]] == ["Lima"]
    assert "capitals" in corpus.report.tests


def test_a_corpus_with_nothing_left_says_what_was_dropped(tmp_path):
    with pytest.raises(TaskError) as caught:
        corpus_of(tmp_path, clean=Clean(decontaminate=False, longest=3))
    assert caught.value.cause == (
        "data 'sums': no row is left to learn: 200 read, 200 longest, 0 kept, 0 held out"
    )


def test_demonstrations_and_rankings_under_one_name_are_refused(tmp_path):
    write_rows(tmp_path / "a.jsonl", ROWS[:2])
    write_rows(tmp_path / "b.jsonl", [{"prompt": "2 + 2 =", "chosen": "4", "rejected": "5"}])
    data = Data(sources=(Source(file="a.jsonl"), Source(file="b.jsonl")))
    with pytest.raises(TaskError) as caught:
        load_corpus("both", data, Places(tmp_path), 0)
    assert "a holds demonstrations, b holds rankings" in caught.value.cause


def test_a_stage_that_needs_the_other_kind_is_told_so(tmp_path):
    corpus = corpus_of(tmp_path)
    assert demonstrations_of(corpus) is corpus
    with pytest.raises(TaskError) as caught:
        rankings_of(corpus)
    assert caught.value.cause == "data 'sums' holds demonstrations, expected rankings"
    assert "chosen + rejected" in caught.value.remedy


def test_real_preferences_become_a_corpus_of_rankings():
    source = Source(hub="Anthropic/hh-rlhf", config="harmless-base", split="test")
    data = Data(sources=(source,), clean=PLAIN)
    corpus = rankings_of(load_corpus("hh", data, real_data("Anthropic/hh-rlhf"), 0))
    assert 1950 < len(corpus.train["hh-rlhf"]) < 2180
    assert len(corpus.held_out) == 200
