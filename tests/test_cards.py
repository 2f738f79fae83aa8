"""Cards on disk: what is written is read again, and what is damaged is named."""

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cards import CARD, read_card, write_card
from bench.errors import RunError
from bench.types import Card, DataUse, Parent
from tests.cards import card

TEXTS = st.text(max_size=20)
COUNTS = st.integers(0, 10**12)
SECONDS = st.floats(0, 1e9)
STAGES = st.sampled_from(["base", "sft", "rm", "dpo", "ppo", "ppo_ptx", "rloo", "grpo"])
NAMED = st.dictionaries(TEXTS, TEXTS, max_size=3)
VALUES = st.none() | st.booleans() | COUNTS | st.floats(-1e9, 1e9) | TEXTS
SETTINGS = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
USES = st.builds(DataUse, TEXTS, TEXTS, rows=COUNTS, drawn=COUNTS, epochs=SECONDS, tokens=COUNTS)
PARENTS = st.builds(Parent, st.sampled_from(["policy", "reward"]), TEXTS, STAGES, TEXTS, TEXTS)
CARDS = st.builds(
    Card,
    schema_version=st.just(1),
    stage=STAGES,
    **dict.fromkeys(("name", "digest", "inputs_digest", "recipe", "command", "created"), TEXTS),
    parents=st.lists(PARENTS, max_size=2).map(tuple),
    settings=st.dictionaries(TEXTS, SETTINGS, max_size=3),
    data=st.lists(USES, max_size=2).map(tuple),
    **dict.fromkeys(("steps", "tokens", "seed", "peak_memory_bytes"), COUNTS),
    seconds=SECONDS,
    metrics=st.dictionaries(TEXTS, st.floats(-1e9, 1e9), max_size=3),
    **dict.fromkeys(("environment", "git"), NAMED),
)


@settings(max_examples=40)
@given(CARDS)
def test_a_card_that_was_written_is_read_as_it_was(made):
    with TemporaryDirectory() as folder:
        write_card(Path(folder), made)
        assert read_card(Path(folder)) == made


def test_a_folder_without_a_card_has_none(tmp_path):
    assert read_card(tmp_path) is None


def test_metrics_that_are_not_finite_are_left_out(tmp_path):
    write_card(tmp_path, card(metrics={"loss": float("nan"), "kl": float("inf"), "reward": 0.5}))
    assert read_card(tmp_path).metrics == {"reward": 0.5}


def damaged(tmp_path, content: object) -> str:
    """What is said of a card with this content."""
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / CARD).write_text(text)
    with pytest.raises(RunError) as caught:
        read_card(tmp_path)
    assert caught.value.cause.startswith(f"{tmp_path / CARD}: ")
    assert "\n" not in caught.value.cause
    assert caught.value.remedy
    return caught.value.cause


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": "many"}, "steps: "),
        ({"stage": "sftt"}, "stage: "),
        ({"parents": [{"role": "policy"}]}, "parents.0.name: "),
        ({"data": None}, "data: "),
        ({"schema_version": 2}, "schema_version: found 2, this bench reads 1"),
        ({"schema_version": "one"}, "schema_version: found 'one'"),
    ],
)
def test_a_damaged_card_names_file_and_key(tmp_path, changes, said):
    assert said in damaged(tmp_path, asdict(card()) | changes)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "file: Invalid JSON"),
        ("{", "file: Invalid JSON"),
        ("\x00", "file: Invalid JSON"),
        ("[1]", "file: Input should be a dictionary or an instance of Card, found [1]"),
        ("7", "file: Input should be a dictionary or an instance of Card, found 7"),
        ("{}", "schema_version: Field required"),
    ],
)
def test_a_file_that_is_no_card_says_so(tmp_path, content, said):
    assert said in damaged(tmp_path, content)
