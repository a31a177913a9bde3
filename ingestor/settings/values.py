"""Decides which texts and TOML values are a number, a size, a choice, a list or a secret.

Each function takes what was written and returns the value, or raises pydantic's error, which is how
a validator says no. The error's text is the rule alone, never the value.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

LARGEST_ID = 2**63 - 1
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) *([a-z]*)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1} | {
    letter + suffix: base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("", 1000), ("b", 1000), ("i", 1024), ("ib", 1024))
}
_GUARD = re.compile(r"([1-9][0-9]{0,5}) */ *([1-9][0-9]?|100) *%")
# Control characters, and lone surrogates: bytes of the environment that are not UTF-8.
_UNSENDABLE = frozenset({"Cc", "Cs"})
_FLAGS = dict.fromkeys(("true", "yes", "on", "1"), True)
_FLAGS |= dict.fromkeys(("false", "no", "off", "0"), False)


def unfit(rule: str) -> PydanticCustomError:
    """Return the error of a value that breaks *rule*."""
    return PydanticCustomError("setting", rule)


def text(raw: object) -> str:
    """Return one line of text, without the whitespace around it."""
    if not isinstance(raw, str):
        raise unfit("must be text (in quotes in a TOML file)")
    stripped = raw.strip()
    if not stripped:
        raise unfit("must not be empty")
    if any(unicodedata.category(character) in _UNSENDABLE for character in stripped):
        raise unfit("must be text in UTF-8 without control characters")
    return stripped


def short_text(longest: int) -> Callable[[object], str]:
    """Return the parser of a text of at most *longest* characters."""

    def parse(raw: object) -> str:
        if len(found := text(raw)) > longest:
            raise unfit(f"must be at most {longest:,} characters long")
        return found

    return parse


def whole(low: int, high: int) -> Callable[[object], int]:
    """Return the parser of a whole number from *low* to *high*."""
    span = f"from {low:,} to {high:,}" if high < LARGEST_ID else f"of at least {low:,}"
    rule = f"must be a whole number {span}"

    def parse(raw: object) -> int:
        # true is an int to Python and 1 to pydantic: in a settings file it is a mistake.
        if isinstance(raw, bool) or not isinstance(raw, int | str):
            raise unfit(rule)
        if isinstance(raw, str) and not _WHOLE.fullmatch(raw.strip()):
            raise unfit(rule)
        if not low <= (number := int(raw)) <= high:
            raise unfit(rule)
        return number

    return parse


def seconds(high: float) -> Callable[[object], float]:
    """Return the parser of a number of seconds above 0 and at most *high*."""
    rule = f"must be a number of seconds above 0 and at most {high:,g}"
    return _number(lambda number: 0 < number <= high, rule)


def rate(low: float, high: float) -> Callable[[object], float]:
    """Return the parser of a number of requests a second from *low* to *high*."""
    rule = f"must be a number of requests a second from {low:g} to {high:,.0f}"
    return _number(lambda number: low <= number <= high, rule)


def _number(is_fit: Callable[[float], bool], rule: str) -> Callable[[object], float]:
    def parse(raw: object) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise unfit(rule)
        try:
            number = float(raw)
        except (ValueError, OverflowError):
            raise unfit(rule) from None
        if not is_fit(number):  # also says no to NaN
            raise unfit(rule)
        return number

    return parse


def size(low: int, high: int) -> Callable[[object], int]:
    """Return the parser of *low* to *high* bytes: plain, or as `64MiB`, `8 MB`, `64Mi`, `1.5G`."""
    span = f"from {size_text(low)} to {size_text(high)}"
    rule = f"must be a whole number of bytes {span}, plain or with a unit like 64MiB"

    def parse(raw: object) -> int:
        number = _bytes(raw)
        if number is None or not low <= number <= high:
            raise unfit(rule)
        return number

    return parse


def _bytes(raw: object) -> int | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    match = _SIZE.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None or (unit := _UNITS.get(match[2].lower())) is None:
        return None
    number = Fraction(match[1]) * unit
    return int(number) if number.denominator == 1 else None


def size_text(number: int) -> str:
    """Write *number* of bytes in the largest binary unit that divides it."""
    for unit in ("bytes", "KiB", "MiB"):
        if number % 1024:
            return f"{number} {unit}"
        number //= 1024
    return f"{number} GiB"


def flag(raw: object) -> bool:
    """Return a truth value: a TOML boolean or one of the usual words."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and (found := _FLAGS.get(raw.strip().lower())) is not None:
        return found
    raise unfit("must be true or false")


@dataclass(frozen=True, slots=True)
class LetterGuard:
    """How many *letters* are too many: in a row, or in a minute and *percent* of what ended."""

    letters: int
    percent: int

    def __str__(self) -> str:
        return f"{self.letters}/{self.percent}%"


def guard_limits(raw: object) -> LetterGuard | None:
    """Return the limits that are written as `20/50%`; None for `off`."""
    written = raw.strip().lower() if isinstance(raw, str) else ""
    if written == "off":
        return None
    if not (match := _GUARD.fullmatch(written)):
        raise unfit("must be a number of letters and a share of 1 to 100 %, like 30/80%, or off")
    return LetterGuard(int(match[1]), int(match[2]))


def choice(*allowed: str) -> Callable[[object], str]:
    """Return the parser of one of the *allowed* words, in upper or lower case."""
    words = {word.lower(): word for word in allowed}
    rule = f"must be one of {', '.join(allowed)}"

    def parse(raw: object) -> str:
        if not isinstance(raw, str) or (found := words.get(raw.strip().lower())) is None:
            raise unfit(rule)
        return found

    return parse


def listed(raw: object) -> tuple[str, ...]:
    """Return the texts of a comma list, or of a TOML list; empty entries do not count."""
    if isinstance(raw, str):
        entries = [entry.strip() for entry in raw.split(",") if entry.strip()]
    elif isinstance(raw, list | tuple):
        entries = [text(entry) for entry in raw]
    else:
        raise unfit("must be a list, or text with commas")
    if not entries:
        raise unfit("must name at least one")
    return tuple(text(entry) for entry in entries)


def secret(raw: object) -> SecretStr:
    """Return a password as it stands: whitespace may be part of it."""
    if not isinstance(raw, str):
        raise unfit("must be text (in quotes in a TOML file)")
    # NUL separates the parts of a SASL message; lone surrogates cannot be sent at all.
    if not raw or "\0" in raw or any("\ud800" <= character <= "\udfff" for character in raw):
        raise unfit("must be text in UTF-8, not empty and without NUL characters")
    return SecretStr(raw)


def api_key(raw: object) -> SecretStr:
    """Return a key that is safe in an HTTP header: anything else could add headers of its own."""
    key = raw.strip() if isinstance(raw, str) else ""
    if not key or not all("!" <= character <= "~" for character in key):
        rule = "must be the key alone: visible ASCII characters, no blanks, no 'Bearer' in front"
        raise unfit(rule)
    return SecretStr(key)
