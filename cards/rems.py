"""The REMS information card; never beside a hold, and never a claim about today's status."""

from datetime import date
from zoneinfo import ZoneInfo

from cards import citing, clinical, detail, terms, wording
from cards.escape import name
from cards.proposal import Proposal
from cards.units import day
from knowledge.decision import Decision


def rems_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """One card with the duties of the programme that covers the drafted drug."""
    assessment = decision.assessment
    if assessment.rems is None or not decision.orders:
        return []
    drug = clinical.subject(decision)
    program = name(assessment.rems.program)
    verified = day(date.fromisoformat(assessment.rems.verified_on))
    duties = decision.rems_duties
    topic = citing.topic("REMS", drug, program)
    return [
        Proposal(
            kind="rems",
            indicator="info",
            summary=wording.rems(drug, program, verified),
            sections=(
                detail.order_line(decision.orders[0].order),
                f"{program}: REMS per source dated {verified}; {wording.REMS_STATUS}.",
                detail.section(
                    "Duties",
                    (
                        f"{terms.words(duty.role)}: {duty.text.rstrip('.')}."
                        f" Source: {citing.line(duty.citation)}"
                        for duty in duties
                    ),
                ),
                detail.footer(assessment, zone),
            ),
            source=citing.source(duties[0].citation if duties else None, assessment, topic),
            topic=topic,
            ref=decision.orders[0].order.ref,
        )
    ]
