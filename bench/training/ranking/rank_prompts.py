"""Which prompts a rank stage replies to.

Held-out prompts take part: whoever learns from the rankings holds the same groups out again, and
measures on them.

    300 rows to learn and 34 held out, most: 50    45 as the mixture draws them and 5 held out
"""

from bench.training.data.encode import Entry, Stream
from bench.training.data.mixture import Draw, wording
from bench.training.steps.seeds import seed_of


def choose_prompts(stream: Stream, most: int | None) -> list[Entry]:
    """Every row once, held-out rows last; or `most` of them, with the share of held-out ones kept.

    Where an epoch of the mixture draws fewer distinct rows than that, there are fewer.
    """
    held_out, rows = len(stream.material.held_out), stream.material.size
    if most is None or most >= rows + held_out:
        return [*_all_rows(stream), *stream.material.held_out]
    kept = min(round(most * held_out / (rows + held_out)), most - 1)
    return [*_first_rows(stream, most - kept), *_some_held_out(stream, kept)]


def _all_rows(stream: Stream) -> list[Entry]:
    return [
        wording(Draw(source, number, 0), row, stream.seed)
        for source, rows in stream.material.rows.items()
        for number, row in enumerate(rows)
    ]


def _first_rows(stream: Stream, count: int) -> list[Entry]:
    """`count` distinct rows in the order in which the mixture draws them, or all of an epoch."""
    first: dict[tuple[str, int], int] = {}
    for index in range(len(stream.mixture)):
        draw = stream.mixture.at(index)
        first.setdefault((draw.source, draw.row), index)
        if len(first) == count:
            break
    return [stream.take(index, 1)[0] for index in first.values()]


def _some_held_out(stream: Stream, count: int) -> list[Entry]:
    """`count` held-out rows, chosen by hash."""

    def place(entry: Entry) -> int:
        return seed_of(stream.seed, "ranked", entry.prompt.source, entry.prompt.id)

    return sorted(stream.material.held_out, key=place)[:count]
