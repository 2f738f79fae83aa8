"""Rankings on disk: what was saved comes back, and a damaged line is named."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bench.training.data.data_settings import Source
from bench.training.data.rankings import SampledRanking, checked, save_rankings
from bench.training.data.sources import Item, Loaded, Places, load_source
from bench.types import Prompt, Ranking, Turn

TURNS = (Turn("system", "Be kind."), Turn("user", "Name\u2028a fruit."))
PROMPT = Prompt("fruit", "7", "user-1", TURNS, "Be kind.\n\nName\u2028a fruit.", " ")
RANKING = Ranking(PROMPT, ("cherry", "", "stone"), (1, 2, 2), (0.5, 0.25, 0.25), "cherry")
CUT = SampledRanking(PROMPT, ("cherry", "a sto"), (1, 2), (0.5, 0.25), "cherry", (True, False))
TEXT = some.text(some.characters(exclude_categories=["Cs"]), max_size=8)
REPLIES = some.lists(
    some.tuples(TEXT, some.integers(1, 4)), min_size=2, max_size=5, unique_by=lambda pair: pair[0]
)


def loaded(path) -> Loaded[Item]:
    """The file as a source of a recipe."""
    return load_source(Source(file=path.name, name="ranked"), Places(path.parent))


@given(pairs=REPLIES, target=TEXT, text=TEXT)
def test_what_is_saved_comes_back(tmp_path_factory, pairs, target, text):
    path = tmp_path_factory.mktemp("rankings") / "rankings.jsonl"
    replies, ranks = zip(*pairs, strict=True)
    prompt = replace(PROMPT, turns=(Turn("user", text),), text=text)
    rankings = [RANKING, Ranking(prompt, replies, ranks, (), target), CUT]
    save_rankings(path, rankings)
    assert loaded(path).rows == tuple((ranking,) for ranking in rankings)


def test_no_rankings_are_an_empty_file(tmp_path):
    save_rankings(tmp_path / "rankings.jsonl", [])
    assert (tmp_path / "rankings.jsonl").read_bytes() == b""


def test_whether_a_reply_was_cut_off_changes_what_is_learned(tmp_path):
    digests = set()
    for ended in ((True, False), (True, True)):
        save_rankings(tmp_path / "rankings.jsonl", [replace(CUT, ended=ended)])
        digests.add(loaded(tmp_path / "rankings.jsonl").digest)
    assert len(digests) == 2


def test_a_line_has_the_documented_keys(tmp_path):
    save_rankings(tmp_path / "rankings.jsonl", [RANKING])
    line = json.loads((tmp_path / "rankings.jsonl").read_text("utf-8"))
    keys = "source id group messages text delimiter completions ranks scores target ended"
    assert list(line) == keys.split()
    assert line["messages"][1] == {"role": "user", "content": "Name\u2028a fruit."}


# what is changed in the line: what is said about it
DAMAGED = {
    "a rank too few": ({"ranks": [1, 2]}, "ranks: found 2 for 3 completions"),
    "a rank of zero": ({"ranks": [0, 1, 1]}, "ranks: found 0, expected whole numbers"),
    "a rank and a half": ({"ranks": [1, 1.5, 2]}, "ranks.1: Input should be a valid integer"),
    "a rank in words": ({"ranks": ["first", 2, 3]}, "ranks.0: Input should be a valid integer"),
    "a score too many": ({"scores": [1.0]}, "scores: found 1 for 3 completions"),
    "an end too few": ({"ended": [True]}, "ended: found 1 for 3 completions"),
    "one reply": ({"completions": ["a"], "ranks": [1], "scores": []}, "expected two or more"),
    "no completions": ({"completions": None}, "completions: Input should be a valid"),
    "no such role": ({"messages": [{"role": "pope", "content": "x"}]}, "messages.0.role: Input"),
    "no messages": ({"messages": []}, "messages: Tuple should have at least 1 item"),
    "unknown key": ({"rank": 1}, "rank: Extra inputs are not permitted"),
}


@pytest.mark.parametrize(("change", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_named(tmp_path, change, said):
    path = tmp_path / "rankings.jsonl"
    save_rankings(path, [RANKING, RANKING])
    first, second = path.read_text("utf-8").split("\n")[:2]
    path.write_text(f"{first}\n{json.dumps(json.loads(second) | change)}\n", "utf-8")
    (failure,) = loaded(path).failures
    assert failure.reason.startswith(f"{path}:2: ")
    assert said in failure.reason


def test_one_reply_cannot_have_two_ranks():
    with pytest.raises(ValueError, match="'a' has both rank 1 and 2"):
        checked(Ranking(PROMPT, ("a", "a"), (1, 2)))
    assert checked(Ranking(PROMPT, ("a", "a", "b"), (1, 1, 2))).ranks == (1, 1, 2)
