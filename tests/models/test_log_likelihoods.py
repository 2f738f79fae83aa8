"""Log-likelihoods equal those of one full forward per prompt + continuation, however batched."""

import random
from dataclasses import replace
from threading import get_ident

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.models.attention import runs_pieces
from bench.models.batching import Budget
from bench.models.model import Encoded, Scored
from bench.models.prefix import KeptPrefix, packs, score_packed
from bench.models.reach import reach, rope_switch
from bench.models.rows import score_rows
from bench.types import Request
from tests.models import tiny

ONE_ROW = Budget(tokens=1, positions=1, rows=1)
MANY = Budget(tokens=100_000, positions=100_000, rows=10_000)
TOKENS = st.integers(3, tiny.WORDS - 1)
BRANCH = st.lists(TOKENS, min_size=1, max_size=6).map(tuple)
OWN = st.lists(TOKENS, min_size=1, max_size=12).map(tuple)
PREFIX = st.lists(TOKENS, max_size=14).map(tuple)
SHARED = st.tuples(
    PREFIX,
    st.lists(st.tuples(OWN, st.lists(BRANCH, min_size=1, max_size=4)), min_size=1, max_size=4),
)
TEXT = st.text("the catqus?\n é日", max_size=60)
CONTEXT = TEXT | TEXT.map(lambda text: "the question? " + text) | TEXT.map(lambda text: text * 9)
REQUESTS = st.lists(
    st.builds(
        Request, CONTEXT, st.lists(TEXT.filter(str.strip), min_size=1, max_size=4).map(tuple)
    ),
    min_size=1,
    max_size=5,
).map(lambda drawn: drawn + drawn[:1])


def workload(longest: int, seed: int = 0, shared: int = 12) -> list[Encoded]:
    """Prompts of 1 to `longest` tokens behind a common prefix, 1 to 4 choices, one duplicate."""
    draw = random.Random(seed)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(draw.randrange(3, tiny.WORDS) for _ in range(count))

    prefix = ids(shared)
    items = [
        Encoded(
            prefix + ids(draw.randint(1, longest)),
            tuple(ids(draw.randint(1, 7)) for _ in range(draw.randint(1, 4))),
        )
        for _ in range(5)
    ]
    items.append(Encoded(ids(36), (ids(2), ids(3), ids(12))))  # a row on both sides of 40 tokens
    same = items[0].continuations[0]
    return [*items, items[0], Encoded(items[0].prompt, (same, same, same[:1]))]


def assert_exact(model, items, scored):
    found = dict(scored)
    assert sorted(found) == list(range(len(items)))
    for place, item in enumerate(items):
        expected = [tiny.naive(model, item.prompt, branch) for branch in item.continuations]
        totals = [one.total for one in found[place]]
        assert totals == pytest.approx([total for total, _ in expected], abs=1e-4, rel=2e-6)
        assert [one.greedy for one in found[place]] == [flag for _, flag in expected]


def scores(replies):
    return (
        (place, [Scored(*one, ()) for one in zip(reply.logprobs, reply.greedy, strict=True)])
        for place, reply in replies
    )


@pytest.mark.parametrize("family", tiny.PACKED + tiny.WINDOWED)
def test_models_that_honour_masks_and_positions_pack(family):
    assert packs(tiny.build(family))


@pytest.mark.parametrize("family", tiny.UNPACKED)
def test_models_that_do_not_are_found_out(family):
    assert not packs(tiny.build(family))


@pytest.mark.parametrize("shared", [0, 12, 60])
@pytest.mark.parametrize("family", tiny.PACKED)
def test_packed_scores_are_those_of_full_forwards(family, shared):
    """In rows with a dense mask; a prefix of 60 tokens is cached."""
    model, items = tiny.build(family), workload(longest=30, shared=shared)
    assert_exact(model, items, score_packed(model, items, MANY))


@pytest.mark.parametrize("cached_from", [8, 10**6])
@pytest.mark.parametrize("family", tiny.PACKED)
def test_scores_in_blocks_are_those_of_full_forwards(opened, family, cached_from):
    """Rows wider than a block: with a cached prefix, and with it in the row."""
    model = opened(family).model
    assert runs_pieces(model)
    items = workload(longest=60) + workload(longest=150, seed=1)
    items = [replace(item, prompt=items[0].prompt[:9] + item.prompt) for item in items]
    found = score_packed(model, items, MANY, cached_from=cached_from)
    assert_exact(tiny.build(family), items, found)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_row_scores_are_those_of_full_forwards(family):
    model, items = tiny.build(family), workload(longest=20)
    budget = MANY if rope_switch(model.config) is None else ONE_ROW
    assert_exact(model, items, score_rows(model, items, budget))


@pytest.mark.parametrize(("family", "lanes"), [("phi3_longrope", 1), ("mistral", 2)])
def test_rotation_that_changes_with_length_is_not_shared_by_two_lanes(family, lanes):
    """The factors lie in the model: a long row would turn those of a short one beside it."""
    model, used = tiny.build(family), set()
    items, threads = workload(longest=60), torch.get_num_threads()
    list(score_rows(model, items, ONE_ROW))  # what padding does to it is known from now on
    handle = model.register_forward_pre_hook(lambda *_: used.add(get_ident()))
    torch.set_num_threads(2)
    try:
        scored = list(score_rows(model, items, ONE_ROW))
    finally:
        torch.set_num_threads(threads)
        handle.remove()
    assert len(used) == lanes
    assert_exact(model, items, scored)


@pytest.mark.parametrize("family", ["mamba", "t5"])
def test_continuations_that_read_the_same_share_a_row(family):
    """Letters and equal requests: one position for all first tokens, two for those of (8, ...)."""
    model, projected = tiny.build(family), []
    item = Encoded(tuple(range(3, 20)), ((5,), (6,), (7,), (8, 9), (8, 10)))
    list(score_rows(model, [item, item], MANY))  # what padding does to it is known from now on
    handle = model.get_output_embeddings().register_forward_hook(
        lambda _, args, out: projected.append(args[0].shape[1])
    )
    try:
        scored = list(score_rows(model, [item, item], MANY))
    finally:
        handle.remove()
    assert projected == [1 + 2]
    assert_exact(model, [item, item], scored)


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("batch_tokens", [0, 1])
def test_answers_are_those_of_full_forwards(opened, family, batch_tokens):
    """Rows shorter and longer than every sliding window, in one call."""
    model = opened(family, batch_tokens)
    items = workload(longest=6) + workload(longest=60, seed=1)
    assert_exact(tiny.build(family), items, scores(model.answer(items)))


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen2", "gpt_neox", "gemma"])
@settings(max_examples=15)
@given(drawn=SHARED, cached_from=st.sampled_from([1, 8, 10**6]), in_blocks=st.booleans())
def test_any_tree_scores_as_full_forwards(opened, family, drawn, cached_from, in_blocks):
    prefix, rest = drawn
    items = [Encoded(prefix + own, tuple(branches)) for own, branches in rest]
    model = opened(family).model if in_blocks else tiny.build(family)
    found = score_packed(model, items, MANY, cached_from=cached_from)
    assert_exact(tiny.build(family), items, found)


@pytest.mark.parametrize("family", ["llama", "mistral_wide", "t5"])
@settings(max_examples=15)
@given(requests=REQUESTS)
def test_any_requests_score_as_full_forwards(opened, family, requests):
    """Empty contexts, prompts cut on the left, equal requests, windows: what the encoder gives."""
    model = opened(family)
    items = [item for item in model.encode(requests) if item.error is None]
    assert_exact(tiny.build(family), items, scores(model.answer(items)))


@settings(max_examples=25)
@given(drawn=SHARED, tokens=st.integers(1, 120), positions=st.integers(1, 30))
def test_scores_do_not_depend_on_the_budget(drawn, tokens, positions):
    prefix, rest = drawn
    items = [Encoded(prefix + own, tuple(branches)) for own, branches in rest]
    model = tiny.build("llama")
    whole = dict(score_packed(model, items, MANY))
    small = dict(score_packed(model, items, Budget(tokens, positions, rows=10_000)))
    for place, found in whole.items():
        totals = [one.total for one in small[place]]
        assert totals == pytest.approx([one.total for one in found], abs=1e-4)
        assert [one.greedy for one in small[place]] == [one.greedy for one in found]


def test_a_prefix_is_run_once_for_all_calls_that_share_it(opened):
    """Later calls read what follows it only, and answer bit for bit what a first call answers."""
    model = opened("llama").model
    read: list[int] = []
    embedding = model.get_input_embeddings()
    handle = embedding.register_forward_hook(lambda _, args, out: read.append(args[0].numel()))
    kept, prefix = KeptPrefix(), tuple(range(3, 103))
    items = [Encoded((*prefix, token), ((5,), (6, 7))) for token in range(110, 114)]
    try:
        for part in (items[:2], items[2:]):
            again = list(score_packed(model, part, MANY, kept))
            assert again == list(score_packed(model, part, MANY))
    finally:
        handle.remove()
    assert read == [100, 4, 100, 4, 4, 100, 4]


def test_what_some_prompts_share_is_read_once(opened):
    """Two subjects with shots of their own, each question in two wordings, and a duplicate."""
    model = opened("llama")
    model.load()
    read: list[int] = []
    handle = model.model.get_input_embeddings().register_forward_hook(
        lambda _, args, out: read.append(args[0].numel())
    )
    shots = (tuple(range(3, 33)), tuple(range(43, 73)))
    items = [
        Encoded((*shot, question, wording), ((5,), (6,), (7, 8), (7, 9)))
        for shot in shots
        for question in (101, 102)
        for wording in (111, 112)
    ]
    try:
        list(model.answer([*items, items[0]]))
    finally:
        handle.remove()
    assert read == [2 * (30 + 2 * (1 + 2 * (1 + 1)))]


@pytest.mark.parametrize("family", ["mistral_wide", "t5"])
def test_scores_do_not_depend_on_order_or_neighbours(opened, family):
    model, items = opened(family), workload(longest=40)
    together = dict(model.answer(items))
    backwards = dict(model.answer(items[::-1]))
    for place, item in enumerate(items):
        (_, alone), *rest = model.answer([item])
        assert not rest
        for other in (together[place], backwards[len(items) - 1 - place]):
            assert other.logprobs == pytest.approx(alone.logprobs, abs=1e-4)
            assert other.greedy == alone.greedy


def test_greedy_flag_is_true_for_the_models_own_continuation(opened):
    prompt = workload(longest=10)[0].prompt
    made = tuple(tiny.naive_greedy(tiny.build("llama"), prompt, 5))
    worse = (*made[:-1], 3 + (made[-1] == 3))
    (_, reply), *_ = opened("llama").answer([Encoded(prompt, (made, worse))])
    assert reply.greedy == (True, False)


def test_a_reply_counts_its_tokens(opened):
    item = Encoded(tuple(range(3, 20)), ((5,), (6, 7, 8)), truncated=4)
    (_, reply), *_ = opened("llama").answer([item])
    assert reply.token_counts == (1, 3)
    assert (reply.tokens_in, reply.truncated, reply.finish) == (21, 4, "scored")
    assert reply.error is None


def test_no_vocabulary_logits_are_made_where_none_are_wanted(opened):
    """The output embedding sees the wanted positions only: memory does not grow with prompts."""
    seen = []
    model = opened("llama")
    head = model.model.get_output_embeddings()
    handle = head.register_forward_hook(lambda _, args, out: seen.append(out.shape[:-1].numel()))
    try:
        list(model.answer([Encoded(tuple(range(3, 200)), ((5,), (6, 7)))] * 3))
    finally:
        handle.remove()
    assert max(seen) <= 3 * 2


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("llama", 10**9),
        ("mistral", 8),
        ("gemma2", 40),
        ("gpt_neo", 40),
        ("phi3_longrope", 40),
        ("llama4", 40),
    ],
)
def test_reach_is_where_tokens_stop_seeing_each_other(family, expected):
    assert reach(tiny.build(family).config) == expected


def test_reach_ends_where_any_layer_changes_its_rotation():
    long = {"rope_type": "longrope", "original_max_position_embeddings": 60, "factor": 4.0}
    long |= {"long_factor": [4.0] * 4, "short_factor": [1.0] * 4, "rope_theta": 1e4}
    plain = {"rope_type": "default", "rope_theta": 1e4}
    config = tiny.build("gemma2").config.__class__()
    config.sliding_window = 240
    config.rope_parameters = {"full_attention": long, "sliding_attention": plain}
    assert (rope_switch(config), reach(config)) == (60, 60)
    config.rope_parameters = {"full_attention": plain, "sliding_attention": plain}
    assert (rope_switch(config), reach(config)) == (None, 240)
