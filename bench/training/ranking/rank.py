"""Rankings without people: K replies to each prompt, sampled from a checkpoint and put in order.

A stage of kind `rank` runs it; reward models and DPO learn from the rankings.jsonl that it writes.
A killed stage goes on after its last whole portion of prompts and writes the same file.

>>> dense_ranks([0.2, 0.9, 0.85, 0.2], tie=0.1)
(2, 1, 1, 2)
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.errors import RunError
from bench.training.data.encode import Entry, Stream
from bench.training.data.rankings import SampledRanking, save_rankings
from bench.training.data.writer import Writer
from bench.training.networks.network import Network
from bench.training.objectives.sampling import Sampled, sample
from bench.training.ranking.portions import Judged, Portions
from bench.training.ranking.rank_metrics import left_out, means, rank_metrics
from bench.training.ranking.rank_prompts import choose_prompts
from bench.training.ranking.verdict import Ranker
from bench.training.settings import Rank
from bench.training.stage_file import RANKINGS
from bench.training.steps.loop import Site
from bench.training.steps.seeds import seed_of
from bench.training.steps.state import WORK
from bench.types import Generation, Ranking

PARTIAL = "rankings.partial.jsonl"
PORTION = 16  # prompts that are sampled together, and all that a kill can lose


@dataclass(frozen=True, slots=True)
class Ranked:
    """The rankings that were written, and what they took (see `rank_metrics`)."""

    rankings: list[Ranking]
    metrics: dict[str, float]


def rank(
    settings: Rank, site: Site, network: Network, writer: Writer, stream: Stream, ranker: Ranker
) -> Ranked:
    """Let `network` reply to the prompts of `stream`, held-out ones too, and `ranker` score them.

    A prompt is left out where fewer than two of its replies differ, or could be judged.

    Raises:
        RunError: no prompt is left, or a file cannot be written.
        TaskError, SandboxError: the prompts are none that `ranker` can judge.
    """
    entries = choose_prompts(stream, settings.most)
    ranker(entries, [()] * len(entries))  # what it refuses whatever the replies, before any work
    judged = _judge_all(settings, site, network, writer, entries, ranker)
    rankings = list(_rankings(entries, judged, settings.tie))
    if not rankings:
        raise RunError(
            f"stage {site.name}: none of {len(entries)} prompts can be ranked: {left_out(judged)}",
            f"sample more freely: --set stages.{site.name}.temperature="
            f"{settings.temperature + 0.2:.1f}",
        )
    if len(rankings) < len(entries):
        site.watcher.note(f"prompts left out: {len(entries) - len(rankings)}; {left_out(judged)}")
    if site.processes.main:
        save_rankings(site.folder / RANKINGS, rankings)
    site.processes.wait()
    site.watcher.end(site.name)
    return Ranked(rankings, rank_metrics(judged, rankings))


def dense_ranks(scores: Sequence[float], tie: float) -> tuple[int, ...]:
    """1 for the best; scores that lie no more than `tie` below the best of a rank share it.

    From the best down, each rank is opened by the best score that is left. It alone is the measure:
    with a tie of 0.1, 1.0 and 0.92 share a rank and 0.85 does not, near as it is to 0.92.
    """
    ranks: dict[float, int] = {}
    rank, best = 0, math.inf
    for score in sorted(set(scores), reverse=True):
        gap = best - score
        if gap > tie and not math.isclose(gap, tie, rel_tol=1e-9):  # 1.0 - 0.95 is above 0.05
            rank, best = rank + 1, score
        ranks[score] = rank
    return tuple(ranks[score] for score in scores)


def _judge_all(
    settings: Rank,
    site: Site,
    network: Network,
    writer: Writer,
    entries: Sequence[Entry],
    ranker: Ranker,
) -> list[Judged]:
    """Portion by portion, each divided among the processes; the main one keeps what is done."""
    portions = Portions(site.folder / WORK / PARTIAL, site.inputs, PORTION)
    judged = portions.load()
    site.processes.wait()  # until all have read what the main one now writes
    main = site.processes.main
    site.watcher.begin(site.name, site.kind, len(entries), len(judged))
    if main:
        portions.open()
    for start in range(len(judged), len(entries), PORTION):
        clock = time.perf_counter()
        own = site.processes.share(entries[start : start + PORTION])
        drawn = _draw(settings, site, network, writer, own)
        fresh = site.processes.gather(_judge(ranker, writer, own, drawn))
        if main:
            portions.add(fresh)
        judged += fresh
        site.watcher.step(len(judged), _told(fresh, time.perf_counter() - clock))
    return judged


def _draw(
    settings: Rank, site: Site, network: Network, writer: Writer, entries: Sequence[Entry]
) -> list[list[Sampled]]:
    """K replies to each of `entries`."""
    if not entries:
        return []
    replies = settings.replies
    seeds = [
        seed_of(site.seed, site.name, entry.prompt.source, entry.prompt.id, number)
        for entry in entries
        for number in range(replies)
    ]
    prompts = [entry.document.prompt for entry in entries for _ in range(replies)]
    how = Generation(settings.max_reply, temperature=settings.temperature, top_p=settings.top_p)
    found = sample(network, writer, prompts, seeds, how, settings.micro_tokens)
    return [found[start : start + replies] for start in range(0, len(found), replies)]


def _judge(
    ranker: Ranker, writer: Writer, entries: Sequence[Entry], drawn: Sequence[Sequence[Sampled]]
) -> list[Judged]:
    """The distinct replies with their scores; the only reply to a prompt is not scored."""
    distinct = [
        _distinct(writer, entry, replies) for entry, replies in zip(entries, drawn, strict=True)
    ]
    asked = [tuple(found.values()) if len(found) > 1 else () for found in distinct]
    verdicts = ranker(entries, asked)
    return [
        Judged(
            texts=tuple(found),
            whole=tuple(reply.ended for reply in found.values()),
            scores=verdict.scores,
            reason=verdict.reason,
            metrics=verdict.metrics,
            tokens=sum(len(reply.ids) for reply in replies),
            replies=len(replies),
            ended=sum(reply.ended for reply in replies),
        )
        for found, verdict, replies in zip(distinct, verdicts, drawn, strict=True)
    ]


def _distinct(writer: Writer, entry: Entry, replies: Sequence[Sampled]) -> dict[str, Sampled]:
    """The first reply of each text; the writer puts the delimiter before plain text by itself."""
    found: dict[str, Sampled] = {}
    for reply in replies:
        text = reply.text if writer.chat else reply.text.removeprefix(entry.prompt.delimiter)
        found.setdefault(text, reply)
    return found


def _rankings(entries: Sequence[Entry], judged: Sequence[Judged], tie: float) -> Iterator[Ranking]:
    for entry, item in zip(entries, judged, strict=True):
        if len(item.known) > 1:
            texts, whole, scores = zip(*item.known, strict=True)
            ranks = dense_ranks(scores, tie)
            yield SampledRanking(entry.prompt, texts, ranks, scores, entry.target, whole)


def _told(fresh: Sequence[Judged], seconds: float) -> dict[str, float]:
    """What the watcher is told of a portion."""
    return {**means(fresh), "tokens_per_second": sum(item.tokens for item in fresh) / seconds}
