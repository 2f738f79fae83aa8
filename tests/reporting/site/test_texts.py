"""Texts of run folders: outputs of rows on the board, prompts of items that are the same still."""

from dataclasses import replace

import pytest

from bench.errors import RunError
from bench.registry.folder import select
from bench.registry.prompt import load_examples
from bench.reporting.comparison.board import make_board
from bench.reporting.results.from_run import results_of
from bench.reporting.site.texts import texts_of_runs
from bench.store import save_run
from bench.types import Reply
from tests.reporting import values


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run of three rows of an embedded task, the last of which has changed since."""
    examples, _ = load_examples(select(["sentiment"])[0][0], limit=3)
    rows = values.records("sentiment", 1.0, 0.0, 1.0)
    records = [
        replace(row, id=one.id, digest=one.digest, reply=Reply(text=f"said {one.id}"),
                prediction="positive", choices=(), probabilities=())
        for row, one in zip(rows, examples, strict=True)
    ]  # fmt: skip
    records[2] = replace(records[2], digest="changed")
    folder = tmp_path_factory.mktemp("runs") / "one"
    run = values.run(values.task("sentiment", rows=3), model="org/one")
    save_run(folder, run, records)
    return folder, make_board(results_of(run, records)), examples


def test_outputs_are_what_the_model_wrote(saved):
    folder, board, examples = saved
    texts = texts_of_runs(board, [folder])
    assert [one.text for one in texts.outputs.values()] == [f"said {one.id}" for one in examples]
    assert {key[:3] for key in texts.outputs} == {(0, "sentiment", "")}


def test_prompts_are_those_of_items_that_have_not_changed(saved):
    folder, board, examples = saved
    texts = texts_of_runs(board, [folder])
    first = examples[0]
    assert first.question in texts.prompts["sentiment", "", first.id, first.digest].text
    assert ("sentiment", "", examples[2].id, "changed") not in texts.prompts


def test_a_run_that_is_not_on_the_board_is_named(saved):
    folder, *_ = saved
    texts = texts_of_runs(make_board([]), [folder])
    assert texts.outputs == {}
    assert texts.notes == ("one: sentiment is not on this board as it was run there",)


def test_a_task_without_a_folder_here_has_no_prompts_and_says_so(tmp_path):
    records = values.records("no_such_task", 1.0)
    run = values.run(values.task("no_such_task", rows=1), model="org/one")
    save_run(tmp_path / "run", run, records)
    texts = texts_of_runs(make_board(results_of(run, records)), [tmp_path / "run"])
    assert len(texts.outputs) == 1
    assert texts.notes == ("no_such_task: no task folder here, so no prompts",)


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(RunError, match=r"no run\.json"):
        texts_of_runs(make_board([]), [tmp_path])
