"""A board without faults has no finding; each fault is found, with its file and its rule."""

import shutil
from dataclasses import replace

import pytest

from bench.errors import RunError
from bench.reporting.results.audit import RULES, audit, failed
from bench.reporting.results.files import load_result, save_result
from bench.reporting.results.from_run import results_of
from bench.reporting.results.rule import Rule
from bench.reporting.results.rules_aggregates import recomputed
from bench.reporting.results.schema import WINS, Link, Metric
from tests.reporting.results.values import (
    BASE,
    BASE_MODEL,
    SFT_MODEL,
    edit,
    faults,
    result,
    write_board,
)
from tests.reporting.values import records, run, task

TOPIC = f"small/{BASE}/topic.json"
SFT_TOPIC = "demo-sft/bbbbbbbbbbbbbbbb/topic.json"


@pytest.fixture
def board(tmp_path):
    """A folder of results with nothing wrong."""
    return write_board(tmp_path / "results")


def found(folder, file):
    """The rules that a file breaks."""
    return {finding.rule for finding in audit([folder]) if finding.file == str(folder / file)}


def test_a_good_board_has_no_finding(board):
    assert faults(board) == []


def scores(content):
    return content["items"]["scores"]["accuracy"]


def first_item_becomes(key, value):
    """A change of the first value in a column of the items."""

    def change(content):
        content["items"][key][0] = value

    return change


def at(*keys):
    """A change of the value at a path of keys."""
    *path, last, value = keys

    def change(content):
        for key in path:
            content = content[key]
        content[last] = value

    return change


FAULTS = {
    "edited without its seal": ("seal", at("asked", 19), False),
    "another schema": ("schema-version", at("schema_version", 7), True),
    "a key missing": ("schema", lambda content: content.pop("model"), True),
    "a short column": ("schema", lambda content: scores(content).pop(), True),
    "a key that nobody reads": ("form", at("comment", "trust me"), True),
    "a number as text": ("form", lambda content: scores(content).__setitem__(0, "1.0"), True),
    "fewer items than asked": ("counts", at("asked", 40), True),
    "a failed item with a score": ("counts", first_item_becomes("failures", "no reply"), True),
    "an item without score": ("counts", lambda content: scores(content).__setitem__(0, None), True),
    "a column too many": ("columns", at("items", "scores", "f1", [0.5] * 20), True),
    "an unknown measure": ("columns", at("items", "measures", "mood", [0.5] * 20), True),
    "no metric": ("columns", at("task", "metrics", []), True),
    "an item twice": ("items", first_item_becomes("ids", "topic-1"), True),
    "no command": ("provenance", at("provenance", "command", ""), True),
    "no revision": ("provenance", at("model", "revision", ""), True),
    "no start": ("undated", at("provenance", "started", ""), True),
    "a start in the future": ("started", at("provenance", "started", "2999-01-01T00:00:00Z"), True),
    "a start at no time": ("started", at("provenance", "started", "yesterday"), True),
    "an unknown stage": ("stage", at("model", "stage", "rlhf"), True),
    "a limit": ("limited", at("settings", "limit", 20), True),
    "a score above its bound": (
        "scores",
        lambda content: scores(content).__setitem__(3, 1.5),
        True,
    ),
    "a probability above 1": (
        "measures",
        lambda content: content["items"]["measures"]["probability"].__setitem__(3, 1.5),
        True,
    ),
    "an aggregate below its bound": ("aggregates", at("aggregates", "mcc", -1.5), True),
    "an aggregate that is no number": ("finite", at("aggregates", "mcc", float("nan")), True),
    "an infinite score": (
        "finite",
        lambda content: scores(content).__setitem__(0, float("inf")),
        True,
    ),
    "a judge who is none": ("judges", at("items", "measures", "judged_by", [0.0] * 20), True),
    "an infinite judge": (
        "judges",
        at("items", "measures", "judged_by", [float("inf")] * 20),
        True,
    ),
    "an ECE that the items do not give": ("recomputed", at("aggregates", "ece", 0.9), True),
    "no ECE where the items give one": ("recomputed", at("aggregates", "ece", None), True),
    "a Brier score that the items do not give": (
        "recomputed",
        at("aggregates", "brier", 0.9),
        True,
    ),
    "an NLL that the items do not give": ("recomputed", at("aggregates", "nll", 0.9), True),
    "a pass@1 that the items do not give": ("recomputed", at("aggregates", "pass@1", 0.9), True),
    "an infinite setting": ("finite", at("settings", "top_p", float("inf")), True),
    "a chance above the bound": (
        "metrics",
        lambda content: content["task"]["metrics"][0].update(chance=2.0),
        True,
    ),
    "a chance that is the best": (
        "metrics",
        lambda content: content["task"]["metrics"][0].update(chance=1.0),
        True,
    ),
    "the wrong model": ("place", at("model", "name", "large"), True),
    "the wrong task": ("place", at("task", "name", "facts"), True),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_file_is_found_with_its_rule(board, fault):
    rule, change, sealed = FAULTS[fault]
    edit(board / TOPIC, change, sealed)
    assert rule in found(board, TOPIC)


BROKEN = [b"{", b"[]", b"\xff", b"", b'{"schema_version": NaN', b"[" * 100_000]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_is_no_json_object_is_found_and_the_others_are_read(board, content):
    (board / TOPIC).write_bytes(content)
    edit(board / SFT_TOPIC, at("model", "stage", "rlhf"))
    assert found(board, TOPIC) == {"readable"}
    assert "stage" in found(board, SFT_TOPIC)


def test_a_file_with_a_lone_surrogate_is_found(board):
    edit(board / TOPIC, at("task", "title", "\ud800"))
    assert found(board, TOPIC) == {"form"}


def test_a_file_where_no_result_is_read_is_found(board):
    shutil.copy(board / TOPIC, board / "topic.json")
    assert found(board, "topic.json") == {"place"}


def changed(key, **changes):
    """A change of one part of a Result."""
    return lambda one: replace(one, **{key: replace(getattr(one, key), **changes)})


def headline_f1(one):
    """A second metric, put first."""
    metrics = (Metric("f1"), *one.task.metrics)
    scores = {"f1": one.items.scores["accuracy"], **one.items.scores}
    return changed("items", scores=scores)(changed("task", metrics=metrics)(one))


# What is done to the base model's topic, which is read after the child's.
DISAGREEMENTS = {
    "another version": ("versions", changed("task", version=2)),
    "other rows under one version": ("digests", changed("task", digest="other")),
    "another item under one id": ("item-digests", changed("items", digests=("x",) * 20)),
    "other items under one digest": (
        "denominators",
        changed("items", ids=tuple(f"other-{at}" for at in range(20))),
    ),
    "another rope": ("metric-meanings", changed("task", metrics=(Metric("accuracy", rope=0.1),))),
    "another direction": (
        "metric-meanings",
        changed("task", metrics=(Metric("accuracy", lower_is_better=True),)),
    ),
    "another headline": ("metric-meanings", headline_f1),
    "the child's answers": ("copies", lambda one: replace(one, items=result(SFT_MODEL).items)),
    "the child's scores": (
        "alike",
        lambda one: replace(one, items=replace(result(SFT_MODEL).items, measures={})),
    ),
}


@pytest.mark.parametrize("fault", DISAGREEMENTS)
def test_a_disagreement_between_models_is_found_with_the_file_it_is_with(board, fault):
    rule, change = DISAGREEMENTS[fault]
    if rule == "alike":  # no probabilities on either side
        save_result(board, changed("items", measures={})(load_result(board / SFT_TOPIC)))
    save_result(board, change(load_result(board / TOPIC)))
    (finding,) = [finding for finding in audit([board]) if finding.rule == rule]
    assert finding.file == str(board / TOPIC)
    if rule != "item-digests":
        assert str(board / SFT_TOPIC) in finding.told


def test_models_that_are_equal_by_accident_are_no_copies(board):
    for model in (BASE_MODEL, SFT_MODEL):
        one = result(model)
        perfect = replace(one.items, scores={"accuracy": (1.0,) * 20}, measures={})
        save_result(board, replace(one, items=perfect, aggregates={}))
    assert faults(board) == []


def test_a_task_asked_twice_of_one_model_is_found_with_the_settings_that_differ(board):
    again = replace(result(), settings={"shots": 0, "seed": 5, "limit": None})
    copied = save_result(board / "again", again)
    copied.rename(board / TOPIC.replace("topic", "topic-again"))
    (finding,) = [finding for finding in audit([board]) if finding.rule == "runs"]
    assert finding.told.endswith("/topic-again.json too, with other settings (seed)")


def test_files_of_one_model_that_say_different_things_of_it_are_found(board):
    save_result(board, changed("model", parameters=7)(load_result(board / TOPIC)))
    assert found(board, TOPIC) == {"models"}


def of_child(board, **changes):
    """Findings after a change of what all files of the child say."""
    for file in (SFT_TOPIC, SFT_TOPIC.replace("topic", "facts")):
        one = load_result(board / file)
        save_result(board, replace(one, model=replace(one.model, **changes)))
    return [(finding.rule, finding.severity, finding.told) for finding in faults(board)]


def test_a_parent_that_is_not_on_the_board_is_a_warning(board):
    told = "model.parents: gone at cccc is not on the board"
    assert of_child(board, parents=(Link("policy", "gone", "cccc"),)) == [
        ("parents", "warning", told)
    ]


def test_a_reward_model_need_not_be_on_the_board(board):
    parents = (*SFT_MODEL.parents, Link("reward", "rm", "dddd"))
    assert of_child(board, parents=parents) == []


def test_a_model_that_descends_from_itself_is_an_error(board):
    for file in (TOPIC, TOPIC.replace("topic", "facts")):
        one = load_result(board / file)
        link = Link("policy", "demo/sft", SFT_MODEL.revision)
        save_result(board, changed("model", parents=(link,))(one))
    circles = [finding for finding in audit([board]) if finding.rule == "circles"]
    assert len(circles) == 2
    assert failed(circles)


def test_items_scored_in_only_one_of_child_and_parent_are_counted(board):
    def fail(content):
        content["aggregates"] = {}
        content["items"]["failures"][:3] = ["no reply"] * 3
        content["items"]["scores"]["accuracy"][:3] = [None] * 3

    save_result(board, result(SFT_MODEL))
    edit(board / TOPIC, fail)
    save_result(board, load_result(board / TOPIC))
    assert [(finding.rule, finding.severity, finding.told) for finding in faults(board)] == [
        (
            "pairs",
            "warning",
            "3 of 20 items have a score in only one of it and its parent",
        )
    ]


def test_a_task_that_the_parent_was_not_asked_is_a_warning(board):
    (board / TOPIC).unlink()
    assert [(finding.rule, finding.told) for finding in faults(board)] == [
        ("pairs", "its parent was not asked this task")
    ]


def test_a_parent_that_a_child_was_judged_against_need_not_be_asked(board):
    (board / TOPIC).unlink()
    child = load_result(board / SFT_TOPIC)
    scores = {"win_rate": child.items.scores["accuracy"]}
    parent = SFT_MODEL.parents[0].name
    save_result(
        board,
        replace(
            child,
            task=replace(child.task, metrics=(WINS,)),
            items=replace(child.items, scores=scores),
            settings={**child.settings, "reference": parent},
            aggregates={},
        ),
    )
    assert [finding for finding in audit([board]) if finding.rule == "pairs"] == []


def test_an_extra_rule_is_asked_too(board):
    rule = Rule(lambda board: ((entry.file, "no") for entry in board.entries), "never", "warning")
    findings = [one for one in audit([board], {"never": rule}) if one.rule != "noted"]
    assert [finding.rule for finding in findings] == ["never"] * 4
    assert not failed(findings)


def test_an_extra_rule_may_not_hide_one_of_the_board(board):
    with pytest.raises(ValueError, match="'seal'"):
        audit([board], {"seal": RULES["seal"]})


def test_a_folder_without_results_is_an_error(tmp_path):
    with pytest.raises(RunError, match="no results here"):
        audit([tmp_path])


@pytest.mark.parametrize("name", ["pass@0", "pass@x", "pass@2", f"pass@{'9' * 5000}", "nist"])
def test_an_aggregate_that_the_columns_do_not_give_is_left_alone(board, name):
    edit(board / TOPIC, at("aggregates", name, 0.5))
    assert "recomputed" not in found(board, TOPIC)


def test_aggregates_of_records_are_those_that_the_audit_computes_from_the_columns():
    probabilities = [(0.7, 0.3), (0.2, 0.8), (0.55, 0.45), (0.0, 1.0)]
    rows = [
        replace(record, probabilities=held)
        for record, held in zip(records("facts", 1.0, 0.0, 1.0, 1.0), probabilities, strict=True)
    ]
    names = ("ece", "brier", "nll", "pass@1")
    (made,) = results_of(run(task("facts", rows=4, aggregates=names)), rows)
    assert all(made.aggregates[name] is not None for name in names)
    assert list(recomputed(made)) == []
