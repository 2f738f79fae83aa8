"""Files of results: what is written is what is read, and what was edited is found out."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RunError
from bench.reporting.results.files import dumped, load_result, load_results, path_of, save_result
from tests.reporting.comparison.made import model, result

ONE = result(model("org/base"), [1.0, 0.0, None])


def test_what_is_written_is_what_is_read(tmp_path):
    assert load_result(save_result(tmp_path, ONE)) == ONE
    assert load_results([tmp_path]) == [ONE]


def test_the_same_result_is_the_same_bytes():
    turned = replace(ONE, settings=dict(reversed(ONE.settings.items())))
    assert dumped(ONE) == dumped(turned)


def test_the_place_of_a_result_says_model_revision_task_and_wording():
    assert str(path_of(result(model("base"), [1.0]))) == "base/r-base/topic.json"
    assert path_of(result(model("base"), [1.0], variant="qa")).name == "topic@qa.json"


def test_with_solved_examples_a_result_has_a_place_of_its_own():
    places = {path_of(replace(ONE, settings={"shots": shots})).name for shots in (None, 0, 5, 10)}
    assert places == {"topic.json", "topic~5-shot.json", "topic~10-shot.json"}


def test_a_name_known_by_a_digest_of_its_weights_is_written_plainly():
    assert path_of(result(model("demo/sft", revision="0123456789abcdef"), [1.0])).parts[0] == (
        "demo-sft"
    )


NAMES = ["my/model", "my-model", "my model", "模型", "模", "a" * 300, "a" * 301, "", "..", "x~y"]


def test_different_names_have_different_places():
    for change in (
        lambda name: result(model(name, revision="unstated"), [1.0]),
        lambda name: result(model("base", revision=name), [1.0]),
        lambda name: result(model(), [1.0], task=name),
        lambda name: result(model(), [1.0], variant=f"v{name}"),
    ):
        assert len({path_of(change(name)) for name in NAMES}) == len(NAMES)


@given(st.text(min_size=200, max_size=400), st.sampled_from(["unstated", "0" * 16]))
def test_no_part_of_a_path_is_longer_than_file_systems_take(name, revision):
    long = result(model(name, revision=revision), [1.0], task=name, variant=name)
    path = path_of(replace(long, settings={"shots": 10**6}))
    assert max(len(part.encode()) for part in path.parts) < 220  # what is written first is longer


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_leads_out_of_the_folder(name, task):
    path = path_of(result(model(name, revision=name), [1.0], task=task, variant=name))
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert len(path.parts) == 3


@given(st.text(min_size=1, max_size=20))
def test_any_text_survives(name):
    text = dumped(result(model(name), [0.1, 1 / 3]))
    assert json.loads(text)["model"]["name"] == name


DAMAGE = {
    "it was edited": lambda text: text.replace('"accuracy": [1.0', '"accuracy": [0.0'),
    "cannot be read": lambda text: text[:100],
    "cannot be read: the key 'id' is written twice": lambda text: text.replace(
        "{", '{"id": "", "id": "",', 1
    ),
    "schema_version: found 2, this bench reads 1": lambda text: text.replace(
        '"schema_version": 1', '"schema_version": 2'
    ),
    "holds list, expected an object": lambda text: "[]",
}


@pytest.mark.parametrize("told", DAMAGE)
def test_a_damaged_file_is_refused_by_name(tmp_path, told):
    path = save_result(tmp_path, ONE)
    path.write_text(DAMAGE[told](path.read_text()))
    with pytest.raises(RunError, match=told) as caught:
        load_result(path)
    assert str(path) in caught.value.cause
    assert "bench submit" in caught.value.remedy


def test_columns_of_unequal_length_are_refused(tmp_path):
    short = replace(ONE, items=replace(ONE.items, clusters=("0",)))
    with pytest.raises(RunError, match=r"items.clusters: holds 1 values, items.ids holds 3"):
        load_result(save_result(tmp_path, short))


def test_a_folder_without_results_says_how_to_get_some(tmp_path):
    with pytest.raises(RunError, match="no results here") as caught:
        load_results([tmp_path])
    assert "bench submit RUN" in caught.value.remedy
