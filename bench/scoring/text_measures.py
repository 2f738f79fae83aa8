r"""What verifiable instructions count in a text: words, sentences, paragraphs, occurrences.

`constraint_kinds.py` compares these counts with what an instruction asked for. One real
value: `sentence_count("Dr. Lee left at 9 a.m. today. Why?")` is 2.

Said once, for all instructions:
- a *word* is a run of non-space that contains a letter or digit: "well-known" is one
  word, "--" is none; Chinese, written without spaces, is measured in characters instead;
- a *sentence* ends at . ! ? or \u2026, their full-width forms, or a blank line;
- a *paragraph* is set off by blank lines; a *line* is a non-blank line;
- an *occurrence* is of whole words, in any case, with curly quotes read as straight ones
  and full-width marks as ASCII ones; of a Chinese word, anywhere.
"""

import re
import unicodedata

HAN = r"\u3400-\u4dbf\u4e00-\u9fff"

_STRAIGHT = {0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'"}
# The full-width . ! ? and the Chinese closing quotes and brackets.
_WIDE_ENDS, _WIDE_CLOSERS = "\u3002\uff01\uff1f", "\u201d\u2019\u300d\u300f\uff09"
_SENTENCE_END = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026]+[\"'\u201d\u2019)\]*]*(?=\s|$)|[{_WIDE_ENDS}]+[\"'{_WIDE_CLOSERS}]*"
)
_LIST_MARK = re.compile(r"^[ \t]*(?:\d+[.)]|[-*])[ \t]+", re.MULTILINE)
_NEVER_ENDS = frozenset({"mr", "mrs", "ms", "dr", "st", "prof", "p.s"})
_ENDS_BEFORE_CAPITAL = frozenset({"e.g", "i.e", "etc", "vs", "a.m", "p.m"})
_WINDOW = 24  # characters around a full stop, more than any abbreviation has


def words(text: str) -> list[str]:
    """The words of a text, with the punctuation that touches them."""
    return [run for run in text.split() if _has_letter_or_digit(run)]


def capital_word_count(text: str) -> int:
    """Words written all in capitals: NASA and WOW!, but not one letter such as I or A."""
    return sum(word.isupper() and sum(map(str.isalpha, word)) > 1 for word in words(text))


def lines(text: str) -> list[str]:
    """The non-blank lines."""
    return [line for line in text.splitlines() if line.strip()]


def paragraphs(text: str) -> list[str]:
    """The non-blank parts between blank lines."""
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def sentence_count(text: str) -> int:
    """Sentences; the marks of list items are skipped and abbreviations end nothing."""
    return sum(map(_sentences_in, paragraphs(_LIST_MARK.sub("", text))))


def letter_count(text: str, letter: str) -> int:
    """How often a letter occurs in either case; accents are taken off, so that \u00e9 is an e."""
    return unicodedata.normalize("NFD", text).casefold().count(letter.casefold())


def occurrences(text: str, phrase: str) -> int:
    """How often a word or phrase occurs as whole words."""
    return len(re.findall(whole(phrase), folded(text)))


def folded(text: str) -> str:
    """The text as comparisons see it: stripped, small letters, straight quotes, ? for \uff1f."""
    return unicodedata.normalize("NFKC", text.strip().translate(_STRAIGHT)).casefold()


def whole(phrase: str) -> str:
    """A pattern over folded text that does not match a phrase inside a longer word."""
    phrase, character = folded(phrase), rf"[^\W_{HAN}]"
    left = rf"(?<!{character})" if re.match(character, phrase) else ""
    right = rf"(?!{character})" if re.match(character, phrase[-1:]) else ""
    return left + r"\s+".join(map(re.escape, phrase.split())) + right


def _has_letter_or_digit(text: str) -> bool:
    return any(map(str.isalnum, text))


def _sentences_in(paragraph: str) -> int:
    """Pieces between end marks that hold a letter or digit; the last needs no end mark."""
    ends = [m.end() for m in _SENTENCE_END.finditer(paragraph) if not _abbreviates(paragraph, m)]
    pieces = zip([0, *ends], [*ends, len(paragraph)], strict=True)
    return sum(_has_letter_or_digit(paragraph[start:end]) for start, end in pieces)


def _abbreviates(paragraph: str, end: re.Match[str]) -> bool:
    """Whether a full stop belongs to Dr. or e.g. or to an initial, and ends no sentence."""
    if end.group() != ".":
        return False
    # Windows, not the whole paragraph: a reply of dots alone would take quadratic time.
    before = paragraph[max(0, end.start() - _WINDOW) : end.start()]
    after = paragraph[end.end() : end.end() + _WINDOW].lstrip()
    last_word = re.split(r"[\s(\"'\u201c\u2018]", before)[-1]
    if last_word.lower() in _ENDS_BEFORE_CAPITAL:
        return after != "" and not after[0].isupper()
    is_initial = len(last_word) == 1 and last_word.isupper() and last_word != "I"
    return last_word.lower() in _NEVER_ENDS or (is_initial and after[:1].isupper())
