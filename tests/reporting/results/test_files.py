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
    assert str(path_of(ONE)) == "org-base/r-org-base/topic.json"
    assert path_of(result(model(), [1.0], variant="no shots")).name == "topic@no-shots.json"


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
