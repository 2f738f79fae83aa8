"""Which row of which source is drawn at each moment: a pure function of seed and index.

The trainers draw with it. Nothing is kept between draws, so a resumed run seeks in O(log sources)
and several processes draw their own shares without talking.

>>> mixture = Mixture({"topic": 300, "reading": 100}, Mix(), seed=0)
>>> mixture.quotas
{'topic': 300, 'reading': 100}
>>> mixture.at(0).source in mixture.quotas
True
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor, pow
from typing import TypeVar

from bench.errors import UsageError
from bench.training.data.data_settings import Mix
from bench.training.steps.seeds import seed_of

T = TypeVar("T")
ROUNDS = 4  # of the Feistel network: pseudo-random in both directions (Luby and Rackoff 1988)
MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Draw:
    """Row `row` of `source`, for the `turn`-th time (from 0)."""

    source: str
    row: int
    turn: int


class Mixture:
    """Draws from `sizes` (rows by source); `quotas` says how often each is drawn in an epoch."""

    def __init__(self, sizes: Mapping[str, int], mix: Mix, seed: int) -> None:
        """An epoch has as many draws as there are rows.

        Raises:
            UsageError: nothing can be drawn, explicit weights leave a source out, or a share is so
                small that no draw of an epoch is the source's.
        """
        self.sizes = dict(sizes)
        self.seed = seed
        shares = rates(sizes, mix)
        self.quotas = _quotas(shares, sum(sizes.values()))
        _require_drawn(shares, self.quotas)
        self._sources = list(self.quotas)
        self._ends = list(accumulate(self.quotas.values()))

    def __len__(self) -> int:
        """Draws in an epoch."""
        return self._ends[-1]

    def at(self, index: int) -> Draw:
        """The draw number `index` (from 0, without end).

        Each epoch gives every source exactly its quota, in an order of its own; each source gives
        all its rows, in an order of its own, before it gives one again.
        """
        epoch, moment = divmod(index, len(self))
        place = permuted(moment, len(self), seed_of(self.seed, "epoch", epoch))
        number = bisect_right(self._ends, place)
        source = self._sources[number]
        quota, size = self.quotas[source], self.sizes[source]
        drawn = epoch * quota + place - (self._ends[number] - quota)
        turn, moment = divmod(drawn, size)
        return Draw(source, permuted(moment, size, seed_of(self.seed, source, turn)), turn)


def wording(draw: Draw, alternatives: Sequence[T], seed: int) -> T:
    """The one of a row's `alternatives` that `draw` shows."""
    return alternatives[seed_of(seed, draw.source, draw.row, draw.turn) % len(alternatives)]


def rates(sizes: Mapping[str, int], mix: Mix) -> dict[str, float]:
    """Share of the draws of each source; they sum to 1. A source without rows has none.

    Proportional: r_m = min(e_m, K) / sum_n min(e_n, K); temperature: proportional to r_m^(1/T)
    with r_m uncapped (T5, arXiv 1910.10683, section 3.5.2).

    Raises:
        UsageError: nothing can be drawn, or explicit weights leave a source out.
    """
    weights = {source: _weight(mix, source, size) for source, size in sizes.items()}
    total = sum(weights.values())
    if not total:
        raise UsageError(
            "the mixture is empty: no source has both rows and a weight",
            "add rows, or give a source a weight above 0",
        )
    return {source: weight / total for source, weight in weights.items()}


def _weight(mix: Mix, source: str, size: int) -> float:
    if mix.by == "explicit":
        if source not in mix.weights:
            raise UsageError(
                f"mix.weights has no weight for {source}", f"add {source}: 0 to leave it out"
            )
        if mix.weights[source] and not size:
            raise UsageError(f"mix.weights draws from {source}, which has no rows", "set it to 0")
        return mix.weights[source]
    if mix.by == "equal":
        return float(size > 0)
    if mix.by == "temperature":
        return pow(float(size), 1 / mix.temperature)
    return float(min(size, mix.cap))


def _quotas(shares: Mapping[str, float], draws: int) -> dict[str, int]:
    """`draws` divided by `shares` with largest remainders; first named wins a tie."""
    exact = {source: share * draws for source, share in shares.items()}
    quotas = {source: floor(value) for source, value in exact.items()}
    missing = draws - sum(quotas.values())
    by_remainder = sorted(exact, key=lambda source: quotas[source] - exact[source])
    for source in by_remainder[:missing]:
        quotas[source] += 1
    return quotas


def _require_drawn(shares: Mapping[str, float], quotas: Mapping[str, int]) -> None:
    """Each epoch has the same quotas: a source without one is never drawn."""
    for source, share in shares.items():
        if share and not quotas[source]:
            draws = sum(quotas.values())
            raise UsageError(
                f"mix: the share of {source} is {share:.2g}, less than one of the {draws} draws of "
                "an epoch, so it would never be drawn",
                f"give {source} a larger weight or 0, or raise the temperature",
            )


def permuted(place: int, size: int, key: int) -> int:
    """Where a permutation of range(`size`), chosen by `key`, takes `place`; O(1), no table.

    A Feistel network permutes the next power of 4; what falls outside is permuted again until it
    falls inside (cycle walking: Black and Rogaway 2002, section 4).
    """
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    keys = [_mixed(key + number) for number in range(1, ROUNDS + 1)]
    while True:
        place = _encrypted(place, half, keys)
        if place < size:
            return place


def _encrypted(place: int, half: int, keys: Sequence[int]) -> int:
    """A permutation of range(4 ** half)."""
    low = (1 << half) - 1
    left, right = place >> half, place & low
    for key in keys:
        left, right = right, left ^ (_mixed(right ^ key) & low)
    return left << half | right


def _mixed(value: int) -> int:
    """64 bits that depend on every bit of `value` (SplitMix64: Steele, Lea and Flood 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)
