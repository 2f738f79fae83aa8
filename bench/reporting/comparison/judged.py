"""Judgments of one task: who is preferred to whom, do judges agree, what else do they go by.

A judged task has the metric `win_rate`, and each Result says in its settings who judged (`judge`,
or `judges` by number) and whose replies stood on the other side (`reference`).
Called by `bench.reporting.comparison.board`.

    judged_of("alpaca_eval", rows, labels, level=0.95)
    Judged(anchor="sft", judges=("gpt4",), ratings=(Rated(name="ppo", theta=0.62, ...), ...), ...)
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.reporting.comparison.judges import judges_of, sampled
from bench.reporting.comparison.lineage import Row, is_short_for
from bench.reporting.results.schema import (
    CAME_FIRST,
    LENGTH,
    REFERENCE,
    REFERENCE_LENGTH,
    WIN_RATE,
    Result,
)
from bench.statistics.agreement import krippendorff_alpha, raw_agreement
from bench.statistics.estimate import Estimate
from bench.statistics.judgments import Judgments
from bench.statistics.length import LengthJudgments, length_controlled
from bench.statistics.preference import Preference, preference
from bench.statistics.ranks import RankSets, rank_sets
from bench.statistics.winrate import SlotBias, slot_bias, win_rate

FIRST_SLOT, LONGER = "first slot", "length"


@dataclass(frozen=True, slots=True)
class Judgment:
    """One judge on one `item` with its `prompt`: `outcome` is 1 where `model` was preferred to
    `reference`, 0 where not, in between for a draw or a judge that gives probabilities.
    `came_first` and `longer` (characters) are of the model's reply, None where nobody says."""

    model: str
    reference: str
    judge: str
    prompt: str
    item: str
    outcome: float
    came_first: bool | None
    longer: float | None


@dataclass(frozen=True, slots=True)
class Match:
    """A model against one reference, over all judges: counts, win rate with draws as half a win,
    and what is left of it where both replies are equally long (None without lengths)."""

    model: str
    reference: str
    wins: int
    draws: int
    losses: int
    win_rate: Estimate
    controlled: Estimate | None


@dataclass(frozen=True, slots=True)
class Rated:
    """A model among all that were judged: its win rate against the anchor by Bradley & Terry, the
    same at equal length (None without lengths), and its rating, 1000 the mean of all."""

    name: str
    win_rate: Estimate
    controlled: Estimate | None
    rating: Estimate


@dataclass(frozen=True, slots=True)
class Judged:
    """`anchor` is whom the others are rated against; `ranks` are of `ratings`, in their order.

    `refused` says why there are no ratings, "" where there are. `alpha` and `agreement` are None
    where no prompt has two judges, `slot` where nobody says which reply came first; `even_slots`
    says that ratings are of replies neither of which is shown first.
    `circles` are models each of whom beat the next and the last of whom beat the first.
    """

    task: str
    anchor: str
    judges: tuple[str, ...]
    matches: tuple[Match, ...]
    ratings: tuple[Rated, ...]
    ranks: RankSets | None
    refused: str
    alpha: Estimate | None
    agreement: Estimate | None
    slot: SlotBias | None
    even_slots: bool
    circles: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...]


def judged_of(task: str, rows: Sequence[Row], labels: Sequence[str], level: float) -> Judged | None:
    """What was judged of `task`; None where nothing was."""
    found = list(judgments_of(task, rows, labels))
    if not found:
        return None
    judges = tuple(dict.fromkeys(one.judge for one in found))
    pairs = dict.fromkeys((one.model, one.reference) for one in found)
    stages = {label: row.model.stage for label, row in zip(labels, rows, strict=True)}
    anchor = _anchor(found, stages)
    matches = [match_of([one for one in found if _pair(one) == pair], level) for pair in pairs]
    known_lengths = {
        name
        for match in matches
        if match.controlled is not None and match.controlled.estimate is not None
        for name in (match.model, match.reference)
    }
    ratings, ranks, plain, refused = _ratings(found, anchor, level, known_lengths)
    alpha, agreement = _agreement(found, level)
    return Judged(
        task=task,
        anchor=anchor,
        judges=judges,
        matches=tuple(matches),
        ratings=ratings,
        ranks=ranks,
        refused=refused,
        alpha=alpha,
        agreement=agreement,
        slot=_slot(found, level),
        even_slots=plain is not None and FIRST_SLOT in plain.covariates,
        circles=_circles(plain),
        warnings=(*(plain.warnings if plain else ()), *_by_chance(alpha)),
    )


def judgments_of(task: str, rows: Sequence[Row], labels: Sequence[str]) -> Iterator[Judgment]:
    """Every judgment of `task`; a reference that is a row of the board has the row's label."""
    names = [row.model.name for row in rows]
    for row, label in zip(rows, labels, strict=True):
        for (name, _), result in row.results.items():
            reference = result.settings.get(REFERENCE)
            if name == task and isinstance(reference, str) and WIN_RATE in result.items.scores:
                yield from judgments_in(result, label, _label_of(reference, names, labels))


def _label_of(reference: str, names: Sequence[str], labels: Sequence[str]) -> str:
    """The label of the one row that `reference` names; `reference` itself where none or several."""
    exact = [label for name, label in zip(names, labels, strict=True) if name == reference]
    near = [
        label for name, label in zip(names, labels, strict=True) if is_short_for(name, reference)
    ]
    found = exact or near
    return found[0] if len(found) == 1 else reference


def judgments_in(result: Result, model: str, reference: str) -> Iterator[Judgment]:
    """The judgments of a Result with a win rate; none of a model against itself."""
    items, nothing = result.items, (None,) * len(result.items.ids)
    columns = zip(
        judges_of(result),
        items.digests,
        items.ids,
        items.scores[WIN_RATE],
        items.measures.get(CAME_FIRST, nothing),
        items.measures.get(LENGTH, nothing),
        items.measures.get(REFERENCE_LENGTH, nothing),
        strict=True,
    )
    for judge, prompt, item, outcome, first, ours, theirs in columns:
        if outcome is not None and model != reference:
            yield Judgment(
                model=model,
                reference=reference,
                judge=judge,
                prompt=prompt,
                item=item,
                outcome=outcome,
                came_first=None if first is None else first == 1.0,
                longer=None if ours is None or theirs is None else ours - theirs,
            )


def _pair(one: Judgment) -> tuple[str, str]:
    return one.model, one.reference


def _anchor(found: Sequence[Judgment], stages: dict[str, str]) -> str:
    """The SFT model that was judged most, else the reference that was."""
    judged = Counter(name for one in found for name in _pair(one))
    tuned = [name for name in judged if stages.get(name) == "sft"]
    return max(
        tuned or dict.fromkeys(one.reference for one in found), key=lambda name: judged[name]
    )


def match_of(found: Sequence[Judgment], level: float) -> Match:
    """All judgments of one model against one reference in one Match."""
    outcomes = [one.outcome for one in found]
    longer = [one.longer for one in found if one.longer is not None]
    prompts = [one.prompt for one in found]
    controlled = None
    if len(longer) == len(found):
        controlled = length_controlled(
            LengthJudgments(outcomes, longer, prompts=prompts), level
        ).controlled
    return Match(
        model=found[0].model,
        reference=found[0].reference,
        wins=sum(outcome > 0.5 for outcome in outcomes),
        draws=sum(outcome == 0.5 for outcome in outcomes),
        losses=sum(outcome < 0.5 for outcome in outcomes),
        win_rate=win_rate(outcomes, prompts, sampled([one.judge for one in found]), level).win_rate,
        controlled=controlled,
    )


def _ratings(
    found: Sequence[Judgment], anchor: str, level: float, known_lengths: Collection[str]
) -> tuple[tuple[Rated, ...], RankSets | None, Preference | None, str]:
    """Ratings, best first, with their ranks and what they come from; or why there are none.

    `known_lengths` are models of a match with a win rate at equal length: only they have one here.
    """
    names = list(dict.fromkeys([anchor, *(name for one in found for name in _pair(one))]))
    try:
        plain = _fitted(found, names, level, with_length=False)
    except ValueError as error:
        return (), None, None, str(error)
    equal = None
    if known_lengths:
        try:
            equal = _fitted(found, names, level, with_length=True)
        except ValueError:  # length cannot be told apart from who wrote it
            equal = None
    order = sorted(range(len(names)), key=lambda place: -plain.theta[place])
    ratings = tuple(
        Rated(
            name=names[place],
            win_rate=plain.win_rates[place],
            controlled=equal.win_rates[place] if equal and names[place] in known_lengths else None,
            rating=plain.ratings[place],
        )
        for place in order
    )
    chosen = np.ix_(order, order)
    sets = rank_sets(
        plain.theta[order], plain.covariance[chosen], level, degrees=max(1, plain.n_clusters - 1)
    )
    sets = replace(sets, n_items=plain.n_items, n_clusters=plain.n_clusters)
    return ratings, sets, plain, ""


def _fitted(
    found: Sequence[Judgment], names: Sequence[str], level: float, with_length: bool
) -> Preference:
    """Bradley & Terry with draws as half a win and, where known, the slot as a covariate."""
    covariates: dict[str, list[float]] = {}
    if all(one.came_first is not None for one in found):
        covariates[FIRST_SLOT] = [1.0 if one.came_first else -1.0 for one in found]
    if with_length:
        longer = [one.longer or 0.0 for one in found]
        spread = float(np.std(longer)) or 1.0
        covariates[LONGER] = [math.tanh(one / spread) for one in longer]
    judgments = Judgments(
        names,
        [names.index(one.model) for one in found],
        [names.index(one.reference) for one in found],
        [float(np.sign(one.outcome - 0.5)) / 2 + 0.5 for one in found],
        prompts=[one.prompt for one in found],
        annotators=sampled([one.judge for one in found]),
        covariates=covariates,
    )
    return preference(judgments, level=level)


def _circles(found: Preference | None) -> tuple[tuple[str, ...], ...]:
    if found is None:
        return ()
    return tuple(tuple(found.names[place] for place in one.models) for one in found.cycles)


def _agreement(found: Sequence[Judgment], level: float) -> tuple[Estimate | None, Estimate | None]:
    """Krippendorff's alpha and raw agreement over what several judges judged."""
    judges = list(dict.fromkeys(one.judge for one in found))
    table: dict[tuple[str, str, str], list[float | None]] = {}
    for one in found:
        unit = (one.model, one.reference, one.item)
        given = table.setdefault(unit, [None] * len(judges))
        given[judges.index(one.judge)] = float(np.sign(one.outcome - 0.5))
    ratings = list(table.values())
    if not any(sum(value is not None for value in row) > 1 for row in ratings):
        return None, None
    return krippendorff_alpha(ratings, level=level), raw_agreement(ratings, level)


def _by_chance(alpha: Estimate | None) -> tuple[str, ...]:
    """A warning where judges may agree by chance alone."""
    if alpha is None or alpha.lo is None or alpha.lo > 0:
        return ()
    return ("judges may agree by chance alone: others may prefer otherwise",)


def _slot(found: Sequence[Judgment], level: float) -> SlotBias | None:
    """How often the reply that was shown first won, over all judgments whose order is known."""
    known = [one for one in found if one.came_first is not None]
    decided = [one for one in known if one.outcome != 0.5]
    if not decided:
        return None
    firsts = [one.outcome if one.came_first else 1 - one.outcome for one in known]
    only = len({_pair(one) for one in known}) == 1
    return slot_bias(firsts, [bool(one.came_first) for one in known] if only else None, level)
