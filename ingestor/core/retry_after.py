"""Reads `Retry-After` (RFC 9110, section 10.2.3): a number of seconds or a date."""

from email.utils import parsedate_to_datetime

LONGEST = 300.0


def pause(header: str | None, now: float) -> float | None:
    """Read how many seconds to wait from *now* (since the epoch), within 0 and `LONGEST`; None when
    it does not say.
    """
    if header is None:
        return None
    try:
        seconds = (
            float(header)
            if header.strip().isdigit()
            else parsedate_to_datetime(header).timestamp() - now
        )
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST)
