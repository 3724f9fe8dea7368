"""The course in words, for whoever does not see the drawing: how many, highest, lowest, latest."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from cds.smart.timeline.band import Level, Sample
from cds.smart.timeline.item import LABELS, Item, What
from cds.smart.timeline.series import Series
from cds.smart.timeline.strips import DRUGS


Time = Callable[[datetime], str]
_CHARTED: tuple[What, ...] = ("crs-charted", "icans-charted")


def course(series: Series, samples: Sequence[Sample], time: Time) -> tuple[str, ...]:
    """One statement a series; what is empty or was not read says so. `time`: writes a time."""
    return (
        *(_numbers(what, series, time) for what in series.numbers),
        _oxygen(series, time),
        *(_drug(what, series, time) for what in DRUGS if said_of(what, series)),
        *(_grade("CRS", [(one.at, one.crs) for one in samples], time),),
        *(_grade("ICANS", [(one.at, one.icans) for one in samples], time),),
        *(_charted(what, series, time) for what in _CHARTED),
    )


def said_of(what: What, series: Series) -> bool:
    """Whether something has to be said of it: given, or one whose absence matters."""
    return bool(series.of(what)) or what in ("bispecific", "tocilizumab", "steroid", "vasopressor")


def none_of(what: What, series: Series) -> str:
    """Why there is nothing, in words: nothing charted is not the same as not read."""
    if what in series.unread:
        return f"{LABELS[what]}: not known, the record was not read for it."
    return f"{LABELS[what]}: nothing charted in this time."


def reaching(what: What, series: Series, time: Time) -> str:
    """How far back the answer of the server reaches, where that is not the whole time."""
    reached = series.back_to.get(what)
    return "" if reached is None else f" Only what was charted since {time(reached)} was read."


def _numbers(what: What, series: Series, time: Time) -> str:
    items = _inside(series, what)
    if not items:
        return none_of(what, series)
    values = "1 value" if len(items) == 1 else f"{len(items)} values"
    high = max(items, key=_value)
    low = min(items, key=_value)
    return (
        f"{LABELS[what]}: {values}, highest {high.shown} at {time(high.at)},"
        f" lowest {low.shown} at {time(low.at)}, latest {items[-1].shown}"
        f" at {time(items[-1].at)}.{reaching(what, series, time)}"
    )


def _oxygen(series: Series, time: Time) -> str:
    items = series.of("oxygen")
    if not items:
        return none_of("oxygen", series)
    last = items[-1]
    return f"Oxygen: charted {_times(items)}, latest {last.shown} at {time(last.at)}."


def _drug(what: What, series: Series, time: Time) -> str:
    items = series.of(what)
    if not items:
        return none_of(what, series)
    last = items[-1]
    return (
        f"{LABELS[what]}: {_times(items)}, latest {last.shown} at"
        f" {time(last.at)}.{reaching(what, series, time)}"
    )


def _grade(name: str, levels: Sequence[tuple[datetime, Level]], time: Time) -> str:
    known = [(at, one) for at, one in levels if one.grade is not None]
    if not known:
        return f"{name} by this service: not assessed at any time shown."
    at, worst = max(known, key=lambda one: _worst(one[1]))
    gaps = len(levels) - len(known)
    unknown = f" Not assessed at {gaps} of {len(levels)} times shown." if gaps else ""
    return (
        f"{name} by this service: highest {worst.words} at {time(at)},"
        f" latest {levels[-1][1].words}.{unknown}"
    )


def _charted(what: What, series: Series, time: Time) -> str:
    items = _inside(series, what)
    if not items:
        return none_of(what, series)
    last = items[-1]
    return f"{LABELS[what]}: {_times(items)}, latest {last.shown} at {time(last.at)}."


def _inside(series: Series, what: What) -> tuple[Item, ...]:
    return tuple(one for one in series.of(what) if one.at >= series.since)


def _worst(level: Level) -> tuple[int, int]:
    return (-1, -1) if level.grade is None else (level.grade.at_least, level.grade.at_most)


def _value(item: Item) -> Decimal:
    return item.value if item.value is not None else Decimal(0)


def _times(items: Sequence[Item]) -> str:
    return "once" if len(items) == 1 else f"{len(items)} times"
