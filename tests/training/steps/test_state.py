"""The saved state: whole or not there, also when the disk is full or the file is damaged."""

import pytest
import torch

from bench.errors import RunError
from bench.training.steps.state import State, copied, load_facts, load_state, save_state, under
from tests.training.values import assert_same, full_disk

FACTS = {"step": 3, "tokens": {"a": 5}, "seconds": 1.5, "history": [{"step": 1.0}]}


def state(value: float) -> State:
    return State({"a": torch.full((50, 100), value), "b": torch.arange(6).view(2, 3).T}, FACTS)


def test_what_is_saved_is_read_back(tmp_path):
    path = tmp_path / "below" / "state.safetensors"
    save_state(path, state(0.1))
    found = load_state(path)
    assert found.facts == FACTS
    assert_same(found.tensors, state(0.1).tensors)


def test_where_nothing_was_saved_there_is_no_state(tmp_path):
    assert load_state(tmp_path / "state.safetensors") is None
    assert load_facts(tmp_path / "state.safetensors") == {}


def test_facts_are_read_alone(tmp_path):
    save_state(tmp_path / "s", state(0.1))
    assert load_facts(tmp_path / "s") == FACTS


def test_tensors_that_are_parts_of_one_are_saved_apart(tmp_path):
    whole = torch.arange(5.0)
    parts = dict(zip("abc", whole.split([2, 2, 1]), strict=True))
    save_state(tmp_path / "s", State(parts, {}))
    assert_same(load_state(tmp_path / "s").tensors, parts)


def test_a_full_disk_leaves_the_old_state_and_says_what_to_do(tmp_path):
    path = tmp_path / "state.safetensors"
    save_state(path, state(1.0))
    with full_disk(8000), pytest.raises(RunError, match="cannot be written") as caught:
        save_state(path, state(2.0))
    assert "free some space" in caught.value.remedy
    assert_same(load_state(path).tensors, state(1.0).tensors)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_folder_that_is_a_file_is_a_run_error(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(RunError, match="cannot be written"):
        save_state(tmp_path / "folder" / "state", state(1.0))


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def scrambled(content: bytes) -> bytes:
    return content[:8] + b"#" * 40 + content[48:]


def emptied(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut, scrambled, emptied])
def test_a_damaged_file_is_a_run_error_that_names_the_remedy(tmp_path, damage):
    path = tmp_path / "training" / "state.safetensors"
    save_state(path, state(1.0))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RunError, match="damaged") as caught:
        load_state(path)
    assert str(path.parent) in caught.value.remedy


def test_a_file_of_another_program_is_a_run_error(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "state")
    with pytest.raises(RunError, match="damaged"):
        load_state(tmp_path / "state")


def test_prefixes_are_put_on_and_taken_off():
    tensors = {"a": torch.ones(1, requires_grad=True), "a.b": torch.zeros(2)}
    named = copied(tensors, "weight.") | copied(tensors, "average.")
    assert_same(under(named, "average."), {name: value.detach() for name, value in tensors.items()})
    assert not named["weight.a"].requires_grad
