"""The whole advice of one decision for one page: what the cards say, without their limit of three.

What a site switched off is withheld here as there, and said. Decides nothing.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from msgspec import Struct

from cards import advice, clinical, detail, hold, on_board, terms, unread, wording
from cards.build import NOTHING_OFF, selected
from cards.evaluate import cause_cards, expired_cards, missing_cards
from cards.next_dose import next_dose_cards
from cards.proposal import Proposal, rank
from cards.sheet import Lead, Section, Sheet, filled
from cards.switched_off import SwitchedOff, named, told
from knowledge.decision import Decision
from knowledge.library import Library


SILENT = "This site runs silently: advice is evaluated and not shown."


class Shown(Struct, frozen=True, kw_only=True):
    """How a site shows advice: in its zone, without what is `off`, or not at all (`silent`).

    `acknowledged`: ids of the REMS programmes whose duties somebody has read.
    """

    zone: ZoneInfo
    off: SwitchedOff = NOTHING_OFF
    silent: bool = False
    acknowledged: frozenset[str] = frozenset()


def bedside(decision: Decision, library: Library, shown: Shown) -> Sheet:
    """Every section that has something to say, in the order a clinician reads them."""
    decision = selected(decision)
    zone = shown.zone
    found = proposals(decision, zone)
    main = advice.sections(decision, library, zone)
    anakinra = advice.anakinra_section(decision, library)
    rems = (_rems(decision, library, shown),)
    without = withheld(decision, found, main, shown)
    groups = [
        (main, without),
        (anakinra, [*without, *named((), _texts(anakinra), shown.off)]),
        (rems, named(on_board.topics(decision, library), _texts(rems), shown.off)),
    ]
    told_of = sorted({name for _, names in groups for name in names})
    groups = [(some, names) for some, names in groups if not names and not shown.silent]
    visible = filled(tuple(section for some, _ in groups for section in some))
    clear = not without and not shown.silent
    return Sheet(
        (*differing(decision), *(leads(decision, found) if clear else _findings(decision))),
        filled(
            (
                advice.grades(decision, zone),
                unread.section(decision.assessment),
                Section(
                    code="withheld",
                    title="Advice withheld",
                    texts=(SILENT if shown.silent else "", told(told_of)),
                ),
                *visible,
                *(
                    one
                    for one in advice.record(decision, zone)
                    # A note may be advice: as beside a card, none is shown where that is withheld.
                    if clear or one.code != "notes"
                ),
                advice.sources(decision, visible),
                Section(
                    code="made",
                    title="How this was made",
                    texts=(detail.footer(decision.assessment, zone),),
                ),
            )
        ),
    )


def differing(decision: Decision) -> tuple[Lead, ...]:
    """That a clinician's grade and the data differ, whatever is advised."""
    return tuple(Lead(text, "warning") for text in unread.differing(decision))


def proposals(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """The cards that need no order to speak about, worst first."""
    holds = hold.hold_cards(decision, {}, zone)
    found = [
        *holds,
        *expired_cards(decision, zone),
        *cause_cards(decision, zone),
        *([] if holds else next_dose_cards(decision, zone)),
    ]
    return sorted(found or missing_cards(decision, zone), key=rank)


def leads(decision: Decision, found: list[Proposal]) -> tuple[Lead, ...]:
    """The summaries of those cards, after the disposition where none of them says it."""
    summaries = tuple(Lead(one.summary, one.indicator) for one in found)
    if any(one.kind not in ("missing", "cannot-evaluate") for one in found):
        return summaries
    disposition = decision.assessment.disposition
    if disposition.action == "cannot-evaluate" and summaries:
        return summaries
    stated = terms.action(disposition.action)
    if disposition.action == "not-applicable":
        return (Lead(terms.capital(stated), "info"), *summaries)
    active = terms.active(decision.assessment)
    findings = tuple(terms.grade(*pair) for pair in active)
    summary = wording.disposition(clinical.subject(decision), findings, disposition.action)
    return (Lead(summary, "warning" if active else "info"), *summaries)


def withheld(
    decision: Decision, found: Iterable[Proposal], main: Iterable[Section], shown: Shown
) -> list[str]:
    """The switched-off topics and rules that the advice would show."""
    disposition, drug = decision.assessment.disposition, clinical.subject(decision)
    codes = [one.topic.code for one in found if one.kind != "missing"]
    codes = codes or [hold.stated_topic(decision, disposition, drug).code]
    return named(codes, _texts(main), shown.off)


def _texts(sections: Iterable[Section]) -> list[str]:
    return [
        text
        for section in sections
        for text in (*section.texts, *(line.source for line in section.lines))
    ]


def _findings(decision: Decision) -> tuple[Lead, ...]:
    """The grades alone, where advice is withheld."""
    findings = tuple(terms.grade(*pair) for pair in terms.states(decision.assessment))
    summary = wording.switched_off(clinical.subject(decision), findings)
    return (Lead(summary, "warning" if terms.active(decision.assessment) else "info"),)


def _rems(decision: Decision, library: Library, shown: Shown) -> Section:
    texts = on_board.texts(decision, library, shown.acknowledged)
    return Section(code="rems", title="REMS", texts=texts)
