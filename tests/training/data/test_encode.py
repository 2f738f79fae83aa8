"""Encoding: what is too long is dropped whole and counted; draws follow the mixture."""

from collections import Counter
from dataclasses import replace

import pytest

from bench.errors import TaskError, UsageError
from bench.training.data.clean import Report
from bench.training.data.corpus import Corpus
from bench.training.data.data_settings import Mix
from bench.training.data.encode import (
    Limits,
    Material,
    Stream,
    TooLong,
    encode_demonstrations,
    encode_prompts,
    encode_rankings,
    together,
)
from bench.training.data.rankings import SampledRanking
from bench.training.data.writer import Writer
from bench.types import DataUse, Demonstration, Prompt, Ranking, Turn

WIDE = Limits(prompt=100, reply=100)


def prompt(text: str, source: str = "plain") -> Prompt:
    return Prompt(source, text, text, (Turn("user", text),), text, " ")


def demonstration(asked: str, target: str = "here") -> Demonstration:
    return Demonstration(prompt(asked), target)


def corpus(train, held_out=()) -> Corpus:
    """Sources whose rows are items, or tuples of an item in its wordings."""
    rows = {
        label: tuple(row if isinstance(row, tuple) else (row,) for row in items)
        for label, items in train.items()
    }
    return Corpus("mixed", rows, tuple(held_out), dict.fromkeys(train, "digest"), Report({}))


def questions(material: Material, label: str) -> list[list[str]]:
    return [[entry.prompt.text for entry in row] for row in material.rows[label]]


@pytest.fixture
def writer(asked):
    return Writer(asked("llama"), "auto", "")


@pytest.fixture
def stream(writer):
    """Two rows of `a`, six of `b`, drawn alike."""
    rows = {
        "a": [demonstration(f"a{number}") for number in range(2)],
        "b": [demonstration(f"b{number}") for number in range(6)],
    }
    return Stream(encode_demonstrations(corpus(rows), writer, WIDE), Mix(by="equal"), seed=3)


def test_a_demonstration_becomes_a_prompt_with_one_reply(writer):
    row = demonstration("what?", "the cat")
    (((entry,),),) = encode_demonstrations(corpus({"a": [row]}), writer, WIDE).rows.values()
    assert entry.document.prompt == writer.prompt(row.prompt)
    assert entry.document.replies == (writer.reply(row.prompt, "the cat"),)
    assert (entry.texts, entry.ranks, entry.target) == (("the cat",), (1,), "the cat")


def test_a_ranking_becomes_a_prompt_with_all_its_replies(writer):
    row = Ranking(prompt("what?"), ("the cat", "the dog", "a mat"), (2, 1, 2), target="gold")
    (((entry,),),) = encode_rankings(corpus({"a": [row]}), writer, WIDE).rows.values()
    assert entry.document.replies == tuple(writer.reply(row.prompt, text) for text in row.replies)
    assert (entry.texts, entry.ranks, entry.target) == (row.replies, row.ranks, "gold")


def test_a_prompt_to_be_replied_to_has_no_reply_and_keeps_its_target(writer):
    row = demonstration("what?", "the cat")
    (((entry,),),) = encode_prompts(corpus({"a": [row]}), writer, WIDE).rows.values()
    assert entry.document.replies == ()
    assert entry.target == "the cat"


def test_rows_that_are_too_long_are_dropped_and_counted(writer):
    rows = {
        "a": [demonstration("what?"), demonstration("q" * 50), demonstration("what?", "t" * 50)],
        "b": [demonstration("where?")],
    }
    material = encode_demonstrations(corpus(rows), writer, Limits(prompt=40, reply=40))
    assert questions(material, "a") == [["what?"]]
    assert material.too_long == TooLong({"a": 2, "b": 0}, {})
    assert material.too_long.summary() == "a 2"
    assert material.size == 2


def text(said: str) -> Demonstration:
    """A row of pretraining text."""
    return Demonstration(Prompt("web", said, said, (), "", ""), said)


def test_a_long_text_without_a_prompt_is_learned_in_pieces_of_which_the_last_ends(writer):
    row = text("the cat sat on the mat " * 20)
    rows = {"web": [row, text("the cat")], "a": [demonstration("what?", "t" * 50)]}
    material = encode_demonstrations(corpus(rows, [row]), writer, Limits(40, 40))
    documents = [one.document for (one,) in material.rows["web"]]
    replies = [reply for document in documents for reply in document.replies]
    assert sum(replies[:-1], ()) == writer.reply(row.prompt, row.target)
    assert [writer.end in reply for reply in replies] == [False] * (len(replies) - 2) + [True, True]
    assert {document.prompt for document in documents} == {writer.prompt(row.prompt)}
    assert 30 <= min(map(len, replies[:-1])) <= max(map(len, replies)) <= 40
    assert [one.document for one in material.held_out] == documents[:-1]
    assert material.pieces == {"web": len(documents) - 1}
    assert material.too_long.summary() == "a 1"


def test_limits_are_reached_and_not_passed(writer):
    row = demonstration("what?", "the cat")
    sizes = len(writer.prompt(row.prompt)), len(writer.reply(row.prompt, "the cat"))
    encode_demonstrations(corpus({"a": [row]}), writer, Limits(*sizes))
    for tight in (Limits(sizes[0] - 1, sizes[1]), Limits(sizes[0], sizes[1] - 1)):
        with pytest.raises(UsageError, match="data mixed: none of 1 rows"):
            encode_demonstrations(corpus({"a": [row]}), writer, tight)


def test_a_ranking_with_one_reply_too_long_is_dropped_whole(writer):
    rows = [
        Ranking(prompt("what?"), ("the cat", "t" * 50), (1, 2)),
        Ranking(prompt("where?"), ("here", "there"), (1, 2)),
    ]
    material = encode_rankings(corpus({"a": rows}), writer, Limits(40, 40))
    assert questions(material, "a") == [["where?"]]


def test_only_the_wordings_that_are_too_long_are_dropped(writer):
    row = tuple(map(demonstration, ("what is it?", "q" * 50, "what?")))
    material = encode_demonstrations(corpus({"a": [row]}), writer, Limits(40, 40))
    assert questions(material, "a") == [["what is it?", "what?"]]
    assert material.too_long == TooLong({"a": 0}, {})


def test_held_out_rows_keep_their_source_and_what_is_too_long_is_dropped_and_counted(writer):
    held = [demonstration("where?"), demonstration("q" * 50), demonstration("who?", "t" * 50)]
    made = corpus({"a": [demonstration("what?")]}, held)
    material = encode_demonstrations(made, writer, Limits(40, 40))
    (entry,) = material.held_out
    assert (entry.prompt.text, entry.document.source) == ("where?", "plain")
    assert material.too_long == TooLong({"a": 0}, {"plain": 2})
    assert material.too_long.summary() == "held out plain 2"


def test_a_sampled_reply_that_was_cut_off_gets_no_end(writer):
    texts, asked = ("the cat", "the ca"), prompt("what?")
    row = SampledRanking(asked, texts, (1, 2), ended=(True, False))
    (((entry,),),) = encode_rankings(corpus({"a": [row]}), writer, WIDE).rows.values()
    whole, cut = entry.document.replies
    assert whole == writer.reply(asked, "the cat")
    assert cut == writer.reply(asked, "the ca")[:-1]
    assert (whole[-1], writer.end in cut) == (writer.end, False)


def test_a_ranking_with_a_reply_of_no_tokens_is_dropped(writer):
    rows = [
        SampledRanking(prompt("what?"), ("the cat", ""), (1, 2), ended=(True, ended))
        for ended in (False, True)
    ]
    empty = [replace(row, prompt=replace(row.prompt, delimiter="")) for row in rows]
    material = encode_rankings(corpus({"a": empty}), writer, WIDE)
    (((entry,),),) = material.rows.values()
    assert entry.document.replies[1] == (writer.end,)
    assert material.too_long.rows == {"a": 1}


def test_uses_of_the_same_rows_are_added_up():
    asked, text = DataUse("a", "d", 4, 8, 2.0, 100), DataUse("a", "d", 3, 2, 0.6667, 10)
    other = DataUse("a", "e", 5, 5, 1.0, 7)
    assert together([asked, other, text]) == (DataUse("a", "d", 4, 10, 2.5, 110), other)


def test_rankings_are_logged_by_the_task_of_their_prompt_and_counted_by_source(writer):
    rows = {"ranked": [ranking("topic", "a"), ranking("reading", "b"), ranking("reading", "c")]}
    material = encode_rankings(corpus(rows), writer, WIDE)
    stream = Stream(material, Mix(), seed=3)
    assert {entry.document.source for entry in stream.take(0, 3)} == {"topic", "reading"}
    assert stream.epochs(6) == {"epochs/topic": 2.0, "epochs/reading": 2.0}
    (use,) = stream.used(3, {"topic": 10.0, "reading": 20.0})
    assert (use.source, use.rows, use.tokens) == ("ranked", 3, 30)


def test_rankings_of_one_task_from_two_sources_are_logged_apart(writer):
    rows = {"x": [ranking("topic", "a")], "y": [ranking("topic", "b"), ranking("reading", "c")]}
    stream = Stream(encode_rankings(corpus(rows), writer, WIDE), Mix(), seed=3)
    assert stream.epochs(3) == {"epochs/x:topic": 1.0, "epochs/y:topic": 1.0, "epochs/reading": 1.0}
    used = stream.used(3, {"x:topic": 1.0, "y:topic": 2.0, "reading": 4.0})
    assert [(use.source, use.tokens) for use in used] == [("x", 1), ("y", 6)]


def ranking(source: str, text: str) -> Ranking:
    return Ranking(prompt(text, source=source), ("a", "b"), (1, 2))


def test_epochs_do_not_depend_on_what_was_asked_before(stream):
    asked = [stream.epochs(drawn) for drawn in (16, 4, 9, 4)]
    assert asked[0] == {"epochs/a": 4.0, "epochs/b": round(8 / 6, 4)}
    assert asked[1] == asked[3] != asked[2]


def test_what_is_drawn_does_not_depend_on_how_it_is_taken(stream):
    assert stream.take(5, 7) == [stream.take(place, 1)[0] for place in range(5, 12)]


def test_draws_follow_the_mixture(stream):
    counts = Counter(entry.document.source for entry in stream.take(0, 80))
    assert counts == {"a": 40, "b": 40}


def test_wordings_take_turns(writer):
    row = tuple(map(demonstration, ("what?", "where?", "who?")))
    material = encode_demonstrations(corpus({"a": [row]}), writer, WIDE)
    drawn = Stream(material, Mix(), seed=3).take(0, 60)
    assert {entry.prompt.text for entry in drawn} == {"what?", "where?", "who?"}


def test_what_was_used_says_how_often_each_source_was_seen(stream):
    used = {use.source: use for use in stream.used(16, {"a": 30.0})}
    assert (used["a"].rows, used["a"].drawn, used["a"].epochs) == (2, 8, 4.0)
    assert (used["b"].rows, used["b"].drawn, used["b"].epochs) == (6, 8, round(8 / 6, 4))
    assert (used["a"].tokens, used["b"].tokens, used["a"].digest) == (30, 0, "digest")


def test_a_source_whose_rows_are_all_too_long_is_not_drawn_and_counts_none(writer):
    rows = {"a": [demonstration("what?")], "b": [demonstration("q" * 50)]}
    material = encode_demonstrations(corpus(rows), writer, Limits(40, 40))
    stream = Stream(material, Mix(), seed=3)
    assert {entry.document.source for entry in stream.take(0, 20)} == {"a"}
    (_, none) = stream.used(20, {})
    assert (none.rows, none.drawn, none.epochs) == (0, 0, 0.0)


def test_a_weight_on_a_source_whose_rows_are_all_too_long_is_an_error(writer):
    rows = {"a": [demonstration("what?")], "b": [demonstration("q" * 50)]}
    material = encode_demonstrations(corpus(rows), writer, Limits(40, 40))
    weighted = Mix(by="explicit", weights={"a": 1.0, "b": 1.0})
    with pytest.raises(UsageError, match="draws from b, which has no rows"):
        Stream(material, weighted, seed=3)


def test_a_prompt_alone_cannot_be_learned(writer):
    with pytest.raises(TaskError, match="is a prompt without a reply"):
        encode_demonstrations(corpus({"a": [demonstration("where?", "")]}), writer, WIDE)
