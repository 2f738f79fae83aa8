"""Pairs of one prompt: one ranking where they amount to one, and never more than they say."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.training.data.corpus import load_corpus
from bench.training.data.data_settings import Clean, Data, Holdout, Source
from bench.training.data.pairs import join_pairs
from bench.training.data.sources import Places
from bench.types import Prompt, Ranking, Turn
from tests.training.rows import load_rows_of, write_rows


def pair(winner: str, loser: str, asked: str = "?", group: str = "g") -> Ranking:
    turns = (Turn("user", asked),)
    return Ranking(
        Prompt("plain", winner + loser, group, turns, asked, " "), (winner, loser), (1, 2)
    )


def said(rankings) -> list[dict[str, int]]:
    """The rank of each reply."""
    return [dict(zip(ranking.replies, ranking.ranks, strict=True)) for ranking in rankings]


# pairs, the better reply first: the ranks that they are joined to, None where they stay pairs
JOINED = {
    "a chain": ("ab bc", {"a": 1, "b": 2, "c": 3}),
    "a chain backwards": ("bc ab", {"a": 1, "b": 2, "c": 3}),
    "all pairs": ("ab ac bc", {"a": 1, "b": 2, "c": 3}),
    "one above the others": ("ab ac ad", {"a": 1, "b": 2, "c": 2, "d": 2}),
    "two above two": ("ac ad bc bd", {"a": 1, "b": 1, "c": 2, "d": 2}),
    "the same twice": ("ab ab", {"a": 1, "b": 2}),
    "two of two": ("ab cd", None),
    "a branch": ("ab bc ad", None),
    "a contradiction": ("ab ba", None),
    "a circle": ("ab bc ca", None),
}


@pytest.mark.parametrize(("pairs", "ranks"), JOINED.values(), ids=JOINED)
def test_pairs_are_joined_where_they_amount_to_a_ranking(pairs, ranks):
    rows = [pair(*names) for names in pairs.split()]
    found = join_pairs(rows)
    assert found == rows if ranks is None else said(found) == [ranks]
    assert found[0].prompt == rows[0].prompt


def test_only_pairs_of_one_prompt_and_group_are_joined():
    rows = [pair("a", "b"), pair("b", "c", asked="!"), pair("c", "d", group="h"), pair("a", "c")]
    assert said(join_pairs(rows)) == [{"a": 1, "b": 2, "c": 2}, {"b": 1, "c": 2}, {"c": 1, "d": 2}]


@given(st.lists(st.permutations("abcd").map(lambda names: (names[0], names[1])), max_size=6))
def test_no_pair_is_lost_and_none_is_made_up(pairs):
    found = said(join_pairs([pair(*names) for names in pairs]))
    says = {
        (one, other)
        for ranks in found
        for one, other in permutations(ranks, 2)
        if ranks[one] < ranks[other]
    }
    follows = set(pairs)
    for middle in "abcd":
        above = {one for one, other in follows if other == middle}
        below = {other for one, other in follows if one == middle}
        follows |= {(one, other) for one in above for other in below}
    assert set(pairs) <= says <= follows


def test_pairs_of_a_file_are_joined_and_counted(tmp_path):
    rows = [
        {"prompt": "A fruit?", "chosen": "fig", "rejected": "stone"},
        {"prompt": "A stone?", "chosen": "flint", "rejected": "fig"},
        {"prompt": "A fruit?", "chosen": "fig", "rejected": "kiwi"},
    ]
    loaded = load_rows_of(tmp_path, rows)
    assert said(row[0] for row in loaded.rows) == [
        {"fig": 1, "stone": 2, "kiwi": 2},
        {"flint": 1, "fig": 2},
    ]
    assert loaded.joined == 1


RANKED = {"completions": ["a", "b"], "ranks": [1, 2]}
APART = ({"chosen": "a", "rejected": "b"}, {"chosen": "c", "rejected": "d"})


@pytest.mark.parametrize("said", [APART, (RANKED, {**RANKED, "completions": ["c", "d"]})])
def test_all_rows_of_a_prompt_are_on_one_side_of_the_holdout(tmp_path, said):
    rows = [{"prompt": f"What is {number}?", **row} for number in range(40) for row in said]
    write_rows(tmp_path / "data.jsonl", rows)
    data = Data(
        sources=(Source(file="data.jsonl"),),
        clean=Clean(decontaminate=False),
        holdout=Holdout(share=0.5),
    )
    corpus = load_corpus("pairs", data, Places(tmp_path), seed=0)
    learned = [row[0].prompt.text for row in corpus.train["data"]]
    held_out = [item.prompt.text for item in corpus.held_out]
    assert set(learned).isdisjoint(held_out)
    assert len(learned) + len(held_out) == len(rows)
    assert min(len(learned), len(held_out)) > 20
