"""Preference data in every shape is a Ranking; replies to different prompts are not."""

import pytest

from bench.training.data.data_settings import Source
from bench.training.data.sources import load_source
from bench.types import Ranking, Turn
from tests.training.rows import load_rows_of, real_data

USER = {"role": "user", "content": "2 + 2 ="}
FOUR, FIVE = {"role": "assistant", "content": "4"}, {"role": "assistant", "content": "5"}
DIALOGUE = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: 2 + 2 =\n\nAssistant:"

# rows that say: to "2 + 2 =", 4 is better than 5
PAIRS = {
    "texts": {"prompt": "2 + 2 =", "chosen": "4", "rejected": "5"},
    "chats": {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE]},
    "chats without prompt": {"chosen": [USER, FOUR], "rejected": [USER, FIVE]},
    "chats that repeat it": {"prompt": "2 + 2 =", "chosen": [USER, FOUR], "rejected": [USER, FIVE]},
    "transcripts": {
        "chosen": "\n\nHuman: 2 + 2 =\n\nAssistant: 4",
        "rejected": "\n\nHuman: 2 + 2 =\n\nAssistant: 5",
    },
    "ranks": {"prompt": "2 + 2 =", "completions": ["4", "5"], "ranks": [1, 2]},
    "ranked chats": {"prompt": [USER], "completions": [[FOUR], [FIVE]], "ranks": [1, 2]},
    "ranks by name": {"prompt": "2 + 2 =", "completions": ["4", "5"], "ranks": {"5": 2, "4": 1}},
}


@pytest.mark.parametrize("row", PAIRS.values(), ids=PAIRS)
def test_every_shape_of_a_pair_gives_the_same_ranking(tmp_path, row):
    (item,) = load_rows_of(tmp_path, [row]).rows[0]
    assert isinstance(item, Ranking)
    assert item.prompt.turns == (Turn("user", "2 + 2 ="),)
    assert (item.replies, item.ranks, item.scores, item.target) == (("4", "5"), (1, 2), (), "")


def test_a_transcript_keeps_the_turns_before_its_last_reply(tmp_path):
    row = {"chosen": f"{DIALOGUE} 4\n\nOr four.", "rejected": f"{DIALOGUE} 5"}
    (item,) = load_rows_of(tmp_path, [row]).rows[0]
    assert [turn.role for turn in item.prompt.turns] == ["user", "assistant", "user"]
    assert item.prompt.text == "Hi\n\nHello.\n\n2 + 2 ="
    assert item.replies == ("4\n\nOr four.", "5")


def test_ties_keep_their_equal_ranks(tmp_path):
    row = {"prompt": "A fruit?", "completions": ["fig", "kiwi", "stone"], "ranks": [1, 1, 2]}
    (item,) = load_rows_of(tmp_path, [row]).rows[0]
    assert item.ranks == (1, 1, 2)


def ranked(**changed):
    return {"prompt": "2 + 2 =", "completions": ["4", "5"], "ranks": [1, 2], **changed}


# a row that is not read: what is said about it
UNREADABLE = {
    "a rank too few": (ranked(ranks=[1]), "ranks: found 1 for 2 completions"),
    "a rank of zero": (ranked(ranks=[0, 1]), "ranks: found 0, expected whole numbers"),
    "a rank and a half": (ranked(ranks=[1, 1.5]), "ranks: found 1.5, expected a whole number"),
    "truth as a rank": (ranked(ranks=[True, 2]), "ranks: found True, expected a whole number"),
    "no ranks": (ranked(ranks=None), "ranks: found None, expected a list of whole numbers"),
    "unknown completion": (
        ranked(ranks={"4": 1, "6": 2}),
        "ranks: found '6', expected one of the 2 completions",
    ),
    "unranked completion": (ranked(ranks={"4": 1}), "expected a rank for '5' too"),
    "one completion": (ranked(completions=["4"], ranks=[1]), "found 1, expected two or more"),
    "no list": (ranked(completions="4"), "completions: found '4', expected a list"),
    "two ranks for one": (ranked(completions=["4", "4"]), "'4' has both rank 1 and 2"),
    "no prompt": (ranked(prompt=""), "the prompt is empty"),
    "empty reply": (ranked(completions=["4", ""]), "a reply is empty"),
}


@pytest.mark.parametrize(("row", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_ranking_that_makes_no_sense_is_counted_with_its_line(tmp_path, row, reason):
    loaded = load_rows_of(tmp_path, [ranked(), row])
    (failure,) = loaded.failures
    assert failure.where == f"{tmp_path}/data.jsonl:2"
    assert reason in failure.reason


# a pair that is not read: what is said about it
NO_PAIRS = {
    "other prompt": (
        {"chosen": "\n\nHuman: A\n\nAssistant: 4", "rejected": "\n\nHuman: B\n\nAssistant: 5"},
        "chosen and rejected differ before their last reply",
    ),
    "the user speaks last": (
        {"chosen": "\n\nHuman: A\n\nAssistant: 4\n\nHuman: B", "rejected": DIALOGUE},
        "expected a chat that ends with the assistant's reply",
    ),
    "no prompt at all": ({"chosen": "4", "rejected": "5"}, "the prompt is empty"),
    "the same": (
        {"chosen": f"{DIALOGUE} 4", "rejected": f"{DIALOGUE} 4"},
        "'4' has both rank 1 and 2",
    ),
    "nothing said": ({"chosen": f"{DIALOGUE} 4", "rejected": DIALOGUE}, "a reply is empty"),
    "one is missing": ({"chosen": [USER, FOUR], "rejected": []}, "expected a chat that ends"),
}


@pytest.mark.parametrize(("row", "reason"), NO_PAIRS.values(), ids=NO_PAIRS)
def test_a_pair_that_is_none_is_counted_with_its_line(tmp_path, row, reason):
    good = {"chosen": f"{DIALOGUE} 4", "rejected": f"{DIALOGUE} 5"}
    (failure,) = load_rows_of(tmp_path, [good, row]).failures
    assert failure.where == f"{tmp_path}/data.jsonl:2"
    assert reason in failure.reason


def test_a_line_of_rankings_that_lacks_a_key_is_counted_with_its_line(tmp_path):
    line = {"source": "sums", "id": "0", "group": "0", "text": "2 + 2 =", "delimiter": " "}
    good = {**line, "messages": [USER], "completions": ["4", "5"], "ranks": [1, 2]}
    bad = {name: value for name, value in good.items() if name != "text"}
    (failure,) = load_rows_of(tmp_path, [good, bad]).failures
    assert failure.reason == f"{tmp_path}/data.jsonl:2: text: Field required"


def test_hh_rlhf_is_read_but_for_nine_rows():
    places = real_data("Anthropic/hh-rlhf")
    source = Source(hub="Anthropic/hh-rlhf", config="harmless-base", split="test")
    loaded = load_source(source, places)
    assert (len(loaded.rows), len(loaded.failures)) == (2303, 9)
    reasons = {failure.reason.split(": ", 1)[1] for failure in loaded.failures}
    assert reasons == {"chosen and rejected differ before their last reply", "a reply is empty"}
    assert {row[0].prompt.turns[-1].role for row in loaded.rows} == {"user"}
