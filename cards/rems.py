"""The REMS information card; never beside a hold, and never a claim about today's status."""

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from cards import citing, clinical, detail, terms, wording
from cards.escape import name
from cards.model import Coding
from cards.proposal import Proposal
from cards.units import day
from knowledge.assessment import Rems
from knowledge.decision import Decision, RemsDuty


def rems_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """One card with the duties of the programme that covers the drafted drug."""
    assessment = decision.assessment
    if assessment.rems is None or not decision.orders:
        return []
    drug = clinical.subject(decision)
    program, verified = name(assessment.rems.program), _verified(assessment.rems)
    duties = decision.rems_duties
    coded = topic(drug, assessment.rems)
    return [
        Proposal(
            kind="rems",
            indicator="info",
            summary=wording.rems(drug, program, verified),
            sections=(
                detail.order_line(decision.orders[0].order),
                dated(assessment.rems),
                checklist(duties),
                detail.footer(assessment, zone),
            ),
            source=citing.source(duties[0].citation if duties else None, assessment, coded),
            topic=coded,
            ref=decision.orders[0].order.ref,
        )
    ]


def topic(drug: str, rems: Rems) -> Coding:
    """The topic of the card on one drug."""
    return citing.topic("REMS", drug, name(rems.program))


def dated(rems: Rems) -> str:
    """The programme, and as of when; whether it still stands is for the reader to look up."""
    verified = _verified(rems)
    return f"{name(rems.program)}: REMS per source dated {verified}; {wording.REMS_STATUS}."


def checklist(duties: Iterable[RemsDuty]) -> str:
    """The duties by role, each with its source."""
    return detail.section(
        "Duties",
        (
            f"{terms.words(duty.role)}: {duty.text.rstrip('.')}."
            f" Source: {citing.line(duty.citation)}"
            for duty in duties
        ),
    )


def _verified(rems: Rems) -> str:
    return day(date.fromisoformat(rems.verified_on))
