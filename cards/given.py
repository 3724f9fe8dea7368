"""What a patient was given, in words with times; what was not read is said, never "none".

For pages about the course of an event. It judges nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from cards import detail, terms
from cards.escape import markdown
from cards.sheet import Line
from cards.units import number, time
from knowledge.assessment import Assessment
from knowledge.facts import (
    Charted,
    Dose,
    Evidence,
    Facts,
    Infusion,
    MaskingKind,
    QueryName,
    bispecific_doses,
)


MOST = 6  # of a kind, the newest; how many more there are is said
_NONE = "None charted"
_DOUBTS = {
    "push": "single dose",
    "end-not-charted": "end not charted",
    "uncertain": "not certain that it ran",
}
_Told = tuple[datetime, str]  # until when it was, and its words


def since(assessment: Assessment, facts: Facts) -> datetime | None:
    """From when on it belongs to the course: the last dose or the first onset, the earlier one.

    None where there was neither: then everything that was read is shown.
    """
    onsets = [s.event.onset for _, s in terms.states(assessment) if s.event is not None]
    last = [dose.start for dose in bispecific_doses(facts)][-1:]
    return min((*onsets, *last), default=None)


def doses(facts: Facts, zone: ZoneInfo) -> tuple[str, ...]:
    """The doses of bispecifics that were read, newest first."""
    found = [
        (dose.start, f"{markdown(dose.ingredient)} {_dose(dose, zone)}")
        for dose in bispecific_doses(facts)
    ]
    return _newest(found, facts, "administrations")


def interventions(facts: Facts, start: datetime | None, zone: ZoneInfo) -> tuple[Line, ...]:
    """Drugs, vasopressors, fluid and oxygen from `start` on, newest first."""
    tocilizumab = [
        (dose.end or dose.start, _dose(dose, zone))
        for dose in facts.doses
        if dose.ingredient == "tocilizumab"
    ]
    pressors = [(_until(one, facts), _infusion(one, zone)) for one in facts.infusions]
    boluses = [
        (one.at, _charted(one.evidence, one.at, zone, "" if one.certain else "not certain"))
        for one in facts.boluses
    ]
    drugs: tuple[tuple[str, Sequence[_Told]], ...] = (
        ("Tocilizumab", tocilizumab),
        ("Corticosteroids", _masking(facts, "steroid", zone)),
        ("Antipyretics", _masking(facts, "antipyretic", zone)),
        ("Other drugs against cytokines", _masking(facts, "anticytokine", zone)),
        ("Vasopressors", pressors),
        ("Fluid boluses", boluses),
    )
    return (
        *(
            Line(label, "; ".join(_newest(_from(start, found), facts, "administrations")))
            for label, found in drugs
        ),
        Line("Oxygen", "; ".join(_newest(_standing(start, _oxygen(facts, zone)), facts, "oxygen"))),
    )


def _from(start: datetime | None, found: Sequence[_Told]) -> list[_Told]:
    return [one for one in found if start is None or one[0] >= start]


def _standing(start: datetime | None, found: Sequence[_Told]) -> list[_Told]:
    """What lasts until something else is charted: where nothing newer is, the last before."""
    return _from(start, found) or [
        (until, f"None charted since; before: {text}") for until, text in found[-1:]
    ]


def _newest(found: Iterable[_Told], facts: Facts, query: QueryName) -> tuple[str, ...]:
    """The newest first, how many more, and how far back it was possible to read."""
    told = [text for _, text in sorted(found, key=lambda one: one[0], reverse=True)]
    told = list(dict.fromkeys(told))
    more = [f"and {len(told) - MOST} earlier"] if len(told) > MOST else []
    reached = facts.read_back_to.get(query)
    if query not in facts.answered:
        limit = ["not all could be read" if reached or told else f"Not known: {query} not read"]
    else:
        limit = [] if told else [_NONE]
    return (*told[:MOST], *more, *limit)


def _dose(dose: Dose, zone: ZoneInfo) -> str:
    amount = "dose not charted" if dose.mg is None else f"{number(dose.mg)} mg"
    route = "route not charted" if dose.route is None else dose.route.upper()
    end = f" to {time(dose.end, zone)}" if dose.end is not None and dose.end != dose.start else ""
    return f"{amount}, {route}, {time(dose.start, zone)}{end}"


def _masking(facts: Facts, kind: MaskingKind, zone: ZoneInfo) -> list[_Told]:
    return [
        (one.at, f"{markdown(one.agent)}, {_charted(one.evidence, one.at, zone)}")
        for one in facts.masking
        if one.kind == kind and one.agent != "tocilizumab"
    ]


def _until(one: Infusion, facts: Facts) -> datetime:
    return one.start if one.doubt == "push" else one.end or facts.evaluated_at


def _infusion(one: Infusion, zone: ZoneInfo) -> str:
    if one.doubt == "push":
        span = time(one.start, zone)
    else:
        end = "running" if one.end is None else f"to {time(one.end, zone)}"
        span = f"from {time(one.start, zone)}, {end}"
    doubt = _DOUBTS.get(one.doubt, "")
    return f"{markdown(one.agent)}, {span}{f' ({doubt})' if doubt else ''}"


def _oxygen(facts: Facts, zone: ZoneInfo) -> list[_Told]:
    """Each change of what was charted: the same device and flow in a row, from first to last."""
    found = []
    for device, same in groupby(facts.oxygen, key=_device):
        times = [one.at for one in same]
        first, last = time(times[0], zone), time(times[-1], zone)
        span = first if first == last else f"since {first}, last {last}"
        found.append((times[-1], f"{device}, {span}"))
    return found


def _device(one: Charted) -> str:
    words = " or ".join(terms.words(level) for level in one.levels) or "not assessable"
    flow = f", {number(one.flow)} L/min" if one.flow is not None else ""
    charted = f" (charted: {markdown(one.evidence.value)})" if one.evidence.value else ""
    return f"{words}{flow}{charted}"


def _charted(evidence: Evidence, at: datetime, zone: ZoneInfo, doubt: str = "") -> str:
    """The value as charted with its unit, and the time it counts at."""
    value = detail.evidence(Evidence(evidence.ref, value=evidence.value, unit=evidence.unit), zone)
    return ", ".join(part for part in (value or "dose not charted", time(at, zone), doubt) if part)
