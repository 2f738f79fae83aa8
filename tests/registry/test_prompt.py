"""Prompts: shots that do not depend on what else is asked, digests, text and chat."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.errors import TaskError
from bench.registry.data import Row
from bench.registry.folder import Task, select
from bench.registry.prompt import (
    ShotSettings,
    as_text,
    as_turns,
    digest,
    examples_of,
    load_examples,
)
from bench.registry.spec import TaskSpec
from bench.types import Example, Json, Shot, Turn

KEYS: dict[str, Json] = {
    "title": "Numbers",
    "kind": "qa",
    "language": "en",
    "version": 1,
    "source": {"licence": "CC0-1.0"},
    "data": {"files": {"test": "test.jsonl"}},
    "splits": {"test": "test"},
    "id": "id",
    "prompt": "{{ question }}",
    "answer": "answers",
    "generate": {"max_tokens": 8},
    "scorers": ["exact_match"],
}


def task(**keys: Json) -> Task:
    return Task("numbers", Path("tasks/numbers"), TaskSpec.model_validate({**KEYS, **keys}))


def rows(split: str, clusters: Sequence[int]) -> list[Row]:
    """One row for each cluster named: `Row({"id": "test-0", "passage": 3, ...})`."""
    return [
        Row(
            {
                "id": f"{split}-{number}",
                "passage": cluster,
                "question": f"{split} {number}?",
                "answers": [f"a{number}"],
            },
            f"{split}.jsonl:{number + 1}",
        )
        for number, cluster in enumerate(clusters)
    ]


def asked(
    test: Sequence[Row], pool: Sequence[Row], shots: ShotSettings, **keys: Json
) -> dict[str, Example]:
    examples, failed = examples_of(task(**keys), test, pool, shots)
    assert not failed
    return {example.id: example for example in examples}


CLUSTERS = st.lists(st.integers(0, 4), min_size=1, max_size=12)
POOLS = st.lists(st.integers(0, 4), min_size=5, max_size=20)
SHOTS = st.builds(
    ShotSettings,
    count=st.integers(0, 3),
    choice=st.sampled_from(["fixed", "per_example"]),
    seed=st.integers(0, 3),
)


@given(CLUSTERS, POOLS, SHOTS, st.data())
def test_prompts_do_not_depend_on_order_or_on_what_else_is_asked(test, pool, shots, data):
    every, solved = rows("test", test), rows("shots", pool)
    some = data.draw(st.permutations(every)).copy()[: data.draw(st.integers(1, len(every)))]
    assume(all(sum(other != cluster for other in pool) >= shots.count for cluster in test))
    whole = asked(every, solved, shots, cluster="passage")
    part = asked(some, solved, shots, cluster="passage")
    assert part == {name: whole[name] for name in part}


@given(CLUSTERS, SHOTS)
def test_a_row_is_never_shown_to_itself_nor_to_its_cluster(test, shots):
    every = rows("test", test)
    assume(any(len(every) - test.count(cluster) >= shots.count for cluster in test))
    examples, failed = examples_of(task(cluster="passage"), every, every, shots)
    cluster_of = {str(row.values["question"]): str(row.values["passage"]) for row in every}
    for example in examples:
        assert len(example.shots) == shots.count
        assert example.cluster not in [cluster_of[shot.question] for shot in example.shots]
    for failure in failed:
        assert "rows can be shown" in failure.reason


@given(CLUSTERS, POOLS, SHOTS)
def test_no_shot_is_shown_twice(test, pool, shots):
    for example in asked(rows("test", test), rows("shots", pool), shots).values():
        assert len(set(example.shots)) == shots.count


@given(st.integers(1, 20), st.integers(3, 20), st.integers(0, 3), st.integers(0, 9))
def test_fixed_shots_are_one_prefix_for_the_whole_task(test, pool, count, seed):
    shots = ShotSettings(count, "fixed", seed)
    examples = asked(rows("test", range(test)), rows("shots", range(pool)), shots)
    assert len({example.shots for example in examples.values()}) == 1


@given(st.integers(1, 20), st.integers(3, 20), st.integers(0, 3))
def test_without_ids_equal_row_numbers_of_two_splits_mean_nothing(test, pool, count):
    """gsm8k has no ids: test row 3 is no reason to leave out train row 3."""
    shots = ShotSettings(count)
    examples = asked(rows("test", range(test)), rows("shots", range(pool)), shots, id="")
    assert len({example.shots for example in examples.values()}) == 1


@given(SHOTS)
def test_without_ids_a_row_is_still_never_shown_to_itself(shots):
    every = rows("test", range(5))
    for example in asked(every, every, shots, id="").values():
        assert example.question not in [shot.question for shot in example.shots]


def test_an_equal_question_of_another_id_is_not_shown():
    test, pool = rows("test", [0]), rows("shots", range(4))
    twin = Row(pool[0].values | {"question": test[0].values["question"]}, "shots.jsonl:1")
    examples, failed = examples_of(task(), test, [twin, *pool[1:]], ShotSettings(3))
    assert not failed
    assert {shot.question for shot in examples[0].shots} == {"shots 1?", "shots 2?", "shots 3?"}


def test_shots_per_example_differ_between_rows_and_seeds():
    test, pool = rows("test", range(30)), rows("shots", range(30))
    first = asked(test, pool, ShotSettings(3, "per_example", 0))
    second = asked(test, pool, ShotSettings(3, "per_example", 1))
    assert len({example.shots for example in first.values()}) > 25
    assert sum(first[name].shots != second[name].shots for name in first) > 25


def test_fixed_shots_differ_between_seeds():
    test, pool = rows("test", [0]), rows("shots", range(30))
    drawn = {asked(test, pool, ShotSettings(3, "fixed", seed))["test-0"].shots for seed in range(9)}
    assert len(drawn) == 9


def test_every_shot_is_drawn_about_equally_often():
    pool = rows("shots", range(10))
    examples = asked(rows("test", range(2000)), pool, ShotSettings(1, "per_example"))
    counts = [0] * 10
    for example in examples.values():
        counts[int(example.shots[0].target[1:])] += 1
    assert all(140 < count < 260 for count in counts)  # 200 +- 4.5 standard deviations


def test_too_few_shots_are_an_error_that_says_how_many_there_are():
    with pytest.raises(TaskError) as caught:
        asked(rows("test", [0]), rows("shots", [1, 2]), ShotSettings(3))
    assert caught.value.cause == "numbers: 3 shots asked for, 2 rows can be shown"
    assert caught.value.remedy == "use --shots 2 or add rows to the shots split"


def test_a_shot_that_cannot_be_rendered_is_an_error_that_names_it():
    pool = [Row({"id": "s", "passage": 1, "question": "?", "answers": []}, "shots.jsonl:1")]
    with pytest.raises(TaskError, match=r"shots\.jsonl:1: answer: empty list"):
        asked(rows("test", [0]), pool, ShotSettings(1))


@pytest.mark.parametrize("choice", ["fixed", "per_example"])
def test_a_limit_gives_the_first_prompts_of_the_whole_run(choice):
    reading = select(["reading"])[0][0]
    shots = ShotSettings(2, choice)
    whole, _ = load_examples(reading, shots)
    assert load_examples(reading, shots, limit=7)[0] == whole[:7]


def test_shots_are_read_only_when_they_are_shown(write_task):
    capitals = write_task()
    (capitals.folder / "shots.jsonl").unlink()
    assert len(load_examples(capitals)[0]) == 4
    with pytest.raises(TaskError, match="no such data file"):
        load_examples(capitals, ShotSettings(1))


ITEM = st.fixed_dictionaries(
    {
        "question": st.sampled_from(["a", "b"]),
        "answers": st.sampled_from([["a"], ["b"], ["a", "b"], ["b", "a"]]),
        "options": st.sampled_from([["a", "b"], ["b", "a"], ["a", "b", "c"]]),
        "tests": st.sampled_from([1, "1", [1], {"x": 1, "y": 2}]),
    }
)


@given(ITEM, ITEM)
def test_digests_are_equal_when_question_answers_choices_and_check_are(one, other):
    keys: dict[str, Json] = {"choices": "options", "check": {"t": "tests"}, "generate": None}
    first, second = (
        examples_of(task(**keys, id=""), [Row(item, "test.jsonl:1")], [])[0][0]
        for item in (one, other)
    )
    assert (first.digest == second.digest) == (one == other)


@pytest.mark.parametrize(
    ("keys", "shots"),
    [
        ({"target": "'so ' ~ answers[0]"}, 0),
        ({"instruction": "Think."}, 0),
        ({"delimiter": "\n"}, 0),
        ({"generate": {"max_tokens": 99}}, 0),
        ({"scorers": ["squad_f1"]}, 0),
        ({"version": 2}, 0),
        ({"cluster": "passage"}, 0),
        ({}, 2),
    ],
)
def test_the_digest_names_the_item_and_not_what_surrounds_it(keys, shots):
    test, pool = rows("test", [0]), rows("shots", [1, 2])
    plain = asked(test, pool, ShotSettings(0))["test-0"]
    assert asked(test, pool, ShotSettings(shots), **keys)["test-0"].digest == plain.digest


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest("x")) == 16


BARE = asked(rows("test", [0]), [], ShotSettings())["test-0"]
FULL = replace(
    BARE, instruction="Count.", shots=(Shot("1?", "one"), Shot("2?", "two")), question="3?"
)


def test_text_puts_instruction_shots_and_question_on_paragraphs_of_their_own():
    assert as_text(FULL) == "Count.\n\n1? one\n\n2? two\n\n3?"
    assert as_text(replace(FULL, delimiter="\n")) == "Count.\n\n1?\none\n\n2?\ntwo\n\n3?"


def test_text_without_instruction_and_shots_is_the_question():
    assert as_text(BARE) == "test 0?"


def test_a_chat_shows_each_shot_as_a_turn_of_the_user_and_a_reply():
    assert as_turns(FULL) == (
        Turn("user", "Count.\n\n1?"),
        Turn("assistant", "one"),
        Turn("user", "2?"),
        Turn("assistant", "two"),
        Turn("user", "3?"),
    )


def test_a_chat_without_shots_says_the_instruction_before_the_question():
    assert as_turns(replace(FULL, shots=())) == (Turn("user", "Count.\n\n3?"),)
    assert as_turns(BARE) == (Turn("user", "test 0?"),)


def test_a_system_message_comes_first():
    assert as_turns(BARE, system="Be brief.")[0] == Turn("system", "Be brief.")


TEXT = st.text(max_size=9)


@given(TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=4), TEXT)
def test_one_turn_holds_the_very_text_and_many_turns_alternate(instruction, shots, question):
    example = replace(
        BARE,
        instruction=instruction,
        shots=tuple(Shot(*shot) for shot in shots),
        question=question,
    )
    assert as_turns(example, shots_as_turns=False) == (Turn("user", as_text(example)),)
    roles = [turn.role for turn in as_turns(example)]
    assert roles == ["user", "assistant"] * len(shots) + ["user"]
    assert as_turns(example)[-1].text.endswith(question)
