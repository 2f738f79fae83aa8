"""What must hold of a Result before a board, an export or a card is made of it.

Called where Results are read: a file may be sealed, and a run whole, and still hold a score of -1
or none at all. `bench board check` asks these rules and many more, and names all that is wrong.

    runs/sft-1f0c9a72: scores: items.scores.accuracy: found -1.0 at position 3, expected 0.0 to 1.0
"""

from pathlib import Path

from bench.errors import RunError
from bench.reporting.results.rule import Board, Entry, Rules
from bench.reporting.results.rules_numbers import NUMBER_RULES
from bench.reporting.results.rules_record import RECORD_RULES
from bench.reporting.results.schema import Result

NEEDED = ("columns", "counts", "items", "finite", "metrics", "scores", "measures")
_RULES: Rules = {**RECORD_RULES, **NUMBER_RULES}


def check_sound(result: Result, file: str, remedy: str) -> Result:
    """`result`, which `file` holds.

    Raises:
        RunError: it breaks a rule; the first that it breaks is named.
    """
    board = Board((Entry(file, Path(file), result),))
    for name in NEEDED:
        for _, told in _RULES[name].check(board):
            raise RunError(f"{file}: {name}: {told}", remedy)
    return result
