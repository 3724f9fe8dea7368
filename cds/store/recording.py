"""One answered request as the row that is kept; copies and decides nothing."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from cards.model import Card
from cds.store.rows import CardRow, DecisionRow, InputRef
from knowledge.assessment import Assessment
from knowledge.decision import Decision
from knowledge.earlier import EarlierEvent


REMS_TOPIC = "REMS"  # how the topic codes of REMS cards begin


class Call(Struct, frozen=True, kw_only=True):
    """What was called, for whom. `patient` is the bare FHIR id; `id` a new UUID for this answer."""

    id: str
    site: str
    patient: str
    hook: str
    hook_instance: str
    service: str


class _Answer(Struct):
    extension: dict[str, Raw]


def decision_row(
    call: Call,
    decision: Decision,
    *,
    cards: Sequence[Card],
    assessment: str,
    inputs: tuple[InputRef, ...],
    programs: Mapping[str, str],
    commit: str,
    record: bytes,
) -> DecisionRow:
    """What `Store.record` keeps of one answer.

    `cards`: also those that a silent site was not shown. `assessment`: its JSON as it was sent.
    `programs`: ids of the REMS programmes by their name. `commit`: of the source this software was
    built from, "" if it is not known. `record`: what it was made from.
    """
    found = decision.assessment
    return DecisionRow(
        id=call.id,
        site=call.site,
        patient=call.patient,
        hook=call.hook,
        hook_instance=call.hook_instance,
        service=call.service,
        evaluated_at=found.evaluated_at,
        mode=found.mode,
        protocol=f"{found.protocol.id}@{found.protocol.version}",
        knowledge_version=found.knowledge.version,
        knowledge_sha256=found.knowledge.sha256,
        engine_version=found.engine.version,
        source_commit=commit,
        assessment=assessment,
        cannot_evaluate=found.disposition.action == "cannot-evaluate",
        rules=tuple(sorted(set(_rules(decision)) - {""})),
        inputs=inputs,
        cards=tuple(_card(card, found, programs) for card in cards),
        record=record,
        crs_events=as_text(decision.remember.get("crs")),
        icans_events=as_text(decision.remember.get("icans")),
    )


def sent_assessment(response: bytes, extension: str) -> str:
    """The text of the assessment in an encoded answer, under this extension, byte for byte."""
    return bytes(msgspec.json.decode(response, type=_Answer).extension[extension]).decode()


def _card(card: Card, assessment: Assessment, programs: Mapping[str, str]) -> CardRow:
    topic = card.source.topic.code if card.source.topic else ""
    about_rems = assessment.rems is not None and topic.startswith(REMS_TOPIC)
    return CardRow(
        uuid=card.uuid,
        topic=topic,
        indicator=card.indicator,
        suggestions=tuple(suggestion.uuid for suggestion in card.suggestions),
        program=programs.get(assessment.rems.program) if about_rems and assessment.rems else None,
    )


def _rules(decision: Decision) -> Iterator[str]:
    """Every rule the answer rests on or cites, as id@version#row."""
    assessment = decision.assessment
    yield from assessment.disposition.rules
    for order in assessment.orders:
        yield from order.disposition.rules
    yield from (medication.rule for medication in assessment.medications)
    yield from (row.rule for row in decision.rows)
    yield from (duty.citation.rule for duty in decision.rems_duties)
    for lines in (decision.tocilizumab_lines, decision.anakinra_lines, decision.guidance):
        yield from (line.citation.rule for line in lines)


def as_text(events: tuple[EarlierEvent, ...] | None) -> str | None:
    """Remembered events as the column's value; None: nothing is known of the toxicity."""
    return None if events is None else msgspec.json.encode(events).decode()
