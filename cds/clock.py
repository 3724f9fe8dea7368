"""The one place that reads the clock; everything below takes `now` as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime


Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present time, timezone-aware, UTC."""
    return datetime.now(UTC)
