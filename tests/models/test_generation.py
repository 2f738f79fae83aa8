"""Generation: greedy is transformers' greedy, stops cut, samples depend on their seed alone."""

import dataclasses
import json
import random
import shutil

import pytest

from bench.models.batching import Budget
from bench.models.decode import generate
from bench.models.hf import HuggingFace
from bench.models.model import Encoded
from bench.models.options import ModelOptions
from bench.types import Generation
from tests.models import tiny

MANY = Budget(tokens=100_000, positions=64, rows=64)
LENGTHS = (1, 5, 30, 5, 12, 2)
LONG = Generation(24)


def prompts(shared: int, settings: Generation = LONG) -> list[Encoded]:
    """Prompts of different lengths behind a common prefix of `shared` tokens."""
    draw = random.Random(3)
    prefix = [draw.randrange(3, 300) for _ in range(shared)]
    return [
        Encoded((*prefix, *(draw.randrange(3, 300) for _ in range(length))), generation=settings)
        for length in LENGTHS
    ]


def spell(ids) -> str:
    """Each token as its number: every text stands for one token sequence."""
    return "".join(f"{token}," for token in ids)


def made(family: str, items, budget=MANY, share=True, ends=tiny.END_IDS):
    found = dict(generate(tiny.build(family), items, budget, frozenset(ends), spell, share))
    return [found[place] for place in range(len(items))]


@pytest.mark.parametrize("shared", [0, 20])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_greedy_is_transformers_own_greedy(opened, family, shared):
    """Batches of unequal prompts; rows end at different steps; windows are passed on the way."""
    model, items = opened(family), prompts(shared)
    replies = dict(model.answer(items))
    assert sorted(replies) == list(range(len(items)))
    for place, item in enumerate(items):
        reply, ids = replies[place], tiny.naive_greedy(tiny.build(family), item.prompt, 24)
        assert reply.text == model.tokenizer.decode(ids, skip_special_tokens=True)
        assert reply.finish == ("length" if len(ids) == 24 else "stop")
        assert reply.tokens_out == min(len(ids) + 1, 24)
        assert reply.tokens_in == len(item.prompt)


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "mamba", "lfm2", "t5", "bart"])
def test_the_workload_has_rows_that_leave_early_and_rows_that_stay(family):
    lengths = sorted(len(row.ids) for row in made(family, prompts(20), share=False))
    assert len(set(lengths)) > 2
    assert lengths[1] < lengths[-1]


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "mamba", "lfm2", "t5"])
def test_rows_that_leave_do_not_change_the_others(family):
    share = family in tiny.PACKED
    together = made(family, prompts(20), share=share)
    alone = [made(family, [item], share=share)[0] for item in prompts(20)]
    few = made(family, prompts(20), Budget(tokens=1, positions=2, rows=2), share=share)
    assert together == alone == few


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_equal_prompts_in_one_batch_give_what_each_gives_alone(family):
    """Each is read once; the rows then go on apart. Rows are short: one past the switch of LongRoPE
    is run alone anyway."""
    draws = [Generation(6, temperature=1.0, seed=seed) for seed in range(3)]
    few = (prompts(9)[0], prompts(9)[1], prompts(9)[3])  # two are equally long
    items = [dataclasses.replace(item, generation=draw) for draw in draws for item in few]
    share = family in tiny.PACKED
    together = made(family, items, share=share)
    assert together == [made(family, [item], share=False)[0] for item in items]


def test_text_is_read_once_a_row_where_no_stop_is_looked_for():
    read = []

    def spy(ids) -> str:
        read.append(list(ids))
        return spell(ids)

    items = prompts(20)
    found = dict(generate(tiny.build("llama"), items, MANY, frozenset(tiny.END_IDS), spy, True))
    assert len(read) == len(items)
    assert {row.text for row in found.values()} == set(map(spell, read))


def test_a_stop_string_cuts_the_text_even_across_tokens():
    (free,) = made("llama", prompts(0)[:1], ends=())
    numbers = free.text.split(",")
    stop = f"{numbers[4][-1]},{numbers[5][0]}"  # the end of one token and the start of the next
    settings = Generation(24, ("never", stop))
    (cut,) = made("llama", prompts(0, settings=settings)[:1], ends=())
    assert cut.text == free.text[: free.text.index(stop)]
    assert cut.finish == "stop"
    assert len(cut.ids) <= 6


def test_the_first_of_several_stops_in_the_text_counts():
    (free,) = made("llama", prompts(0)[:1], ends=())
    number = free.text.split(",")[0]
    stops = (",", number[-1])  # both come with the first token
    (cut,) = made("llama", prompts(0, settings=Generation(24, stops))[:1], ends=())
    assert cut.text == number[: number.index(number[-1])]


@pytest.mark.parametrize("engine", ["fast", "naive"])
def test_a_stop_string_that_is_a_special_token_ends_a_text_that_is_read_without_it(
    checkpoint, engine
):
    """It is no end token of the model: only this request stops there."""
    options = ModelOptions(dtype="float32", device="cpu", engine=engine)
    model = HuggingFace(str(checkpoint("llama", bos=True)), options)
    model.end_ids = frozenset()
    for start in range(40, 80):
        free = Encoded(tuple(range(start, start + 9)), generation=Generation(40))
        stopped = dataclasses.replace(free, generation=Generation(40, ("never", tiny.BOS)))
        replies = [next(iter(dict(model.answer([item])).values())) for item in (free, stopped)]
        if replies[0] != replies[1]:
            break
    assert replies[1].finish == "stop"
    assert replies[1].tokens_out < replies[0].tokens_out == 40
    assert replies[0].text.startswith(replies[1].text)


def test_stops_and_lengths_are_each_rows_own():
    free = made("llama", prompts(20), ends=())
    own = [
        dataclasses.replace(item, generation=Generation(3 + place, (row.text[9:12],)))
        for place, (item, row) in enumerate(zip(prompts(20), free, strict=True))
    ]
    assert made("llama", own, ends=()) == [made("llama", [item], ends=())[0] for item in own]


def test_an_end_token_stops_and_is_no_part_of_the_text():
    (free,) = made("llama", prompts(0)[:1], ends=())
    ids = [int(number) for number in free.text.split(",")[:-1]]
    end = ids[7]
    (cut,) = made("llama", prompts(0)[:1], ends=(end,))
    assert cut.text == spell(ids[: ids.index(end)])
    assert (cut.finish, len(cut.ids)) == ("stop", ids.index(end) + 1)


def test_generation_ends_at_the_length_asked_for():
    (row,) = made("llama", prompts(0, settings=Generation(6))[:1], ends=())
    assert (row.finish, len(row.ids), row.text.count(",")) == ("length", 6, 6)


@pytest.mark.parametrize("stated", [[7, 8], 7, None])
def test_the_tokenizers_end_token_ends_whatever_the_generation_config_states(
    checkpoint, tmp_path, stated
):
    item = prompts(0)[0]
    ids = tiny.naive_greedy(tiny.build("llama"), item.prompt, 24, (7, 8))
    folder = shutil.copytree(checkpoint("llama"), tmp_path / "model")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": stated}))
    path = folder / "tokenizer_config.json"
    end = tiny.tokenizer().convert_ids_to_tokens(ids[5])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token": end}))
    model = HuggingFace(str(folder), ModelOptions(dtype="float32", device="cpu"))
    (_, reply), *_ = model.answer([item])
    assert reply.tokens_out == ids.index(ids[5]) + 1
    assert reply.text == tiny.tokenizer().decode(ids[: ids.index(ids[5])])


def test_scores_and_texts_may_be_asked_together_and_errors_are_not_asked(opened):
    model = opened("llama")
    texts, choices = prompts(20)[:2], [Encoded((5, 6, 7), ((8,), (9, 10)))]
    broken = Encoded((5,), error="over-long prompt")
    replies = dict(model.answer([texts[0], broken, *choices, texts[1]]))
    assert sorted(replies) == [0, 2, 3]
    assert replies[2].logprobs == next(model.answer(choices))[1].logprobs
    assert [replies[0].text, replies[3].text] == [
        reply.text for _, reply in sorted(model.answer(texts), key=lambda pair: pair[0])
    ]
    assert list(model.answer([broken])) == []


def sampled(family: str, items):
    return [row.text for row in made(family, items, ends=())]


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_samples_depend_on_the_seed_and_not_on_neighbours_or_order(family):
    items = [
        dataclasses.replace(item, generation=Generation(16, (), 1.0, 0.95, seed=place % 4))
        for place, item in enumerate(prompts(20))
    ]
    share = family != "t5"
    texts = [row.text for row in made(family, items, share=share, ends=())]
    backwards = [row.text for row in made(family, items[::-1], share=share, ends=())]
    alone = [made(family, [item], share=share, ends=())[0].text for item in items]
    greedy = [dataclasses.replace(items[0], generation=Generation(16)), *items[1:]]
    assert backwards[::-1] == texts == alone
    assert [row.text for row in made(family, greedy, share=share, ends=())][1:] == texts[1:]


def test_samples_of_one_prompt_with_different_seeds_differ():
    prompt = prompts(0)[2].prompt
    items = [Encoded(prompt, generation=Generation(16, (), 1.5, seed=seed)) for seed in range(6)]
    assert len(set(sampled("llama", items))) == 6
    assert sampled("llama", items) == sampled("llama", items)


def test_a_tiny_nucleus_is_greedy():
    nucleus = prompts(20, settings=Generation(16, (), 1.0, top_p=1e-9, seed=1))
    assert sampled("llama", nucleus) == sampled("llama", prompts(20, settings=Generation(16)))


@pytest.mark.parametrize(
    "wrong", [{"max_tokens": 0}, {"top_p": 0.0}, {"top_p": 1.1}, {"temperature": -1.0}]
)
def test_texts_that_cannot_be_made_are_refused_when_they_are_described(wrong):
    with pytest.raises(ValueError, match=r"max_tokens .*top_p .*temperature"):
        Generation(**{"max_tokens": 5, **wrong})
