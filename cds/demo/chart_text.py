"""The chart of a story as a person reads it: one line per entry, newest first.

Wording of synthetic charting only; it judges nothing.
"""

from collections.abc import Iterator
from typing import assert_never

from cds.demo.drugs import DRUGS
from cds.demo.story import (
    Entry,
    Given,
    GradeCharted,
    Infusion,
    Neuro,
    Problem,
    Story,
    Support,
    Vitals,
    Weight,
)


HOURS_SHOWN = 72  # beyond three days, days read better
UNITS = {"Cel": "°C", "[degF]": "°F"}


def lines(story: Story) -> tuple[tuple[str, str], ...]:
    """Pairs of time and text, newest first."""
    newest = sorted(story.chart, key=lambda entry: -(entry.until or entry.at))
    return tuple((_when(entry), ", ".join(_words(entry))) for entry in newest)


def _ago(hours: float) -> str:
    past = -hours
    if past < 1:
        return f"{past * 60:.0f} min"
    return f"{past:g} h" if past <= HOURS_SHOWN else f"{past / 24:.1f} d"


def _when(entry: Entry) -> str:
    if isinstance(entry, Infusion):
        end = "still running" if entry.until is None else f"stopped {_ago(entry.until)} ago"
        return f"started {_ago(entry.at)} ago, {end}"
    if entry.until is None or entry.every is None:
        return f"{_ago(entry.at)} ago"
    return f"{_ago(entry.at)} to {_ago(entry.until)} ago, every {_ago(-entry.every)}"


def _words(entry: Entry) -> Iterator[str]:
    match entry:
        case Vitals():
            yield from _vitals(entry)
        case Weight():
            yield f"weight {entry.kg:g} kg"
        case Neuro():
            yield from _neuro(entry)
        case Support():
            yield f"hypotension support: {entry.level}"
        case GradeCharted():
            yield f"clinician's {entry.toxicity.upper()} grade: {entry.grade}"
        case Given():
            yield f"{DRUGS[entry.drug][1]} {entry.mg:g} mg {entry.route} given"
        case Infusion():
            yield f"{entry.drug} {entry.rate:g} µg/kg/min IV"
        case Problem():
            yield f"{entry.text} ({entry.code})"
        case _:
            assert_never(entry)


def _vitals(entry: Vitals) -> Iterator[str]:
    if entry.temperature is not None:
        yield f"{entry.temperature:.1f} {UNITS[entry.unit]}"
    if entry.pressure is not None:
        yield f"{entry.pressure[0]}/{entry.pressure[1]} mmHg"
    if entry.spo2 is not None:
        yield f"SpO2 {entry.spo2} %"
    if entry.device is not None:
        yield entry.device.replace("-", " ")
    if entry.flow is not None:
        yield f"{entry.flow:g} L/min"


def _neuro(entry: Neuro) -> Iterator[str]:
    if entry.ice is not None:
        yield f"ICE {entry.ice}"
    if entry.arousal is not None:
        yield f"arousal: {entry.arousal}"
    if entry.seizure is not None:
        yield f"seizure: {entry.seizure}"
    if entry.minutes is not None:
        yield f"{entry.minutes:g} min"
