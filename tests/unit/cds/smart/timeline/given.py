"""Items, series and plans to draw, each with one thing of its own and the rest ordinary."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cds.smart.timeline.axis import axis_of
from cds.smart.timeline.band import Level, Sample
from cds.smart.timeline.drawing import LEFT, RIGHT, Plan
from cds.smart.timeline.item import Item, What
from cds.smart.timeline.series import Series
from knowledge.assessment import Grade
from tests.builders import NOW


NOT_ASSESSED = Level(None, "CRS not assessed")
LONDON = ZoneInfo("Europe/London")


def item(what: What, hours_ago: float, value: float | None = None, **changes: Any) -> Item:
    """Charted so long before `NOW`."""
    fields: dict[str, Any] = {
        "at": NOW - timedelta(hours=hours_ago),
        "what": what,
        "shown": "as charted" if value is None else f"{value:g}",
        "ref": f"Observation/{what}-{hours_ago}",
        "value": None if value is None else Decimal(str(value)),
    }
    return Item(**(fields | changes))


def series(*items: Item, **changes: Any) -> Series:
    """Of the 72 hours before `NOW`."""
    in_time = tuple(sorted(items, key=lambda one: one.at))
    fields: dict[str, Any] = {"since": NOW - timedelta(hours=72), "until": NOW, "items": in_time}
    return Series(**(fields | changes))


def level(low: int, high: int) -> Level:
    """A grade, in the words of its bounds."""
    return Level(Grade(low, high), f"grade {low} to {high}")


def sample(hours_ago: float, crs: Level = NOT_ASSESSED, icans: Level = NOT_ASSESSED) -> Sample:
    """So long before `NOW`."""
    return Sample(NOW - timedelta(hours=hours_ago), crs, icans)


def plan(*items: Item, samples: tuple[Sample, ...] = (), **changes: Any) -> Plan:
    """What is drawn of these."""
    found = series(*items, **changes)
    return Plan(
        series=found,
        samples=samples,
        axis=axis_of(NOW, 72, LONDON, LEFT, RIGHT),
        fever_cel=Decimal(38),
        most={"ice": Decimal(10), "capd": Decimal(32)},
        fresh=timedelta(hours=4),
        score_fresh=timedelta(hours=12),
    )
