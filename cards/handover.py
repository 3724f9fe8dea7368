"""The hand-over sheet of one patient: course, grade now, what was given, advice in short.

One printed page: so it names the newest of everything and how much more there is. The advice is
that of the bedside page, its sources named once. Decides nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from cards import advice, calculator, care, citing, clinical, detail, given, plain, terms, unread
from cards.bedside import Shown, bedside
from cards.sheet import Line, Section, Sheet, filled
from cards.units import time
from knowledge.assessment import Tocilizumab
from knowledge.decision import Decision
from knowledge.facts import Facts
from knowledge.library import Library


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
                *_of(by_code, "unread"),
                Section(code="course", title="Course", texts=course(decision, facts, zone)),
                by_code["grade"],
                _values(decision, facts, zone),
                missing(decision, facts),
                *_of(by_code, "notes"),
                _given(facts, start, zone),
                *(_short(decision, zone) if "advice" in by_code else _of(by_code, "withheld")),
                by_code["made"],
            )
        ),
    )


def course(decision: Decision, facts: Facts, zone: ZoneInfo) -> tuple[str, ...]:
    """Onset, maximum and end of each event, and where nobody can know of one."""
    found = tuple(
        detail.section(terms.syndrome(code), detail.event(state.event, zone))
        for code, state in terms.states(decision.assessment)
        if state.event is not None
    )
    return (*found, *unread.events(decision.assessment, facts))


def missing(decision: Decision, facts: Facts) -> Section:
    """The missing facts, those that nobody could read among them."""
    items = unread.missing(detail.all_missing(decision), facts)
    return Section(code="missing", title="Missing", texts=(detail.missing(items),))


def _values(decision: Decision, facts: Facts, zone: ZoneInfo) -> Section:
    """Axes with values and times."""
    lines = tuple(
        Line(
            f"{terms.syndrome(code)}: {terms.axis(key)}",
            terms.level(axis.level),
            "; ".join(detail.evidence(one, zone) for one in axis.evidence) or _none(key, facts),
        )
        for code, state in terms.states(decision.assessment)
        for key, axis in plain.state(state).axes.items()
    )
    return Section(code="values", title="Values behind the grade", lines=lines)


def _none(axis: str, facts: Facts) -> str:
    said = unread.axis(axis, facts)
    return f"Not known: {said}" if said else "No value charted"


def _given(facts: Facts, start: datetime | None, zone: ZoneInfo) -> Section:
    title = "Given, as far as it was read" if start is None else f"Given since {time(start, zone)}"
    return Section(code="given", title=title, lines=given.interventions(facts, start, zone))


def _of(by_code: Mapping[str, Section], code: str) -> tuple[Section, ...]:
    return (by_code[code],) if code in by_code else ()


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
