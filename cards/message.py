"""What is written about an event outside a card: a line of a Flag, or the text of a Communication.

Plain text, no Markdown: nobody knows what shows it. Built from the same words as the cards; names
no patient and decides nothing.
"""

from zoneinfo import ZoneInfo

from cards import citing, clinical, terms, wording
from cards.escape import plain
from cards.units import time
from knowledge.assessment import ToxicityState
from knowledge.decision import Decision
from knowledge.facts import Missing


NO_ALARM = "Information only, not an alarm: no one is expected to watch for it."
_MISSING_SHOWN = 3


SWITCHED_OFF = "Advice is switched off at this site."


def message(decision: Decision, toxicity: str, zone: ZoneInfo, *, advised: bool = True) -> str:
    """The grade as a range, what is missing, the advice, its source, and when.

    `advised`: whether the site shows advice on this; the grade is said all the same.
    """
    assessment = decision.assessment
    state = dict(terms.states(assessment))[toxicity]
    disposition = assessment.disposition
    cited = clinical.citation(decision, disposition)
    protocol = f"{assessment.protocol.id} version {assessment.protocol.version}"
    review = "" if assessment.knowledge.clinically_reviewed else f"; {citing.NOT_REVIEWED}"
    parts = [
        f"{terms.grade(toxicity, state)}.",
        _missing(state),
        _advice(decision) if advised else SWITCHED_OFF,
        f"Source: {citing.line(cited)}." if advised and cited is not None else "",
        f"Evaluated {time(assessment.evaluated_at, zone)}; protocol {protocol}; "
        f"knowledge {assessment.knowledge.version}{review}; software {assessment.engine.version}.",
        NO_ALARM,
    ]
    return plain(" ".join(part for part in parts if part))


def _advice(decision: Decision) -> str:
    """What to do with the bispecific, in the words of a card's summary."""
    assessment, disposition = decision.assessment, decision.assessment.disposition
    drug = terms.agent(assessment)
    findings = tuple(terms.grade(code, state) for code, state in terms.active(assessment))
    if disposition.action == "discontinue-permanently":
        why = findings[0] if findings else "rule reached"
        return f"{wording.permanent(drug, why, disposition.confirmed)}."
    return f"{terms.capital(drug)}: {terms.action(disposition.action)}."


def over(decision: Decision, toxicity: str, zone: ZoneInfo) -> str:
    """The event is no longer open, by the record as it is now."""
    assessment = decision.assessment
    event = dict(terms.states(assessment))[toxicity].event
    review = "" if assessment.knowledge.clinically_reviewed else f"; {citing.NOT_REVIEWED}"
    said = "no longer in the record"
    if event is not None and event.resolved_at is not None:
        at = time(event.resolved_at, zone)
        sure = event.resolved_confirmed
        said = f"resolved since {at}" if sure else f"appears resolved since {at}: confirm"
    return plain(
        f"{terms.syndrome(toxicity)} event {said}. Evaluated {time(assessment.evaluated_at, zone)}"
        f"; knowledge {assessment.knowledge.version}{review}. {NO_ALARM}"
    )


def _missing(state: ToxicityState) -> str:
    """The first missing inputs of the scale by name, and how many more."""
    if not state.missing:
        return ""
    shown: tuple[Missing, ...] = state.missing[:_MISSING_SHOWN]
    more = len(state.missing) - len(shown)
    named = "; ".join(f"{terms.fact(one.fact)} ({plain(one.reason)})" for one in shown)
    return f"Missing: {named}{f'; {more} more' if more else ''}."
