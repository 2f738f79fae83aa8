"""JSON objects that know where they stand, so that a wrong value is named by file and key.

Called by the importers.

>>> Document({"eval": {"model": 7}}, "run.json", "run it again").inner("eval").text("model")
Traceback (most recent call last):
    ...
bench.errors.RunError: run.json: eval.model: found 7, expected a text
  try: run it again
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Never

from bench.errors import RunError
from bench.types import Json

SHOWN = 60  # characters of a wrong value


MOST_DIGITS = 15  # of versions and counts; int() itself refuses thousands


def whole(text: str, default: int | None = None) -> int | None:
    """The whole number that `text` writes in plain digits, `default` where it is none."""
    plain = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if plain else default


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object; `where` is its file and line, `path` the keys that lead to it.

    A look-up without a default raises RunError where the key is missing; every look-up does where
    its value has another type. `remedy` is the next command then.
    """

    content: Mapping[str, Json]
    where: str
    remedy: str
    path: str = ""

    def text(self, key: str, default: str | None = None) -> str:
        """A text; null counts as missing."""
        value = self.content.get(key)
        if value is None and default is not None:
            return default
        return value if isinstance(value, str) else self._refuse(key, "a text")

    def number(self, key: str) -> float:
        """A finite number; true and false are 1 and 0."""
        value = self.content.get(key)
        if isinstance(value, (int, float)) and math.isfinite(value):
            return float(value)
        return self._refuse(key, "a finite number")

    def count(self, key: str, default: int | None = None) -> int:
        """A whole number that is not below 0."""
        value = self.content.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, (int, float)) and 0 <= value < math.inf and value == int(value):
            return int(value)
        return self._refuse(key, "a whole number, 0 or more")

    def moment(self, key: str) -> str:
        """Seconds since 1970 as a time in ISO 8601 in UTC."""
        try:
            return datetime.fromtimestamp(self.number(key), UTC).isoformat(timespec="seconds")
        except (OverflowError, OSError, ValueError):
            return self._refuse(key, "seconds since 1970")

    def inner(self, key: str) -> "Document":
        """The object under `key`, an empty one where it is missing."""
        value = self.content.get(key)
        if not isinstance(value, dict | None):
            self._refuse(key, "an object")
        return Document(value or {}, self.where, self.remedy, f"{self.path}{key}.")

    def inners(self, key: str) -> list["Document"]:
        """The objects in the list under `key`."""
        value = self.content.get(key)
        if not isinstance(value, list):
            return self._refuse(key, "a list")
        return [self._element(key, place, one) for place, one in enumerate(value)]

    def finite(self, key: str) -> float | None:
        """The number under `key`, None where there is no finite one."""
        value = self.content.get(key)
        return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None

    def texts(self, key: str) -> list[str]:
        """The texts under `key`: a list of them, one alone, or none."""
        value = self.content.get(key)
        found = value if isinstance(value, list) else [] if value is None else [value]
        return [one if isinstance(one, str) else self._refuse(key, "texts") for one in found]

    def refuse(self, key: str, expected: str) -> RunError:
        """The error that names the value under `key`, and what was expected there."""
        found = json.dumps(self.content[key]) if key in self.content else "nothing"
        cut = found if len(found) <= SHOWN else found[:SHOWN] + "..."
        return RunError(
            f"{self.where}: {self.path}{key}: found {cut}, expected {expected}", self.remedy
        )

    def _refuse(self, key: str, expected: str) -> Never:
        raise self.refuse(key, expected)

    def _element(self, key: str, place: int, value: Json) -> "Document":
        name = f"{key}[{place}]"
        if not isinstance(value, dict):
            raise Document({name: value}, self.where, self.remedy, self.path).refuse(
                name, "an object"
            )
        return Document(value, self.where, self.remedy, f"{self.path}{name}.")
