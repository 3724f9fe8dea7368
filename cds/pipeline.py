"""One request through the stages: FHIR to facts, facts to decision, decision to cards, one answer.

Pure: the same request, site, library, codes and `now` give the same bytes. No I/O, no number and no
sentence of its own.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from cards.build import build
from cards.model import Card
from cards.switched_off import SwitchedOff
from cds import __version__
from cds.config import Mode, Site, off_rules
from cds.errors import AnotherPatient
from cds.given_back import by_hand, without_drafts
from cds.hook_request import HookRequest
from cds.made_from import MadeFrom, made_from, site_of
from cds.record import Record, pack
from fhir_mapping import errors as mapping_errors
from fhir_mapping.codes import CodeSets
from fhir_mapping.read import PatientInput, read
from knowledge.assemble import Context
from knowledge.assessment import Assessment
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.earlier import EarlierEvent
from knowledge.facts import Facts, Notice
from knowledge.library import Library


EXTENSION = "org.btce-cds.assessment"

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Evaluation(Struct, frozen=True):
    """What every stage returned. `response` is the encoded answer, encoded once.

    `made_from`: all that the decision rests on; `drafts`: the references of the draft orders.
    """

    made_from: MadeFrom
    drafts: tuple[str, ...]
    decision: Decision
    cards: tuple[Card, ...]
    response: bytes

    @property
    def facts(self) -> Facts:
        """What the mapping read."""
        return self.made_from.facts


def evaluate(
    request: HookRequest,
    *,
    site: Site,
    library: Library,
    codes: CodeSets,
    now: datetime,
    acknowledged: frozenset[str] = frozenset(),
    unread: tuple[str, ...] = (),
    earlier: tuple[EarlierEvent, ...] | None = (),
) -> Evaluation:
    """Answer one request for `site` at `now` (UTC). Raises `AnotherPatient`.

    `acknowledged`: ids of REMS programmes whose duties somebody has read. `unread`: why data could
    not be read from the FHIR server, in words of ours. `earlier`: events that decisions of this
    service remember; None: these cannot be read now.
    """
    rules = site.site_rules(library.rules)
    patient = PatientInput(
        patient_id=request.patient_id,
        fhir_base=site.fhir_base,
        draft_orders=request.draft_orders,
        selections=request.selections,
        prefetch=request.prefetch,
    )
    try:
        mapped = read(patient, now=now, rules=rules, codes=codes)
    except mapping_errors.AnotherPatient as error:
        raise AnotherPatient(str(error), field=error.where) from None
    given = made_from(
        _with_earlier(_with_unread(mapped.facts, unread), earlier),
        hook_instance=request.hook_instance,
        site=site,
        mode=effective_mode(site, library),
        acknowledged=acknowledged,
        engine_version=__version__,
    )
    return conclude(given, mapped.drafts, library)


def conclude(given: MadeFrom, drafts: Mapping[str, bytes], library: Library) -> Evaluation:
    """Decision, cards and answer; of nothing but these three. `drafts`: as `cards.build` has it."""
    site = site_of(given)
    context = Context(
        site=site.id,
        mode=given.mode,
        protocol_id=site.protocol,
        engine_version=given.engine_version,
        rules=site.site_rules(library.rules),
        zone=site.zone,
        contacts=site.contacts,
        acknowledged=given.acknowledged,
    )
    decision = decide(given.facts, library, context)
    cards = build(
        decision,
        drafts=drafts,
        hook_instance=given.hook_instance,
        zone=site.zone,
        smart_url=site.smart_url,
        off=SwitchedOff(site.off_topics, off_rules(site, library)),
    )
    shown = cards if given.mode == "live" else ()
    response = _encode(shown, decision.assessment)
    return Evaluation(given, tuple(drafts), decision, cards, response)


def record_of(evaluation: Evaluation) -> bytes:
    """What the store keeps to make the same answer again."""
    cards = evaluation.cards
    return pack(
        Record(
            evaluation.made_from,
            Raw(encoded_cards(cards)),
            evaluation.drafts,
            by_hand(evaluation.decision, cards),
        )
    )


def encoded_cards(cards: tuple[Card, ...]) -> bytes:
    """Their JSON as on the wire, but for the drafts in them."""
    return _ENCODER.encode(without_drafts(cards))


def _with_unread(facts: Facts, unread: tuple[str, ...]) -> Facts:
    """The facts, with what the FHIR server did not give said beside them."""
    if not unread:
        return facts
    told = tuple(Notice("not-read", f"Not read from the FHIR server: {why}.") for why in unread)
    return msgspec.structs.replace(facts, notices=(*facts.notices, *told))


def _with_earlier(facts: Facts, earlier: tuple[EarlierEvent, ...] | None) -> Facts:
    """The facts, with what this service saw before; that it cannot be told is said."""
    if earlier is None:
        told = Notice("history-not-read", "Earlier events: the store could not be read.")
        return msgspec.structs.replace(facts, notices=(*facts.notices, told))
    return msgspec.structs.replace(facts, earlier=earlier) if earlier else facts


def effective_mode(site: Site, library: Library) -> Mode:
    """The site's mode; silent as long as it runs another knowledge than the one it approved.

    None approved: the configuration allows that for a live site on the loopback address only.
    """
    approved = site.approved_knowledge
    return site.mode if approved in {None, library.sha256} else "silent"


def _encode(cards: tuple[Card, ...], assessment: Assessment) -> bytes:
    return _ENCODER.encode({"cards": cards, "extension": {EXTENSION: assessment}})
