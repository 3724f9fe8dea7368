"""The axis of time: from a window of hours to places and labels, in the site's time zone.

Places are linear in elapsed time; labels are local times. Where the clock changes, a local time
that does not exist gets no label and one that exists twice gets one.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from types import MappingProxyType
from zoneinfo import ZoneInfo

from msgspec import Struct


# The windows a reader may choose, in hours, and the local hours that get a label in each.
WINDOWS: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {24: (0, 6, 12, 18), 72: (0, 12), 336: (0,)}
)
DEFAULT = 72
NAMES: Mapping[int, str] = MappingProxyType({24: "24 hours", 72: "3 days", 336: "14 days"})
_MOST_DAYS = 8  # labels of days side by side
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Tick(Struct, frozen=True):
    """`label` empty: a line alone. `day`: the first moment of a local day."""

    x: float
    label: str
    day: bool


class Axis(Struct, frozen=True, kw_only=True):
    """From `since` to `until`, drawn from `left` to `right`."""

    since: datetime
    until: datetime
    zone: ZoneInfo
    left: float
    right: float
    hours: tuple[int, ...]

    def x(self, at: datetime) -> float:
        """Where a time is drawn; what is outside goes to the edge."""
        share = (at - self.since) / (self.until - self.since)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, share))

    def ticks(self) -> tuple[Tick, ...]:
        """Lines and labels, from left to right."""
        found = [one for one in self._moments() if self.since <= one[0] <= self.until]
        days = sum(1 for _, _, is_day in found if is_day)
        every = -(-days // _MOST_DAYS) if days else 1
        ticks, seen = [], 0
        for at, label, is_day in found:
            shown = not is_day or seen % every == 0
            seen += is_day
            ticks.append(Tick(self.x(at), label if shown else "", is_day))
        return tuple(ticks)

    def zones(self) -> str:
        """The names of the zone in this window: two where the clock changes in it."""
        step = (self.until - self.since) / 48
        names = dict.fromkeys(
            _zone_name((self.since + step * place).astimezone(self.zone)) for place in range(49)
        )
        return " and ".join(names)

    def _moments(self) -> Iterator[tuple[datetime, str, bool]]:
        day = self.since.astimezone(self.zone).date()
        last = self.until.astimezone(self.zone).date()
        while day <= last:
            for hour in self.hours:
                at = _moment(day, hour, self.zone)
                if at is not None:
                    label = f"{day.day} {_MONTHS[day.month - 1]}" if hour == 0 else f"{hour:02}:00"
                    yield at, label, hour == 0
            day += timedelta(days=1)


def axis_of(until: datetime, hours: int, zone: ZoneInfo, left: float, right: float) -> Axis:
    """The window of `hours` (one of `WINDOWS`) that ends at `until`."""
    return Axis(
        since=until - timedelta(hours=hours),
        until=until,
        zone=zone,
        left=left,
        right=right,
        hours=WINDOWS[hours],
    )


def _moment(day: date, hour: int, zone: ZoneInfo) -> datetime | None:
    """When it is that hour of that day. A midnight that does not exist: when the day begins."""
    at = datetime.combine(day, clock_time(hour), tzinfo=zone).astimezone(UTC)
    back = at.astimezone(zone)
    exists = (back.date(), back.hour, back.minute) == (day, hour, 0)
    return at if exists or hour == 0 else None


def _zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{local:%z}"
