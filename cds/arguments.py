"""The kinds of argument the command line takes; each raises `ArgumentTypeError`, which argparse
shows with the name of the option."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime, time


LONGEST_SECONDS = 600


def instant(text: str) -> datetime:
    """An ISO 8601 time with a zone, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ArgumentTypeError("needs a time zone, such as Z or +01:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ArgumentTypeError("outside the calendar") from None


def since(text: str) -> datetime:
    """A day, from midnight UTC, or a time as `instant` takes it."""
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError:
        return instant(text)


def seconds(text: str) -> float:
    """More than none and at most ten minutes; `nan` and words are refused."""
    try:
        found = float(text)
    except ValueError:
        raise ArgumentTypeError("not a number of seconds") from None
    if not 0 < found <= LONGEST_SECONDS:
        raise ArgumentTypeError(f"more than 0 and at most {LONGEST_SECONDS} seconds")
    return found
