"""A card before it is chosen: its words, its order and its rank; gives ids only at the end."""

from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import Struct

from cards import detail, wording
from cards.model import Card, Coding, Indicator, Link, Source, Suggestion
from cards.overrides import OVERRIDE_REASONS, REMS_REASONS
from knowledge.decision import Decision


_INDICATORS: tuple[Indicator, ...] = ("critical", "warning", "info")
# Between cards of one indicator: what stops a dose first, duties last.
_KINDS = (
    "hold",
    "switched-off",
    "tocilizumab",
    "supportive",
    "unsupported",
    "expired",
    "cause",
    "cannot-evaluate",
    "unread-order",
    "step-up",
    "disposition",
    "acute",
    "next-dose",
    "missing",
    "rems",
)


class Proposal(Struct, frozen=True):
    """One possible card. `sections` make the detail; the last ones stay last."""

    kind: str
    indicator: Indicator
    summary: str
    sections: tuple[str, ...]
    source: Source
    topic: Coding
    ref: str = ""
    suggestions: tuple[Suggestion, ...] = ()


def rank(proposal: Proposal) -> tuple[int, int]:
    """Worst first."""
    return (_INDICATORS.index(proposal.indicator), _KINDS.index(proposal.kind))


def merged(last: Proposal, others: list[Proposal]) -> Proposal:
    """A card that carries what the limit of three leaves no room for: nothing is dropped.

    The last section (what was not checked) stays at the end of its own text.
    """
    sections = last.sections
    suggestions = last.suggestions
    for other in others:
        sections += (f"{wording.OVERFLOW} {other.summary}", *other.sections)
        suggestions += other.suggestions
    return msgspec.structs.replace(last, sections=sections, suggestions=suggestions)


def identity(proposal: Proposal) -> tuple[str, ...]:
    """What tells cards of one response apart; one order may name two drugs."""
    return (proposal.topic.code, proposal.ref, proposal.summary)


def bedside_links(smart_url: str | None, decision: Decision) -> tuple[Link, ...]:
    """The bedside app, where the site has one; it refuses to open for another patient."""
    if not smart_url:
        return ()
    context = msgspec.json.encode({"patient": decision.assessment.patient}).decode()
    return (Link(wording.BEDSIDE_LINK, smart_url, "smart", context),)


def finished(
    proposal: Proposal, hook_instance: str, links: tuple[Link, ...], number: int = 1
) -> Card:
    """The card with its ids, which are the same for the same hook call, topic, order and drug.

    `number`: of the cards that are otherwise the same, as for an order that is drafted twice.
    """
    root = "|".join((hook_instance, *identity(proposal), *([str(number)] if number > 1 else [])))
    suggestions = tuple(
        msgspec.structs.replace(
            suggestion,
            uuid=str(uuid5(NAMESPACE_URL, f"{root}|{index}|{suggestion.label}")),
        )
        for index, suggestion in enumerate(proposal.suggestions)
    )
    return Card(
        summary=proposal.summary,
        indicator=proposal.indicator,
        source=proposal.source,
        uuid=str(uuid5(NAMESPACE_URL, root)),
        detail=detail.join(proposal.sections),
        suggestions=suggestions,
        selection_behavior="any" if suggestions else "",
        override_reasons=_reasons(proposal),
        links=links,
    )


def _reasons(proposal: Proposal) -> tuple[Coding, ...]:
    if proposal.kind == "rems":
        return REMS_REASONS
    return () if proposal.indicator == "info" else OVERRIDE_REASONS
