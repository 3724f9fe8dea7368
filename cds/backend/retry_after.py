"""How long an answer of 429 or 503 asks to wait: RFC 9110, "Retry-After", seconds or a date."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime


LONGEST = 3600.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from 0 to an hour; None: nothing said that can be read.

    A date is measured from the answer's own `Date`, so that no clock of ours takes part.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:10]), LONGEST)
    then, sent = _instant(said), _instant(headers.get("Date", ""))
    if then is None or sent is None:
        return None
    return min(max((then - sent).total_seconds(), 0.0), LONGEST)


def _instant(text: str) -> datetime | None:
    """None also for a date without a zone: it could not be compared."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else None
