"""The sections of the bedside advice: the sentences of the cards, under titles, with their tables.

Every sentence is made by the functions that make it for a card. Decides nothing.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from cards import calculator, care, citing, clinical, detail, plain, terms, unread
from cards.escape import markdown
from cards.evaluate import EXPIRED
from cards.sheet import Section
from cards.supportive_check import anakinra
from cards.units import time
from knowledge.assessment import ToxicityState
from knowledge.decision import Citation, Decision
from knowledge.library import Library


def grades(decision: Decision, zone: ZoneInfo) -> Section:
    """Both grades now."""
    states = terms.states(decision.assessment)
    return Section(
        code="grade",
        title="Grade now",
        texts=tuple(grade(code, state, zone) for code, state in states),
    )


def grade(code: str, state: ToxicityState, zone: ZoneInfo) -> str:
    """The grade acted on as a headline; below it what the data say, and what was charted."""
    items = []
    if state.assessed and state.grade is not None:
        low, high = state.grade.at_least, state.grade.at_most
        items.append(f"By the data: grade {low if low == high else f'{low} to {high}'}")
    elif state.reason not in ("", "not-assessed"):
        items.append(terms.capital(terms.reason(markdown(state.reason))))
    if state.charted is not None:
        items.append(f"Charted grade {state.charted.grade}, {time(state.charted.at, zone)}")
    else:
        items.append("No grade charted by a clinician was used")
    return detail.section(terms.grade(code, state), items)


def sections(decision: Decision, library: Library, zone: ZoneInfo) -> tuple[Section, ...]:
    """What a card on an active toxicity says, in parts; past its last day a protocol has none."""
    assessment = decision.assessment
    concerned = terms.concerned(assessment, assessment.disposition)
    conditions = care.conditions(assessment.next_dose)
    first = (
        Section(
            code="advice",
            title="Bispecific",
            texts=(_drug(decision), detail.advice(assessment.disposition, concerned)),
        ),
        Section(
            code="next-dose",
            title="Next dose",
            texts=(
                detail.section("Conditions of the next dose", conditions),
                clinical.unsettled_maximum(decision) if conditions else "",
            ),
        ),
        Section(
            code="rules",
            title="Rules of the sources",
            texts=(detail.rules(decision.rows), detail.possible(decision.rows)),
        ),
    )
    return first if expired(decision) else (*first, *_treatment(decision, library, zone))


def _drug(decision: Decision) -> str:
    """Which bispecific the advice is about; nothing where none is known."""
    known = decision.orders or decision.assessment.agent is not None
    return f"Drug: {clinical.subject(decision)}" if known else ""


def _treatment(decision: Decision, library: Library, zone: ZoneInfo) -> tuple[Section, ...]:
    assessment = decision.assessment
    result = assessment.tocilizumab
    given = ["tocilizumab"] if result is not None else []
    agents = [*(medicine.agent for medicine in assessment.medications), *given]
    allergies, not_checked = care.limits(decision, agents, zone)
    return (
        Section(
            code="acute",
            title="Acute management",
            texts=(care.medications(assessment.medications), detail.guidance(decision.guidance)),
        ),
        Section(
            code="tocilizumab",
            title="Tocilizumab",
            texts=(
                care.tocilizumab(decision, result, zone),
                care.weight(decision, zone) if result is not None else "",
            ),
            lines=calculator.tocilizumab(decision, library, zone),
        ),
        Section(code="not-checked", title="Before giving", texts=(allergies, not_checked)),
    )


def anakinra_section(decision: Decision, library: Library) -> tuple[Section, ...]:
    """The check of anakinra; none where nothing is active, or the protocol is past its day."""
    result = decision.assessment.anakinra
    if result is None or expired(decision):
        return ()
    unchecked = (f"{line.text}." for line in decision.anakinra_lines[-1:])
    return (
        Section(
            code="anakinra",
            title="Anakinra",
            texts=(anakinra(decision), *unchecked),
            lines=calculator.anakinra(result, library),
        ),
    )


def record(decision: Decision, zone: ZoneInfo) -> tuple[Section, ...]:
    """What was seen, what is missing, and what the reader must know beside it."""
    assessment = decision.assessment
    courses = (detail.course(code, plain.state(s), zone) for code, s in terms.states(assessment))
    return (
        Section(code="inputs", title="What the record says", texts=tuple(courses)),
        Section(
            code="missing",
            title="Missing",
            texts=(detail.missing(tuple(map(plain.missing, detail.all_missing(decision)))),),
        ),
        unread.notes(assessment),
    )


def sources(decision: Decision, shown: tuple[Section, ...]) -> Section:
    """Each document of the sections shown, once, with its address where it has one."""
    codes = {section.code for section in shown}
    items = dict.fromkeys(
        f"{citing.without_place(one)}{f'; {one.url}' if one.url else ''}"
        for one in _citations(decision, codes)
    )
    return Section(code="sources", title="Sources", texts=(detail.section("Sources", items),))


def expired(decision: Decision) -> bool:
    """Whether the active protocol is past its last day."""
    return any(notice.code == EXPIRED for notice in decision.assessment.notices)


def _citations(decision: Decision, codes: set[str]) -> Iterator[Citation]:
    if "rules" in codes:
        yield from (row.citation for row in decision.rows)
    if "acute" in codes:
        yield from (line.citation for line in decision.guidance)
    if "tocilizumab" in codes and decision.assessment.tocilizumab is not None:
        yield from (line.citation for line in decision.tocilizumab_lines)
    if "anakinra" in codes:
        yield from (line.citation for line in decision.anakinra_lines)
