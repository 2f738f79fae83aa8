"""A long text without a prompt -> documents that are short enough to be learned.

`encode.py` cuts rows of pretraining text with it. Every piece begins where a text begins, and only
the last has the end token, which the text itself has. Pieces are about equally long, so none is
that token alone: it would teach that texts end before they begin.

>>> [piece.replies[0] for piece in pieces_of(Document("web", (1,), ((5, 6, 7, 8, 2),)), most=4)]
[(5, 6, 7), (8, 2)]
"""

from dataclasses import replace
from itertools import pairwise
from math import ceil

from bench.training.networks.layout import Document


def pieces_of(document: Document, most: int) -> list[Document]:
    """`document`, whose replies are texts, in pieces of at most `most` tokens, in their order."""
    return [
        replace(document, replies=(text[start:end],))
        for text in document.replies
        for start, end in _spans(len(text), most)
    ] or [document]


def _spans(length: int, most: int) -> list[tuple[int, int]]:
    """Spans that differ by one token at most, the longer ones first."""
    number = max(1, ceil(length / most))
    short, longer = divmod(length, number)
    starts = [place * short + min(place, longer) for place in range(number + 1)]
    return list(pairwise(starts))
