"""JSON whose objects name each key once: of two values `json` keeps the last and says nothing.

Called where people write or edit the file: rows of a task, judgments, results.

>>> import json
>>> json.loads('{"winner": "ppo", "winner": "sft"}', object_pairs_hook=unique_keys)
Traceback (most recent call last):
    ...
ValueError: the key 'winner' is written twice
"""

from collections import Counter
from collections.abc import Sequence

from bench.types import Json


def unique_keys(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    """The object of `pairs`; for `json.loads(..., object_pairs_hook=unique_keys)`.

    Raises:
        ValueError: a key that stands twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        key = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ValueError(f"the key {key!r} is written twice")
    return found
