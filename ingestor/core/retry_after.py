"""Reads `Retry-After` (RFC 9110, section 10.2.3): a number of seconds or a date."""

from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST = 300.0


def pause(header: str | None, now: float) -> float | None:
    """Read how many seconds to wait from *now* (since the epoch), within 0 and `LONGEST`; None when
    it does not say.
    """
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else _instant(header) - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST)


def _instant(date: str) -> float:
    """Read a date in any of HTTP's three forms (RFC 9110, section 5.6.7), the last of which names
    no zone: all are in GMT.
    """
    moment = parsedate_to_datetime(date)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
