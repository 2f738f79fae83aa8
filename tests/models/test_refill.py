"""Refilled batches: every reply is what the naive engine gives alone, and no place stays empty."""

import dataclasses
from copy import deepcopy
from functools import cache
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.models.attention import use_fast_decode
from bench.models.batching import Budget
from bench.models.decode import FRONT_FROM, generate
from bench.models.model import Encoded
from bench.models.naive import answer_naively
from bench.models.queue import READ_TOKENS
from bench.models.refill import AHEAD
from bench.models.refillable import refillable
from bench.types import Generation
from tests.models import tiny

ENDS = frozenset(range(300, tiny.WORDS))
HOW = {
    "front": ("llama", "gpt2", "qwen2", "gpt_neox", "gemma", "mistral_wide", "phi3_longrope"),
    "copied": ("deepseek", "gemma2", "gpt_neo", "bloom", "mpt"),
    "never": ("mistral", "lfm2", "recurrent_gemma", "mamba", "minimax", "t5", "bart"),
}


@cache
def opened(family: str):
    model = deepcopy(tiny.build(family))
    use_fast_decode(model)
    return model


def spell(ids) -> str:
    return "".join(f"{token}," for token in ids)


def made(family: str, items, rows: int, tokens: int = 10**6, ends=ENDS):
    """text, tokens, why it ended: of each, and where in the order it came."""
    found = dict(generate(opened(family), items, Budget(tokens, rows, rows), ends, spell, True))
    assert sorted(found) == list(range(len(items)))
    return [
        (found[place].text, len(found[place].ids), found[place].finish) for place in sorted(found)
    ]


def alone(family: str, items, ends=ENDS):
    replies = answer_naively(opened(family), items, ends, spell)
    return [(reply.text, reply.tokens_out, reply.finish) for _, reply in replies]


@dataclasses.dataclass
class Passes:
    """(rows, tokens a row) of every forward pass of a model within the block."""

    family: str
    shapes: list[tuple[int, int]] = dataclasses.field(default_factory=list)

    def __enter__(self):
        def note(_, __, given) -> None:
            self.shapes.append(tuple(given["input_ids"].shape))

        refillable(opened(self.family))
        self.handle = opened(self.family).register_forward_pre_hook(note, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.handle.remove()

    @property
    def steps(self) -> list[int]:
        return [rows for rows, tokens in self.shapes if tokens == 1]

    @property
    def reads(self) -> list[int]:
        return [rows for rows, tokens in self.shapes if tokens > 1]


def prompts(count: int, shared: int = 0, seed: int = 0, longest: int = 12):
    draw = Random(seed)
    prefix = [draw.randrange(3, 300) for _ in range(shared)]
    return [
        (*prefix, *(draw.randrange(3, 300) for _ in range(draw.randrange(2, longest))))
        for _ in range(count)
    ]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_probe_knows_how_each_family_can_be_refilled(family):
    assert family in HOW[refillable(opened(family))]


GENERATIONS = st.builds(
    Generation,
    max_tokens=st.integers(1, 9),
    stops=st.sampled_from([(), ("1,",), ("7", "22"), ("never", "0,1")]),
    temperature=st.sampled_from([0.0, 1.0, 1.7]),
    top_p=st.sampled_from([1.0, 0.8]),
    seed=st.integers(0, 99),
)


@pytest.mark.parametrize("shared", [0, FRONT_FROM // 2, FRONT_FROM])
@pytest.mark.parametrize("family", ["llama", "deepseek"])
@settings(max_examples=30)
@given(wanted=st.lists(GENERATIONS, min_size=1, max_size=9), rows=st.integers(1, 4), draw=st.data())
def test_any_mix_of_lengths_stops_and_samples_gives_what_each_gives_alone(
    family, shared, wanted, rows, draw
):
    among = prompts(4, shared)
    asked = draw.draw(st.lists(st.sampled_from(among), min_size=len(wanted), max_size=len(wanted)))
    items = [Encoded(prompt, generation=each) for prompt, each in zip(asked, wanted, strict=True)]
    expected = alone(family, items)
    assert made(family, items, rows) == expected
    order = draw.draw(st.permutations(range(len(items))))
    again = made(family, [items[place] for place in order], rows + 1, tokens=60)
    assert [again[order.index(place)] for place in range(len(items))] == expected


@pytest.mark.parametrize("shared", [0, 34])
@pytest.mark.parametrize("family", [*HOW["front"], *HOW["copied"]])
def test_every_family_that_is_refilled_gives_what_it_gives_alone(family, shared):
    """Within the 40 tokens of the windows, and up to them."""
    items = [
        Encoded(prompt, generation=Generation(40 - len(prompt)))
        for prompt in prompts(7, shared, seed=1, longest=5)
    ]
    assert made(family, items, rows=3, ends=frozenset(range(200, 300))) == alone(
        family, items, ends=frozenset(range(200, 300))
    )


@pytest.fixture
def one_lane(monkeypatch):
    monkeypatch.setattr("bench.models.lanes.LANES", {})


def test_a_place_that_is_free_is_taken_at_once(one_lane):
    lengths = (9, 2, 5, 3, 12, 2, 7, 2, 2, 6, 4, 3)
    items = [
        Encoded(prompt, generation=Generation(length))
        for prompt, length in zip(prompts(len(lengths)), lengths, strict=True)
    ]
    with Passes("llama") as passes:
        made("llama", items, rows=4, ends=frozenset())
    full = [rows for rows in passes.steps if rows == 4]
    assert sum(passes.steps) == sum(lengths) - len(lengths)  # the first token comes with reading
    assert passes.steps[: len(full)] == full
    assert passes.steps[len(full) :] == sorted(passes.steps[len(full) :], reverse=True)
    assert len(passes.steps) - len(full) < max(lengths)


def test_prompts_are_read_ahead_in_groups(one_lane):
    rows = 2 * AHEAD
    items = [
        Encoded(prompt, generation=Generation(3 + place % 11))  # so that ends come one by one
        for place, prompt in enumerate(prompts(80))
    ]
    with Passes("gpt_neo") as passes:
        made("gpt_neo", items, rows, ends=frozenset())
    assert passes.reads[0] == rows
    assert min(passes.reads[1:-1]) >= rows // AHEAD
    assert sum(passes.reads) == len(items)


def test_samples_of_one_prompt_read_it_once():
    items = [
        Encoded(prompt, generation=Generation(5, temperature=1.0, seed=sample))
        for sample in range(7)
        for prompt in prompts(9)
    ]
    with Passes("llama") as passes:
        made("llama", items, rows=3)
    assert sum(passes.reads) == 9


def test_no_more_rows_than_the_budget_holds_and_more_when_the_long_are_done():
    long = [Encoded(prompt, generation=Generation(40)) for prompt in prompts(3)]
    short = [Encoded(prompt, generation=Generation(8)) for prompt in prompts(30, seed=1)]
    with Passes("llama") as passes:
        made("llama", long + short, rows=64, tokens=100, ends=frozenset())
    assert max(passes.steps[:39]) <= 100 // 40
    assert 4 <= max(passes.steps) <= 100 // 8


def test_a_pass_reads_no_more_tokens_than_it_may():
    most = READ_TOKENS["cpu"]
    items = [Encoded(prompt, generation=Generation(1)) for prompt in prompts(60, longest=120)]
    with Passes("llama") as passes:
        made("llama", items, rows=64)
    assert passes.steps == []
    assert max(rows * tokens for rows, tokens in passes.shapes) <= most


def test_what_is_read_at_once_takes_half_the_room_of_what_is_written():
    items = [Encoded(prompt, generation=Generation(2)) for prompt in prompts(30, FRONT_FROM)]
    with Passes("llama") as passes:
        made("llama", items, rows=64, tokens=400, ends=frozenset())
    reads = [shape for shape in passes.shapes[1:] if shape[1] > 1]
    assert len(reads) > 6
    assert max(rows * (FRONT_FROM + tokens) for rows, tokens in reads) <= 200


def test_a_shared_prefix_is_run_once_and_not_copied_to_rows_it_stands_in_front_of():
    items = [Encoded(prompt, generation=Generation(6)) for prompt in prompts(6, FRONT_FROM)]
    with Passes("llama") as passes:
        made("llama", items, rows=6, ends=frozenset())
    widths = [tokens for _, tokens in passes.shapes if tokens > 1]
    assert widths[0] >= FRONT_FROM > max(widths[1:])
    assert passes.shapes[0][0] == 1


def test_nothing_asked_is_nothing_made():
    assert made("llama", [], rows=4) == []


def test_consumers_are_not_left_in_inference_mode():
    items = [Encoded(prompt, generation=Generation(3)) for prompt in prompts(3)]
    for family in ("llama", "lfm2"):
        for _ in generate(opened(family), items, Budget(99, 2, 2), ENDS, spell, family == "llama"):
            assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("family", ["mistral_wide", "gemma2", "gpt_neo", "phi3_longrope", "llama"])
@pytest.mark.parametrize("shared", [0, 8, 34])  # copied to each row, or in front of all
def test_many_prompts_are_read_at_once_though_together_they_are_longer_than_a_window(
    family, shared
):
    """A cache with a window would keep the last of them alone."""
    draw = Random(shared)
    prefix = tuple(draw.randrange(3, 280) for _ in range(shared))
    longest = max(2, 34 - shared)
    items = [
        Encoded(
            prefix + tuple(draw.randrange(3, 280) for _ in range(own)), generation=Generation(4)
        )
        for own in (draw.randint(2, longest) for _ in range(12))
    ]
    assert made(family, items, rows=12) == alone(family, items)
