"""How varied the replies of one model to one task are: distinct-n and self-BLEU.

Called by `from_run` and the importers. RLHF is known to narrow what a model says (Kirk et al. 2024,
arXiv 2310.06452).

>>> diversity(["a b", "a b"])["distinct_1"]
0.5
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

DIVERSITY = ("distinct_1", "distinct_2", "self_bleu")
MOST = 100  # replies that self-BLEU reads: with more of them any reply resembles some other
ORDERS = (1, 2, 3, 4)
Gram = tuple[str, ...]


def diversity(texts: Iterable[str | None]) -> dict[str, float]:
    """distinct-1, distinct-2 and self-BLEU in [0, 1] of the texts that there are; {} below two.

    distinct-n: different n-grams over all n-grams (Li et al. 2016, arXiv 1510.03055, section 5.2).
    self-BLEU: mean BLEU-4 of a text against all others (Zhu et al. 2018, arXiv 1802.01886), of the
    first 100 texts; lower is more varied.
    """
    split = [words for text in texts if text is not None and (words := _words(text))]
    if len(split) < 2:
        return {}
    return {
        "distinct_1": _distinct(split, 1),
        "distinct_2": _distinct(split, 2),
        "self_bleu": _self_bleu(split[:MOST]),
    }


def _words(text: str) -> list[str]:
    """Words between blanks; single characters where there are hardly any blanks (Chinese)."""
    words = text.lower().split()
    return words if len(text) < 20 * max(1, len(words)) else list("".join(words))


def _distinct(texts: Sequence[Sequence[str]], n: int) -> float:
    grams = [gram for text in texts for gram in _grams(text, n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """The mean of BLEU-4 of each text with all others as references.

    As sacrebleu's `sentence_bleu` with effective order and exponential smoothing, but n-grams are
    counted once: of each n-gram the two texts that hold it most often are enough to leave any one
    text out.
    """
    counts = [[Counter(_grams(text, n)) for n in ORDERS] for text in texts]
    most = [_two_most([one[place] for one in counts]) for place in range(len(ORDERS))]
    lengths = [len(text) for text in texts]
    return sum(_bleu(at, counts[at], most, lengths) for at in range(len(texts))) / len(texts)


def _grams(text: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(text[at:] for at in range(n)), strict=False)


def _two_most(counts: Sequence[Counter[Gram]]) -> dict[Gram, tuple[int, int, int]]:
    """n-gram -> (text that holds it most often, how often, how often any other does at most)."""
    found: dict[Gram, tuple[int, int, int]] = {}
    for at, one in enumerate(counts):
        for gram, count in one.items():
            owner, first, second = found.get(gram, (-1, 0, 0))
            if count > first:
                found[gram] = (at, count, first)
            elif count > second:
                found[gram] = (owner, first, count)
    return found


def _bleu(
    at: int,
    counts: Sequence[Counter[Gram]],
    most: Sequence[dict[Gram, tuple[int, int, int]]],
    lengths: Sequence[int],
) -> float:
    """BLEU in [0, 1] of the text `at` against all others (Papineni et al. 2002)."""
    logs: list[float] = []
    halves = 1.0
    for own, known in zip(counts, most, strict=True):
        total = sum(own.values())
        if total == 0:
            break
        hits = sum(min(n, _elsewhere(known[gram], at)) for gram, n in own.items())
        if hits == 0 and not logs:
            return 0.0
        if hits == 0:
            halves *= 2
        logs.append(math.log(hits / total if hits else 1 / (halves * total)))
    others = [length for place, length in enumerate(lengths) if place != at]
    closest = min(others, key=lambda length: (abs(length - lengths[at]), length))
    penalty = min(0.0, 1 - closest / lengths[at])
    return math.exp(penalty + sum(logs) / len(logs))


def _elsewhere(known: tuple[int, int, int], at: int) -> int:
    owner, first, second = known
    return second if owner == at else first
