"""Reads `Retry-After`."""

import os
import subprocess
import sys

import pytest
from core.strategies import many
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.retry_after import LONGEST, pause

# The instant of the dates below.
THEN = 784_111_777.0
DATES = {
    "the preferred form": "Sun, 06 Nov 1994 08:49:37 GMT",
    "the form of RFC 850": "Sunday, 06-Nov-94 08:49:37 GMT",
    "the form of C's asctime": "Sun Nov  6 08:49:37 1994",
}


@table(
    "header, expected",
    {
        "no header": (None, None),
        "nothing in it": ("", None),
        "a number of seconds": ("2", 2.0),
        "spaces around it": (" 120 ", 120.0),
        "none at all": ("0", 0.0),
        "leading zeros": ("007", 7.0),
        "longer than we wait": ("86400", 300.0),
        "longer than a float": ("9" * 400, LONGEST),
        "a negative number": ("-5", None),
        "a fraction": ("1.5", None),
        "a number in words": ("soon", None),
        "a digit that is no number": ("\u00b2", None),
        "a date that does not exist": ("Sun, 31 Feb 2026 08:49:37 GMT", None),
        "a year that has no date": ("Sun, 06 Nov 12345 08:49:37 GMT", None),
        "a zone that does not exist": ("Sun, 06 Nov 1994 08:49:37 +9999", None),
        "a zone beyond all zones": ("Sun, 06 Nov 1994 08:49:37 +99999999999999", None),
        "a zone of mail, which HTTP has not": ("Sun, 06 Nov 1994 09:50:07 +0100", 30.0),
    },
)
def test_a_number_of_seconds_is_read_and_everything_else_is_left(
    header: str | None, expected: float | None
) -> None:
    """Within nothing and five minutes; garbage is as good as no header."""
    assert pause(header, THEN) == expected


@table("date", DATES)
def test_a_date_is_a_wait_from_now(date: str) -> None:
    """HTTP has three forms for it, and a server may choose any."""
    assert pause(date, THEN - 90) == 90.0
    assert pause(date, THEN + 90) == 0.0
    assert pause(date, THEN - 10**6) == LONGEST


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_dates_are_in_gmt_wherever_the_service_runs(zone: str) -> None:
    """One form names no zone, and none means the machine's own."""
    code = (
        "from ingestor.core.retry_after import pause\n"
        f"print([pause(date, {THEN - 90}) for date in {list(DATES.values())}])"
    )

    printed = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code],
        env=os.environ | {"TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout.strip() == "[90.0, 90.0, 90.0]"


PIECES = [
    "Sun,",
    "Sunday,",
    "06",
    "Nov",
    "1994",
    "06-Nov-94",
    "08:49:37",
    "GMT",
    "+9999",
    "-1",
    "(",
]


@many
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join), st.floats(0, 1e10))
def test_no_header_raises_or_waits_longer_than_the_longest(header: str, now: float) -> None:
    """A header is a stranger's text."""
    seconds = pause(header, now)

    assert seconds is None or 0 <= seconds <= LONGEST
