"""Stop strings, looked for in the text of tokens as they come.

Each new token costs the same, however long the text: it is looked up whether it can end a stop at
all, and only then are the last few tokens read as text. `bench.models.draft` asks for every token.

>>> watch = StopWatch(("\\n\\n", "END"), decode=lambda ids: bytes(ids).decode())
>>> watch.cut(b"yes\\nno"), watch.cut(b"yes\\n\\n"), watch.cut(b"yes THE END")
(None, 'yes', 'yes THE ')
"""

from collections.abc import Callable, Sequence

Decode = Callable[[Sequence[int]], str]
UNFINISHED = "\ufffd"  # what tokens with a part of a character read as
# Tokens of context before a stop: three may be the rest of a character whose start is cut off, and
# decoders that take the space from the start of a text (SentencePiece's) take it from the first.
CONTEXT = 4
CHARACTER = 4  # bytes of the longest


class StopWatch:
    """Looks for `stops` in what `decode` makes of token ids.

    A character may span tokens and a stop may span or share them. Right wherever the text of more
    tokens begins with the text of fewer, up to an unfinished character. Decoders that rewrite what
    they have said (WordPiece's take the space from " .") may have a stop seen a token late.
    """

    def __init__(self, stops: tuple[str, ...], decode: Decode) -> None:
        self.stops, self.decode = stops, decode
        self.lasts = {stop[-1:] for stop in stops}
        self.span = max(len(stop.encode()) for stop in stops) + CONTEXT
        self.pieces: dict[int, str] = {}

    def cut(self, tokens: Sequence[int]) -> str | None:
        """The text of `tokens` before the first stop that their last one completes; None without.

        Of stops that come with one token the one that starts first counts.
        """
        if not self._may_end(tokens[-1]) or self._find(self._tail(tokens)) is None:
            return None
        return self.before_stop(tokens)

    def before_stop(self, tokens: Sequence[int]) -> str | None:
        """The text of `tokens` before the first stop anywhere in it; None without one."""
        text = self.decode(tokens)
        found = self._find(text)
        return None if found is None else text[:found]

    def _find(self, text: str) -> int | None:
        return min((at for stop in self.stops if (at := text.find(stop)) >= 0), default=None)

    def _may_end(self, token: int) -> bool:
        """Whether the text of `token` holds the last character of a stop, or may: the space before
        a word shows only behind other tokens, and a character's last byte only behind the rest."""
        piece = self._piece(token)
        hides = not piece or UNFINISHED in piece or " " in self.lasts
        return hides or any(last in piece for last in self.lasts)

    def _tail(self, tokens: Sequence[int]) -> str:
        """The text of the last tokens, enough to hold any stop: a token that says something has a
        byte at least."""
        start, wanted = len(tokens), self.span
        while start and wanted:
            start -= 1
            wanted -= self._piece(tokens[start]) != ""
        text = self.decode(tokens[start:])
        # Byte-fallback decoders lose a whole run of bytes to one character that it begins within.
        for _ in range(CHARACTER - 1):
            if not start or not text.startswith(UNFINISHED):
                break
            start -= 1
            text = self.decode(tokens[start:])
        return text

    def _piece(self, token: int) -> str:
        """The text of `token` by itself."""
        piece = self.pieces.get(token)
        if piece is None:
            piece = self.pieces[token] = self.decode([token])
        return piece
