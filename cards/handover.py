"""The hand-over sheet of one patient: course, grade now, what was given, advice in short.

One printed page: so it names the newest of everything and how much more there is. The advice is
that of the bedside page, its sources named once. Decides nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from cards import advice, calculator, care, citing, clinical, detail, given, terms
from cards.bedside import Shown, bedside
from cards.sheet import Line, Section, Sheet, filled
from cards.units import time
from knowledge.assessment import Tocilizumab
from knowledge.decision import Decision
from knowledge.facts import Facts
from knowledge.library import Library


NO_EVENT = "No CRS or ICANS event was found in the record."


def handover(decision: Decision, facts: Facts, library: Library, shown: Shown) -> Sheet:
    """What the next team needs first; the leads are those of the advice."""
    zone = shown.zone
    whole = bedside(decision, library, shown)
    start = given.since(decision.assessment, facts)
    by_code = {one.code: one for one in whole.sections}
    return Sheet(
        whole.leads,
        filled(
            (
                Section(
                    code="doses",
                    title="Bispecific",
                    texts=(detail.section("Doses", given.doses(facts, zone)),),
                ),
                Section(code="course", title="Course", texts=course(decision, zone)),
                by_code["grade"],
                _values(decision, zone),
                *(by_code[code] for code in ("missing", "notes") if code in by_code),
                _given(facts, start, zone),
                *(_short(decision, zone) if "advice" in by_code else _withheld(by_code)),
                by_code["made"],
            )
        ),
    )


def course(decision: Decision, zone: ZoneInfo) -> tuple[str, ...]:
    """Onset, maximum and end of each event."""
    found = tuple(
        detail.section(terms.syndrome(code), detail.event(state.event, zone))
        for code, state in terms.states(decision.assessment)
        if state.event is not None
    )
    return found or (NO_EVENT,)


def _values(decision: Decision, zone: ZoneInfo) -> Section:
    """Axes with values and times."""
    lines = tuple(
        Line(
            f"{terms.syndrome(code)}: {terms.axis(key)}",
            terms.level(axis.level),
            "; ".join(detail.evidence(one, zone) for one in axis.evidence) or "No value charted",
        )
        for code, state in terms.states(decision.assessment)
        for key, axis in state.axes.items()
    )
    return Section(code="values", title="Values behind the grade", lines=lines)


def _given(facts: Facts, start: datetime | None, zone: ZoneInfo) -> Section:
    title = "Given, as far as it was read" if start is None else f"Given since {time(start, zone)}"
    return Section(code="given", title=title, lines=given.interventions(facts, start, zone))


def _withheld(by_code: Mapping[str, Section]) -> tuple[Section, ...]:
    return (by_code["withheld"],) if "withheld" in by_code else ()


def _short(decision: Decision, zone: ZoneInfo) -> tuple[Section, ...]:
    assessment = decision.assessment
    disposition = assessment.disposition
    cited = clinical.citation(decision, disposition)
    source = f"Source: {citing.line(cited)}" if cited is not None else ""
    medicines = "" if advice.expired(decision) else care.medications(assessment.medications)
    return (
        Section(
            code="advice",
            title="Advice in short",
            texts=(
                detail.advice(disposition, terms.concerned(assessment, disposition)),
                medicines,
                detail.section(
                    "Conditions of the next dose", care.conditions(assessment.next_dose)
                ),
                source,
            ),
        ),
        Section(
            code="tocilizumab",
            title="Next tocilizumab",
            lines=()
            if assessment.tocilizumab is None or advice.expired(decision)
            else _tocilizumab(assessment.tocilizumab, zone),
        ),
    )


def _tocilizumab(result: Tocilizumab, zone: ZoneInfo) -> tuple[Line, ...]:
    return (
        Line("Check", care.checked(result)),
        Line("Earliest next dose by the limits", calculator.earliest(result, zone)),
        Line("Calculated dose", calculator.dose(result)),
        Line("Doses in this event", calculator.count(result.doses_this_event)),
        Line("Doses in the last 6 weeks", calculator.count(result.doses_in_6_weeks)),
    )
