"""One request through the stages: FHIR to facts, facts to decision, decision to cards, one answer.

Pure: the same request, site, library, codes and `now` give the same bytes. No I/O, no number and no
sentence of its own.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from cards.build import build
from cards.model import Card
from cards.switched_off import SwitchedOff
from cds import __version__
from cds.config import Mode, Site, off_rules
from cds.errors import AnotherPatient
from cds.hook_request import HookRequest
from fhir_mapping import errors as mapping_errors
from fhir_mapping.codes import CodeSets
from fhir_mapping.read import PatientInput, read
from knowledge.assemble import Context
from knowledge.assessment import Assessment
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.facts import Facts, Notice
from knowledge.library import Library


EXTENSION = "org.btce-cds.assessment"

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Evaluation(Struct, frozen=True):
    """What every stage returned. `response` is the encoded answer, encoded once."""

    facts: Facts
    decision: Decision
    cards: tuple[Card, ...]
    response: bytes


def evaluate(
    request: HookRequest,
    *,
    site: Site,
    library: Library,
    codes: CodeSets,
    now: datetime,
    acknowledged: frozenset[str] = frozenset(),
    unread: tuple[str, ...] = (),
) -> Evaluation:
    """Answer one request for `site` at `now` (UTC). Raises `AnotherPatient`.

    `acknowledged`: ids of REMS programmes whose duties somebody has read. `unread`: why data could
    not be read from the FHIR server, in words of ours.
    """
    mode = effective_mode(site, library)
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
    context = Context(
        site=site.id,
        mode=mode,
        protocol_id=site.protocol,
        engine_version=__version__,
        rules=rules,
        zone=site.zone,
        contacts=site.contacts,
        acknowledged=acknowledged,
    )
    facts = _with_unread(mapped.facts, unread)
    decision = decide(facts, library, context)
    cards = build(
        decision,
        drafts=mapped.drafts,
        hook_instance=request.hook_instance,
        zone=site.zone,
        smart_url=site.smart_url,
        off=SwitchedOff(site.off_topics, off_rules(site, library)),
    )
    shown = cards if mode == "live" else ()
    return Evaluation(facts, decision, cards, _encode(shown, decision.assessment))


def _with_unread(facts: Facts, unread: tuple[str, ...]) -> Facts:
    """The facts, with what the FHIR server did not give said beside them."""
    if not unread:
        return facts
    told = tuple(Notice("not-read", f"Not read from the FHIR server: {why}.") for why in unread)
    return msgspec.structs.replace(facts, notices=(*facts.notices, *told))


def effective_mode(site: Site, library: Library) -> Mode:
    """The site's mode; silent as long as it runs another knowledge than the one it approved.

    None approved: the configuration allows that for a live site on the loopback address only.
    """
    approved = site.approved_knowledge
    return site.mode if approved in {None, library.sha256} else "silent"


def _encode(cards: tuple[Card, ...], assessment: Assessment) -> bytes:
    return _ENCODER.encode({"cards": cards, "extension": {EXTENSION: assessment}})
