"""Rankings without people: K replies to each prompt, sampled from a checkpoint and put in order.

A stage of kind `rank` runs it; reward models and DPO learn from the rankings.jsonl that it writes.
A killed stage goes on after its last whole portion of prompts and writes the same file.

>>> dense_ranks([0.2, 0.9, 0.85, 0.2], tie=0.1)
(2, 1, 1, 2)
"""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from bench.errors import RunError
from bench.training.encode import Entry, Stream
from bench.training.loop import WORK, Site
from bench.training.mixture import Draw, wording
from bench.training.network import Network
from bench.training.outcome import Outcome
from bench.training.portions import Judged, Portions
from bench.training.rankings import save_rankings
from bench.training.sampling import Sampled, Sampling, sample
from bench.training.seeds import seed_of
from bench.training.settings import Rank
from bench.training.verdict import Ranker
from bench.training.watch import SilentWatcher
from bench.training.writer import Writer
from bench.types import DataUse, Ranking

RANKINGS = "rankings.jsonl"
PARTIAL = "rankings.partial.jsonl"
PORTION = 16  # prompts that are sampled together, and all that a kill can lose


@dataclass(frozen=True, slots=True)
class Ranked:
    """The rankings that were written, and for the card what they took (see `outcome_of`)."""

    rankings: list[Ranking]
    outcome: Outcome


def rank(
    settings: Rank, site: Site, network: Network, writer: Writer, stream: Stream, ranker: Ranker
) -> Ranked:
    """Let `network` reply to the prompts of `stream`, let `ranker` order the replies.

    A prompt is left out where fewer than two of its replies differ or could be judged.

    Raises:
        RunError: no prompt is left, or a file cannot be written.
        TaskError, SandboxError: the prompts are none that `ranker` can judge.
    """
    entries = choose_prompts(stream, settings.most)
    ranker(entries, [()] * len(entries))  # whatever it refuses, it refuses before the sampling
    portions = Portions(site.folder / WORK / PARTIAL, site.inputs, PORTION)
    judged = portions.load()
    site.processes.wait()
    watcher = site.watcher if site.processes.main else SilentWatcher()
    watcher.begin(site.name, site.kind, len(entries), len(judged))
    for start in range(len(judged), len(entries), PORTION):
        clock = time.perf_counter()
        portion = site.processes.share(entries[start : start + PORTION])
        drawn = _draw(settings, site, network, writer, portion)
        fresh = site.processes.gather(_judge(ranker, writer, portion, drawn))
        judged += fresh
        if site.processes.main:
            portions.save(fresh)
        watcher.step(len(judged), _told(fresh, time.perf_counter() - clock))
    rankings = list(_rankings(entries, judged, settings.tie))
    outcome = outcome_of(stream, entries, judged, rankings)
    left_out = len(entries) - len(rankings)
    if left_out:
        watcher.note(f"{left_out} of {len(entries)} prompts are left out: {_why(judged)}")
    if not rankings:
        raise RunError(
            f"stage {site.name}: none of {len(entries)} prompts can be ranked: {_why(judged)}",
            f"sample more freely: --set stages.{site.name}.temperature=1.2",
        )
    if site.processes.main:
        save_rankings(site.folder / RANKINGS, rankings)
    site.processes.wait()
    watcher.end(site.name)
    return Ranked(rankings, outcome)


def choose_prompts(stream: Stream, most: int | None) -> list[Entry]:
    """Every row once; or the first `most` distinct rows in the order of the mixture's draws.

    An epoch of a mixture that draws unevenly may have fewer distinct rows than `most`.
    """
    rows = stream.material.rows
    if most is None or most >= stream.material.size:
        places = [(source, row) for source in rows for row in range(len(rows[source]))]
        return [
            wording(Draw(source, row, 0), rows[source][row], stream.seed) for source, row in places
        ]
    first: dict[tuple[str, int], int] = {}
    for index in range(len(stream.mixture)):
        draw = stream.mixture.at(index)
        first.setdefault((draw.source, draw.row), index)
        if len(first) == most:
            break
    return [stream.take(index, 1)[0] for index in first.values()]


def dense_ranks(scores: Sequence[float], tie: float) -> tuple[int, ...]:
    """1 for the best; scores that lie no more than `tie` below the best of a rank share it.

    From the best down, each rank is opened by the best score that is left. It alone is the measure:
    with a tie of 0.1, 1.0 and 0.92 share a rank and 0.85 does not, near as it is to 0.92.
    """
    ranks: dict[float, int] = {}
    best = math.inf
    for score in sorted(set(scores), reverse=True):
        gap = best - score
        if gap > tie and not math.isclose(gap, tie, rel_tol=1e-9):  # 1.0 - 0.9 is above 0.1
            best = score
        ranks[score] = ranks[best] if best in ranks else len(set(ranks.values())) + 1
    return tuple(ranks[score] for score in scores)


def outcome_of(
    stream: Stream, entries: Sequence[Entry], judged: Sequence[Judged], rankings: Sequence[Ranking]
) -> Outcome:
    """A step is a prompt. Metrics:

    prompts         that were replied to
    rankings        that were made of them
    replies         distinct and judged replies in the rankings
    pairs, ties     pairs of replies of unequal and of equal rank
    alike           prompts left out because fewer than two of their replies differ
    unjudged        prompts left out because fewer than two of their replies could be judged
    ended           share of all sampled replies that ended by themselves
    score           mean score of all judged replies
    others          means over prompts of what the ranker reports (position_bias)
    """
    used = Counter(entry.prompt.source for entry in entries)
    material = stream.material
    data = tuple(
        DataUse(label, material.digests[label], len(rows), used[label], used[label] / len(rows), 0)
        for label, rows in material.rows.items()
        if rows
    )
    metrics = _counts(judged, rankings) | _means(judged)
    return Outcome(len(entries), sum(item.tokens for item in judged), data, metrics)


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
    # A reply that was cut off gets an end where it is learned from, which must fit in as well.
    longest = max(1, settings.max_reply - 1)
    sampling = Sampling(longest, settings.temperature, settings.top_p)
    found = sample(network, writer, prompts, seeds, sampling)
    return [found[start : start + replies] for start in range(0, len(found), replies)]


def _judge(
    ranker: Ranker, writer: Writer, entries: Sequence[Entry], drawn: Sequence[Sequence[Sampled]]
) -> list[Judged]:
    """The distinct replies with their scores; those to a prompt that has but one are not scored."""
    distinct = [
        {_written(writer, entry, reply): reply for reply in reversed(own)}
        for entry, own in zip(entries, drawn, strict=True)
    ]
    texts = [tuple(reversed(found)) for found in distinct]
    shown = [
        [found[text] for text in own] if len(own) > 1 else []
        for found, own in zip(distinct, texts, strict=True)
    ]
    verdicts = ranker(entries, shown)
    return [
        Judged(
            texts=own,
            scores=verdict.scores,
            reason=verdict.reason,
            metrics=verdict.metrics,
            tokens=sum(len(reply.ids) for reply in replies),
            replies=len(replies),
            ended=sum(reply.ended for reply in replies),
        )
        for own, verdict, replies in zip(texts, verdicts, drawn, strict=True)
    ]


def _written(writer: Writer, entry: Entry, reply: Sampled) -> str:
    """The reply as the writer takes it: it puts the delimiter before plain text by itself."""
    return reply.text if writer.chat else reply.text.removeprefix(entry.prompt.delimiter)


def _rankings(entries: Sequence[Entry], judged: Sequence[Judged], tie: float) -> Iterator[Ranking]:
    for entry, item in zip(entries, judged, strict=True):
        if len(item.known) > 1:
            texts, scores = zip(*item.known, strict=True)
            yield Ranking(entry.prompt, texts, dense_ranks(scores, tie), scores, entry.target)


def _counts(judged: Sequence[Judged], rankings: Sequence[Ranking]) -> dict[str, float]:
    pairs = [pair for ranking in rankings for pair in combinations(ranking.ranks, 2)]
    ties = sum(first == second for first, second in pairs)
    return {
        "prompts": float(len(judged)),
        "rankings": float(len(rankings)),
        "replies": float(sum(len(ranking.replies) for ranking in rankings)),
        "pairs": float(len(pairs) - ties),
        "ties": float(ties),
        "alike": float(sum(item.alike for item in judged)),
        "unjudged": float(sum(not item.alike and len(item.known) < 2 for item in judged)),
    }


def _means(judged: Sequence[Judged]) -> dict[str, float]:
    """Means of what was measured at least once."""
    values: dict[str, list[float]] = {"score": [s for item in judged for _, s in item.known]}
    for item in judged:
        for name, value in item.metrics.items():
            values.setdefault(name, []).append(value)
    ended = sum(item.ended for item in judged) / sum(item.replies for item in judged)
    means = {name: math.fsum(found) / len(found) for name, found in values.items() if found}
    return {"ended": ended, **means}


def _told(fresh: Sequence[Judged], seconds: float) -> dict[str, float]:
    """What the watcher is told of a portion."""
    return {**_means(fresh), "tokens_per_second": sum(item.tokens for item in fresh) / seconds}


def _why(judged: Sequence[Judged]) -> str:
    """How many prompts fail to give a ranking, and the most frequent reason of a lost reply."""
    alike = sum(item.alike for item in judged)
    lost = [item for item in judged if not item.alike and len(item.known) < 2]
    reasons = Counter(item.reason for item in lost if item.reason)
    often = f" ({reasons.most_common(1)[0][0]})" if reasons else ""
    parts = []
    if alike:
        parts.append(f"the replies to {alike} are all the same")
    if lost:
        parts.append(f"those to {len(lost)} cannot be judged{often}")
    return ", ".join(parts)
