"""What a site has switched off is not advised, and never silently: one card says so instead."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from msgspec import Struct

from cards import citing, clinical, detail, terms, wording
from cards.proposal import Proposal
from knowledge.decision import Decision


class SwitchedOff(Struct, frozen=True):
    """Card topics by their code, and rules by "file@version#row", that a site does not show."""

    topics: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


def replaced(
    proposals: list[Proposal], off: SwitchedOff, decision: Decision, zone: ZoneInfo
) -> list[Proposal]:
    """The proposals without those of a switched-off topic or rule, and one that tells of them."""
    gone = [one for one in proposals if _named(one, off)]
    if not gone:
        return proposals
    names = sorted({name for one in gone for name in _named(one, off)})
    kept = [one for one in proposals if one not in gone]
    return [*kept, _card(decision, names, zone)]


def named(codes: Iterable[str], sections: Iterable[str], off: SwitchedOff) -> list[str]:
    """The switched-off topics among `codes`, and the switched-off rules that `sections` cite."""
    cited = citing.rules_in(sections) & off.rules
    topics = off.topics.intersection(codes)
    return sorted((*(f"topic {code}" for code in topics), *(f"rule {rule}" for rule in cited)))


def told(names: Iterable[str]) -> str:
    """What the site's configuration withholds, by name."""
    return detail.section("Switched off by this site's configuration", names)


def _named(proposal: Proposal, off: SwitchedOff) -> list[str]:
    """The switched-off topic or rules this proposal would show."""
    return named((proposal.topic.code,), proposal.sections, off)


def _card(decision: Decision, names: list[str], zone: ZoneInfo) -> Proposal:
    assessment = decision.assessment
    topic = citing.topic("SWITCHEDOFF", "", "Advice switched off at this site")
    findings = tuple(terms.grade(code, state) for code, state in terms.states(assessment))
    return Proposal(
        kind="switched-off",
        indicator="warning" if terms.active(assessment) else "info",
        summary=wording.switched_off(clinical.subject(decision), findings),
        sections=(
            told(names),
            *(detail.course(code, state, zone) for code, state in terms.states(assessment)),
            detail.missing(detail.all_missing(decision)),
            detail.footer(assessment, zone),
        ),
        source=citing.source(None, assessment, topic),
        topic=topic,
    )
