"""The REMS worksheet of one event: the facts of the record; what it does not hold stays a blank.

It reports nothing and names no address: where and how to report is on the programme's own form.
"""

from zoneinfo import ZoneInfo

from cards import citing, given, on_board, rems, terms, unread
from cards.bedside import Shown, bedside
from cards.escape import markdown, name
from cards.handover import missing
from cards.sheet import Line, Section, filled
from cards.switched_off import named, told
from cards.units import time
from knowledge.assessment import Event, ToxicityState
from knowledge.decision import Decision, RemsDuty
from knowledge.facts import Facts, bispecific_doses
from knowledge.library import Library


OWN_FORM = "Check the programme's own current form: this sheet is no report and sends nothing."
BLANK = ""


def worksheet(
    decision: Decision, facts: Facts, library: Library, shown: Shown
) -> tuple[Section, ...]:
    """Product, doses and each event, under a programme; else the sentence why there is none."""
    zone = shown.zone
    programme, duties = on_board.programme(decision, library)
    if programme is None:
        text = on_board.absent(decision, library)
        return _without(Section(code="none", title="No worksheet", texts=(text,)), decision)
    checklist = rems.checklist(duties)
    names = named(on_board.topics(decision, library), (checklist,), shown.off)
    if names or shown.silent:
        off = told(names) or "Advice is not shown at this site."
        return _without(Section(code="withheld", title="Advice withheld", texts=(off,)), decision)
    # A note may be advice: here are those that the page of advice shows.
    notes = tuple(one for one in bedside(decision, library, shown).sections if one.code == "notes")
    states = terms.states(decision.assessment)
    return filled(
        (
            Section(
                code="programme",
                title="Programme",
                texts=(rems.dated(programme), OWN_FORM, *_source(duties)),
            ),
            unread.section(decision.assessment),
            Section(
                code="product", title="Product and doses", lines=_product(facts, decision, zone)
            ),
            *(
                Section(
                    code=code,
                    title=f"{terms.syndrome(code)} event",
                    lines=_event(event, code, state, facts, zone),
                )
                for code, state in states
                if (event := state.event) is not None
            ),
            Section(
                code="no-event",
                title="Event",
                texts=unread.events(decision.assessment, facts),
            ),
            Section(
                code="interventions",
                title="Interventions",
                lines=given.interventions(facts, given.since(decision.assessment, facts), zone),
            ),
            missing(decision, facts),
            *notes,
            Section(code="report", title="To be filled in", lines=_by_hand()),
            Section(code="duties", title="Duties", texts=(checklist,)),
        )
    )


def _without(reason: Section, decision: Decision) -> tuple[Section, ...]:
    return filled((reason, unread.section(decision.assessment)))


def _source(duties: tuple[RemsDuty, ...]) -> tuple[str, ...]:
    return tuple(f"Source: {citing.line(duty.citation)}" for duty in duties[:1])


def _product(facts: Facts, decision: Decision, zone: ZoneInfo) -> tuple[Line, ...]:
    agent = decision.assessment.agent
    product = "" if agent is None else agent.ingredient
    found = given.doses(facts, zone)
    return (
        Line("Product", name(product)),
        Line("Doses that were read, newest first", "; ".join(found)),
        Line("Dose number (the record may not hold every dose)", BLANK),
    )


def _event(
    event: Event, code: str, state: ToxicityState, facts: Facts, zone: ZoneInfo
) -> tuple[Line, ...]:
    charted = state.charted
    return (
        Line("Onset, by the record", time(event.onset, zone)),
        Line("Last dose before the onset", _dose_before(event, facts, zone)),
        Line("Highest grade", _highest(event)),
        Line(
            "Grade charted by a clinician",
            BLANK if charted is None else f"{charted.grade}, {time(charted.at, zone)}",
        ),
        Line("Recurrent", "yes, by the record" if event.recurrent else BLANK),
        Line("Cause stated by a clinician", _cause(code, facts, zone)),
        Line("Outcome", _outcome(event, facts, zone)),
    )


def _dose_before(event: Event, facts: Facts, zone: ZoneInfo) -> str:
    before = [dose for dose in bispecific_doses(facts) if dose.start <= event.onset]
    if not before:
        return BLANK
    hours = int((event.onset - before[-1].start).total_seconds() // 3600)
    drug = markdown(before[-1].ingredient)
    return f"{drug}, {time(before[-1].start, zone)} ({hours} h before the onset)"


def _highest(event: Event) -> str:
    low, high = event.max_grade.at_least, event.max_grade.at_most
    return str(low) if low == high else f"{low} to {high}: not settled by the record"


def _cause(code: str, facts: Facts, zone: ZoneInfo) -> str:
    stated = [one for one in facts.attributions if one.toxicity == code]
    if not stated:
        return BLANK
    return f"{terms.words(stated[-1].cause)}, {time(stated[-1].at, zone)}"


def _outcome(event: Event, facts: Facts, zone: ZoneInfo) -> str:
    if event.resolved_at is None:
        return f"Not resolved in the record at {time(facts.evaluated_at, zone)}"
    at = time(event.resolved_at, zone)
    return (
        f"Resolved since {at}"
        if event.resolved_confirmed
        else f"Appears resolved since {at}: confirm"
    )


def _by_hand() -> tuple[Line, ...]:
    """What only people know."""
    labels = ("Serious, and why", "Outcome of the patient", "Reported on", "Reported by")
    return tuple(Line(label, BLANK) for label in labels)
