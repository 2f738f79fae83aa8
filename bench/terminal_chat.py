"""A conversation on the terminal: input line by line, replies as they are made.

`bench chat` calls it. Ctrl-C stops a reply, Ctrl-D or /exit leaves, /clear forgets what was said.

    > What is the capital of France?
    The capital of France is Paris.
"""

import sys
from collections.abc import Callable, Sequence

from bench.errors import BenchError
from bench.terminal import print_error, print_note
from bench.types import Turn

Show = Callable[[str], None]
Answer = Callable[[Sequence[Turn], Show], object]

PROMPT = "> "
HELP = "Ctrl-C stops a reply, /clear forgets what was said, /exit or Ctrl-D leaves"
CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)])


def converse(answer: Answer, opening: Sequence[Turn]) -> None:
    """Ask for messages and show `answer`'s replies until the user leaves.

    `answer` is given all turns and shows its pieces; `opening` holds the system turn, if any.
    """
    print_note(HELP)
    turns = list(opening)
    while (message := _next_message()) is not None:
        if message == "/clear":
            turns = list(opening)
            print_note("forgotten")
        elif message.startswith("/"):
            print_note(f"unknown command {message.split()[0]}; {HELP}")
        elif message:
            turns = _exchange(answer, [*turns, Turn("user", message)])


def show_piece(text: str) -> None:
    """Write a piece of a reply on stdout at once.

    On a terminal, control characters are left out: a model's reply must not move the cursor.
    """
    sys.stdout.write(text.translate(CONTROL) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def _next_message() -> str | None:
    """What the user types, stripped; None to leave."""
    import readline  # noqa: F401  # importing it is what makes input() edit and remember lines

    try:
        typed = input(PROMPT).strip()
    except KeyboardInterrupt:
        show_piece("\n")
        return ""
    except EOFError:
        show_piece("\n")
        return None
    return None if typed == "/exit" else typed


def _exchange(answer: Answer, turns: list[Turn]) -> list[Turn]:
    """`turns` with the reply to the last one, or without it where there is no reply."""
    pieces: list[str] = []

    def show(text: str) -> None:
        pieces.append(text)
        show_piece(text)

    try:
        answer(turns, show)
        show_piece("\n")
    except KeyboardInterrupt:
        show_piece("\n")
        print_note("stopped")
    except BenchError as error:
        print_error(error.cause, error.remedy)
    said = "".join(pieces)
    return [*turns, Turn("assistant", said)] if said else turns[:-1]
