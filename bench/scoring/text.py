"""Scorers that compare a generated text with the accepted answers; each gives the best over them.

SQuAD exact match and F1 follow Rajpurkar et al. 2016 (arXiv 1606.05250); the Chinese forms do the
same over characters, where CMRC 2018 (arXiv 1810.07366) takes the longest common substring. ROUGE
is Lin 2004 through `rouge-score`, BLEU (Papineni et al. 2002) and chrF (Popovic 2015) come from
sacrebleu, scaled from 0-100 to [0, 1]. An empty reply scores 0 everywhere.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from bench.types import Example, Reply

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)
ZH_PUNCTUATION = re.compile(
    r"[\s，。！？、；：“”‘’「」『』（）《》〈〉【】…—～·\-.,!?;:'\"()\[\]<>]"
)
THOUSANDS = re.compile(r",(?=(?:\d{2,3},){0,8}\d{3}(?!\d))")
CURRENCY = re.compile(r"^([-+]?)\s?[$€£¥]\s?|\s?[$€£¥]$")


def exact_match(example: Example, reply: Reply) -> float:
    """1 if the text equals an accepted answer, white space at the ends aside."""
    text = _text(reply)
    return float(bool(text) and text in {answer.strip() for answer in example.answers})


def contains(example: Example, reply: Reply) -> float:
    """1 if an accepted answer occurs in the text, case aside."""
    text = _text(reply).casefold()
    return float(any(answer.casefold() in text for answer in example.answers))


def squad_em(example: Example, reply: Reply) -> float:
    """SQuAD exact match: equal after lower case, without punctuation and articles."""
    return _equal(example, reply, squad_words)


def squad_f1(example: Example, reply: Reply) -> float:
    """SQuAD F1 over words."""
    return _overlap(example, reply, squad_words)


def zh_em(example: Example, reply: Reply) -> float:
    """Exact match over characters, punctuation and white space aside."""
    return _equal(example, reply, zh_characters)


def zh_f1(example: Example, reply: Reply) -> float:
    """F1 over characters."""
    return _overlap(example, reply, zh_characters)


def numeric_match(example: Example, reply: Reply) -> float:
    """1 if text and an accepted answer are the same number (to 1e-6, relative or absolute)."""
    found = _number(_text(reply))
    if found is None:
        return 0.0
    golds = [_number(answer) for answer in example.answers]
    return float(
        any(abs(found - gold) <= 1e-6 * max(1.0, abs(gold)) for gold in golds if gold is not None)
    )


def rouge_1(example: Example, reply: Reply) -> float:
    """ROUGE-1 F1 with Porter stemming."""
    return _rouge(example, reply, "rouge1")


def rouge_2(example: Example, reply: Reply) -> float:
    """ROUGE-2 F1 with Porter stemming."""
    return _rouge(example, reply, "rouge2")


def rouge_l(example: Example, reply: Reply) -> float:
    """ROUGE-L F1 (longest common subsequence) with Porter stemming."""
    return _rouge(example, reply, "rougeL")


def bleu(example: Example, reply: Reply) -> float:
    """Sentence BLEU with effective order; `corpus_bleu` is the metric to report."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True, tokenize=bleu_tokens(example.answers))
    return _unit(metric.sentence_score(_text(reply), list(example.answers)).score / 100)


def chrf(example: Example, reply: Reply) -> float:
    """Sentence chrF2."""
    from sacrebleu.metrics.chrf import CHRF

    return _unit(CHRF().sentence_score(_text(reply), list(example.answers)).score / 100)


def squad_words(text: str) -> list[str]:
    """Lower case, no punctuation, no articles, split at white space."""
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()


def zh_characters(text: str) -> list[str]:
    """The characters of `text` without punctuation and white space, Latin letters lowered."""
    return list(ZH_PUNCTUATION.sub("", text).lower())


def overlap_f1(found: Sequence[str], gold: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over the multiset overlap; nothing equals nothing."""
    if not found and not gold:
        return 1.0
    shared = sum((Counter(found) & Counter(gold)).values())
    return 2 * shared / (len(found) + len(gold))


def _text(reply: Reply) -> str:
    return (reply.text or "").strip()


def _equal(example: Example, reply: Reply, parts: Callable[[str], list[str]]) -> float:
    text = _text(reply)
    return float(bool(text) and any(parts(text) == parts(gold) for gold in example.answers))


def _overlap(example: Example, reply: Reply, parts: Callable[[str], list[str]]) -> float:
    found = parts(text) if (text := _text(reply)) else None
    return 0.0 if found is None else _best(example, lambda gold: overlap_f1(found, parts(gold)))


def _best(example: Example, score: Callable[[str], float]) -> float:
    return max((score(answer) for answer in example.answers), default=0.0)


def _unit(value: float) -> float:
    """Rounding in the libraries can pass 1 by an ulp."""
    return min(1.0, max(0.0, value))


def _number(text: str) -> float | None:
    plain = THOUSANDS.sub("", text.strip().rstrip(".").replace("−", "-"))
    try:
        return float(CURRENCY.sub(r"\1", plain.rstrip("% ")))
    except ValueError:
        return None


def _rouge(example: Example, reply: Reply, name: str) -> float:
    text = _text(reply)
    scorer = _rouge_scorer(name)
    return _best(example, lambda gold: _unit(float(scorer.score(gold, text)[name].fmeasure)))


@cache
def _rouge_scorer(name: str) -> Any:  # noqa: ANN401  # rouge-score has no type stubs
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([name], use_stemmer=True)


def bleu_tokens(answers: Sequence[str]) -> str:
    """sacrebleu's tokeniser: by character for Chinese, its default elsewhere."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in answers[0]) else "13a"
