"""Does a text name how to reach or charge somebody? `clean.py` drops such rows when asked to.

>>> holds_contacts("Write to jo@example.org"), holds_contacts("It ended in 1999-2003.")
(True, False)
"""

import re
from collections.abc import Callable
from pathlib import Path

from bench.errors import TaskError
from bench.registry.hooks import load_function

MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
# With a country code, as in North America, a Chinese mobile, or with a trunk 0 and a gap.
PHONE = re.compile(
    r"(?<![A-Za-z\d_.+-])(?:"
    r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
    r"|(?:\(\d{3}\) ?\d{3}-|\d{3}([ .-])\d{3}\1)\d{4}"
    r"|1[3-9]\d{9}"
    r"|0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}"
    r")(?![A-Za-z\d_-]| \d)"
)
# Digits of an issuer of payment cards, in one piece or in the groups that are printed.
CARD = re.compile(
    r"(?<![\d.-])(?=[3-6]|2[2-7])"
    r"(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}|\d{4}([ -])\d{6}\2\d{5})(?![\d-]| \d)"
)


def pii_check(setting: str, folder: Path) -> Callable[[str], bool]:
    """The function that `clean.pii` names: `contacts`, or FILE.py:FUNCTION below `folder`.

    Raises:
        TaskError: no such function; when called: it failed, or returned no bool.
    """
    if setting == "contacts":
        return holds_contacts
    if ":" not in setting:
        cause = f"clean.pii: found {setting!r}, expected contacts or FILE.py:FUNCTION"
        raise TaskError(cause, "write pii: contacts, or name a function of yours")
    function = load_function(setting, folder)

    def check(text: str) -> bool:
        try:
            found = function(text)
        except Exception as error:
            cause = f"clean.pii: {setting}: {type(error).__name__}: {error}"
            raise TaskError(cause, f"mend {setting}") from error
        if not isinstance(found, bool):
            cause = f"clean.pii: {setting} returned {found!r}, expected True or False"
            raise TaskError(cause, f"mend {setting}")
        return found

    return check


def holds_contacts(text: str) -> bool:
    """Whether `text` holds a mail address, a phone number or the number of a payment card."""
    if MAIL.search(text) or PHONE.search(text):
        return True
    return any(_is_card(found[0]) for found in CARD.finditer(text))


def _is_card(text: str) -> bool:
    """The check digit is right (ISO/IEC 7812-1, annex B: Luhn's formula)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
