"""Ranking: ranks from scores, distinct replies, and a killed stage that ends as a whole one."""

import itertools
from collections import Counter
from copy import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RunError, TaskError
from bench.training.data.data_settings import Mix, Source
from bench.training.data.encode import Material, Stream
from bench.training.data.sources import Places, load_source
from bench.training.ranking.portions import Judged, Portions
from bench.training.ranking.rank import PORTION, dense_ranks, rank
from bench.training.ranking.rank_metrics import rank_metrics
from bench.training.ranking.rank_prompts import choose_prompts
from bench.training.ranking.verdict import Verdict, by_reward
from bench.training.rewards.rewards import make_rewarder
from bench.training.settings import Rank, RewardPart
from bench.training.steps.loop import Site
from bench.training.steps.processes import Processes
from bench.training.steps.watch import SilentWatcher
from bench.types import Ranking
from tests.training.replying import CPU, HERE, entry, open_tiny, plain_writer

torch.set_num_threads(1)
PROMPTS = 2 * PORTION + 3
SETTINGS = Rank.model_validate(
    {"kind": "rank", "prompts": "d", "by": {"scorer": "headline"}, "replies": 3, "max_reply": 5}
)
scores = st.lists(st.sampled_from([0.0, 0.05, 0.1, 0.5, 0.55, 1.0]), min_size=1, max_size=6)


class KilledError(Exception):
    """What the watcher raises in place of a kill."""


class StoppingWatcher(SilentWatcher):
    """Notes what it is told, and raises when `steps` prompts are done."""

    def __init__(self, steps=None):
        self.steps, self.begun, self.told, self.notes = steps, None, [], []

    def begin(self, stage, kind, total, done):
        self.begun = (stage, kind, total, done)

    def step(self, step, metrics):
        self.told.append((step, dict(metrics)))
        if step == self.steps:
            raise KilledError

    def note(self, text):
        self.notes.append(text)


@pytest.fixture(scope="module")
def tiny_checkpoint(tmp_path_factory):
    model, network = open_tiny(tmp_path_factory.mktemp("policy"))
    return network, plain_writer(model)


def site_in(folder, watcher=None, inputs="i"):
    return Site("ranked", "rank", folder, 0, inputs, Processes(CPU), watcher or SilentWatcher())


def stream_of(rows=PROMPTS, held_out=0, delimiter=" "):
    made = [entry(f"what is {n} ?", str(n), ids=(5, 6, 20 + n)) for n in range(rows + held_out)]
    made = [replace(one, prompt=replace(one.prompt, delimiter=delimiter)) for one in made]
    kept = tuple((item,) for item in made[:rows])
    material = Material({"plain": kept}, tuple(made[rows:]), {"plain": "d"})
    return Stream(material, Mix(), seed=0)


def by_length(entries, replies):
    """Longer is better."""
    return [Verdict(tuple(float(len(reply.text)) for reply in own)) for own in replies]


def run(folder, checkpoint, ranker=by_length, site=None, stream=None, **settings):
    network, writer = checkpoint
    return rank(
        SETTINGS.model_copy(update=settings),
        site or site_in(folder),
        network,
        writer,
        stream or stream_of(),
        ranker,
    )


@pytest.mark.parametrize(
    ("given_scores", "tie", "expected"),
    [
        ([0.2, 0.9, 0.2, 0.5], 0.0, (3, 1, 3, 2)),
        ([1.0, 0.92, 0.85], 0.1, (1, 1, 2)),  # 0.85 is near 0.92, but 1.0 is the measure
        ([1.0, 0.9, 0.8, 0.7], 0.1, (1, 1, 2, 2)),
        ([1.0, 0.95], 0.05, (1, 1)),  # the difference is 0.05 and some rounding
        ([-3.0, -1.0], 5.0, (1, 1)),
        ([7.0], 0.0, (1,)),
    ],
)
def test_scores_within_a_tie_of_the_best_left_share_its_rank(given_scores, tie, expected):
    assert dense_ranks(given_scores, tie) == expected


@given(scores, st.sampled_from([0.0, 0.05, 0.3]))
def test_ranks_are_dense_and_never_against_the_scores(found, tie):
    ranks = dense_ranks(found, tie)
    assert set(ranks) == set(range(1, max(ranks) + 1))
    for (left, left_rank), (right, right_rank) in itertools.permutations(
        zip(found, ranks, strict=True), 2
    ):
        assert left_rank <= right_rank or left < right
        assert left_rank != right_rank or abs(left - right) <= tie + 1e-9


@given(scores, st.sampled_from([0.0, 0.05, 0.3]), st.randoms(use_true_random=False))
def test_the_order_of_replies_does_not_move_their_ranks(found, tie, draw):
    order = draw.sample(range(len(found)), len(found))
    ranks = dense_ranks(found, tie)
    shuffled = dense_ranks([found[place] for place in order], tie)
    assert shuffled == tuple(ranks[place] for place in order)


def test_a_ranking_holds_the_distinct_replies_with_scores_ranks_and_the_demonstration(
    tmp_path, tiny_checkpoint
):
    done = run(tmp_path, tiny_checkpoint)
    assert [item.prompt.id for item in done.rankings] == [str(n) for n in range(PROMPTS)]
    for item in done.rankings:
        assert len(set(item.replies)) == len(item.replies) in (2, 3)
        assert item.scores == pytest.approx([len(reply) for reply in item.replies], abs=1)
        assert item.ranks == dense_ranks(item.scores, 0.0)
        assert item.target == "gold"
    read = load_source(Source(file="rankings.jsonl"), Places(tmp_path))
    assert read.rows == tuple((item,) for item in done.rankings)


def test_a_ranking_says_which_replies_were_cut_off(tmp_path, tiny_checkpoint):
    network, writer = tiny_checkpoint
    seen = []

    def noting(entries, replies):
        pairs = zip(entries, replies, strict=True)
        seen.extend((asked.prompt.id, reply) for asked, own in pairs for reply in own)
        return by_length(entries, replies)

    run(tmp_path / "first", tiny_checkpoint, noting)
    ending = copy(writer)  # at a token that this checkpoint often writes
    ending.end = Counter(t for _, reply in seen for t in reply.ids).most_common(1)[0][0]
    seen.clear()
    done = run(tmp_path / "second", (network, ending), noting)
    ended = {(asked, reply.text.removeprefix(" ")): reply.ended for asked, reply in seen}
    for item in done.rankings:
        assert item.ended == tuple(ended[item.prompt.id, text] for text in item.replies)
    assert {end for item in done.rankings for end in item.ended} == {True, False}


def test_replies_stand_there_as_the_writer_takes_them_without_the_delimiter(
    tmp_path, tiny_checkpoint
):
    stream, seen = stream_of(delimiter="~"), []  # which this checkpoint begins with now and then

    def noting(entries, replies):
        seen.extend(reply for own in replies for reply in own)
        return by_length(entries, replies)

    done = run(tmp_path, tiny_checkpoint, noting, stream=stream)
    texts = [text for item in done.rankings for text in item.replies]
    spoken = [reply.text for reply in seen]
    assert [text.removeprefix("~") for text in spoken] == texts
    assert any(text.startswith("~") for text in spoken)
    assert max(len(reply.ids) for reply in seen) == SETTINGS.max_reply


def test_the_same_seed_gives_the_same_rankings_and_another_others(tmp_path, tiny_checkpoint):
    first = run(tmp_path / "a", tiny_checkpoint)
    again = run(tmp_path / "b", tiny_checkpoint)
    other_site = replace(site_in(tmp_path / "c"), seed=1)
    other = run(tmp_path / "c", tiny_checkpoint, site=other_site)
    assert first == again
    assert first.rankings != other.rankings


@pytest.mark.parametrize("damage", [0, 1, 40])
def test_a_killed_stage_goes_on_and_ends_as_a_whole_one(tmp_path, tiny_checkpoint, damage):
    whole = run(tmp_path / "whole", tiny_checkpoint)
    folder = tmp_path / "killed"
    with pytest.raises(KilledError):
        run(folder, tiny_checkpoint, site=site_in(folder, StoppingWatcher(steps=2 * PORTION)))
    partial = folder / "training" / "rankings.partial.jsonl"
    partial.write_bytes(partial.read_bytes()[: -damage or None])
    watcher = StoppingWatcher()
    resumed = run(folder, tiny_checkpoint, site=site_in(folder, watcher))
    assert watcher.begun == ("ranked", "rank", PROMPTS, PORTION if damage > 1 else 2 * PORTION)
    assert resumed == whole
    files = [path / "rankings.jsonl" for path in (folder, tmp_path / "whole")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_was_done_with_other_inputs_is_done_again(tmp_path, tiny_checkpoint):
    run(tmp_path, tiny_checkpoint)
    watcher = StoppingWatcher()
    run(tmp_path, tiny_checkpoint, site=site_in(tmp_path, watcher, inputs="others"))
    assert watcher.begun[-1] == 0
    assert [step for step, _ in watcher.told] == [PORTION, 2 * PORTION, PROMPTS]


def test_the_watcher_is_told_of_each_portion(tmp_path, tiny_checkpoint):
    watcher = StoppingWatcher()
    done = run(tmp_path, tiny_checkpoint, site=site_in(tmp_path, watcher))
    assert all({"ended", "score", "tokens_per_second"} <= told.keys() for _, told in watcher.told)
    assert done.metrics["prompts"] == PROMPTS
    assert 4 * 3 * PROMPTS < done.metrics["tokens"] <= 5 * 3 * PROMPTS
    assert watcher.notes == []


def test_prompts_whose_replies_are_all_the_same_are_left_out_and_counted(tmp_path, tiny_checkpoint):
    watcher, asked = StoppingWatcher(), []

    def noting(entries, replies):
        asked.extend(map(len, replies))
        return by_length(entries, replies)

    site = site_in(tmp_path, watcher)
    done = run(tmp_path, tiny_checkpoint, noting, site=site, temperature=0.3, max_reply=2)
    alike = done.metrics["alike"]
    assert 0 < alike < PROMPTS
    assert len(done.rankings) == PROMPTS - alike
    assert watcher.notes == [
        f"prompts left out: {alike:.0f}; all replies to {alike:.0f} are the same"
    ]
    assert 1 not in asked


def test_replies_that_cannot_be_judged_are_left_out(tmp_path, tiny_checkpoint):
    def partly(entries, replies):
        """Judges the last two of three replies, to the first prompt the last one only."""
        found = []
        for asked, own in zip(entries, replies, strict=True):
            known = (None, None if asked.prompt.id == "0" else 1.0, 2.0)
            found.append(Verdict(known[: len(own)], "too odd"))
        return found

    watcher = StoppingWatcher()
    site, stream = site_in(tmp_path, watcher), stream_of(rows=5)
    done = run(tmp_path, tiny_checkpoint, partly, site=site, stream=stream)
    assert [item.prompt.id for item in done.rankings] == ["1", "2", "3", "4"]
    assert {item.scores for item in done.rankings} == {(1.0, 2.0)}
    assert done.metrics["unjudged"] == 1
    assert watcher.notes == ["prompts left out: 1; those to 1 cannot be judged (too odd)"]


def test_a_stage_that_can_rank_nothing_says_why(tmp_path, tiny_checkpoint):
    def unable(entries, replies):
        return [Verdict((None,) * len(own), "too odd") for own in replies]

    with pytest.raises(RunError, match=r"stage ranked: none of 35 prompts .* \(too odd\)"):
        run(tmp_path, tiny_checkpoint, unable)
    assert not (tmp_path / "rankings.jsonl").exists()


def test_a_ranker_that_refuses_the_prompts_does_so_before_anything_is_sampled(
    tmp_path, tiny_checkpoint
):
    watcher = StoppingWatcher()

    def refusing(entries, replies):
        raise TaskError("no such scorer", "")

    with pytest.raises(TaskError):
        run(tmp_path, tiny_checkpoint, refusing, site=site_in(tmp_path, watcher))
    assert watcher.begun is None


def test_replies_are_ranked_by_a_reward(tmp_path, tiny_checkpoint):
    code = "def short(prompt, text):\n    return -len(text)\n"
    (tmp_path / "own.py").write_text(code, encoding="utf-8")
    places = replace(HERE, recipe_folder=tmp_path)
    rewarder = make_rewarder([RewardPart(function="own.py:short")], {}, places, 256)
    done = run(tmp_path, tiny_checkpoint, by_reward(rewarder))
    for item in done.rankings:
        assert item.ranks == dense_ranks([-len(text) for text in item.replies], 0.0)


def test_metrics_count_prompts_replies_and_pairs():
    prompt = entry("?").prompt
    judged = [
        Judged(("a", "b", "c"), (True,) * 3, (1.0, 0.0, 0.0), "", {"position_bias": 0.2}, 9, 4, 3),
        Judged(("a",), (True,), (), "", {}, 8, 4, 4),
        Judged(("a", "b"), (True,) * 2, (None, 0.5), "too long", {"position_bias": 0.4}, 7, 4, 1),
    ]
    rankings = [Ranking(prompt, ("a", "b", "c"), (1, 2, 2), (1.0, 0.0, 0.0))]
    assert rank_metrics(judged, rankings) == pytest.approx(
        {
            "prompts": 3,
            "rankings": 1,
            "replies": 3,
            "pairs": 2,
            "ties": 1,
            "alike": 1,
            "unjudged": 1,
            "tokens": 24,
            "ended": 8 / 12,
            "score": 1.5 / 4,
            "position_bias": 0.3,
        }
    )


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=4))
def test_what_is_kept_of_a_portion_comes_back_to_the_last_bit(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("portions") / "partial.jsonl"
    texts = tuple(f"{n}\n\u2028é" for n in range(len(found)))
    whole = tuple(score > 0 for score in found)
    judged = Judged(texts, whole, (*found[:-1], None), "", {"position_bias": found[0]}, 1, 2, 0)
    portions = Portions(path, "i", 2)
    portions.open()
    portions.add([judged, judged])
    assert Portions(path, "i", 2).load() == [judged, judged]
    assert Portions(path, "i", 3).load() == []


def test_every_row_is_replied_to_once_and_held_out_rows_last():
    stream = stream_of(rows=6, held_out=2)
    assert [item.prompt.id for item in choose_prompts(stream, None)] == list("01234567")
    assert choose_prompts(stream, 8) == choose_prompts(stream, None)


def test_fewer_prompts_are_distinct_and_keep_the_share_of_held_out_ones():
    stream = stream_of(rows=30, held_out=10)
    chosen = choose_prompts(stream, 20)
    held = {item.prompt.id for item in stream.material.held_out}
    assert len({item.prompt.id for item in chosen}) == 20
    assert [item.prompt.id in held for item in chosen] == [False] * 15 + [True] * 5
    assert chosen == choose_prompts(stream, 20)


def test_one_prompt_is_never_a_held_out_one():
    stream = stream_of(rows=1, held_out=9)
    assert choose_prompts(stream, 1)[0] == stream.material.rows["plain"][0][0]


def test_prompts_follow_the_weights_of_the_mixture():
    rows = {
        name: tuple((entry("?", str(n), name),) for n in range(20)) for name in ("often", "never")
    }
    material = Material(rows, (), dict.fromkeys(rows, "d"))
    mix = Mix(by="explicit", weights={"often": 1.0, "never": 0.0})
    chosen = choose_prompts(Stream(material, mix, 0), 10)
    assert [item.prompt.source for item in chosen] == ["often"] * 10
