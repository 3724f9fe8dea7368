"""One patient read and evaluated as for a hook call that brought nothing; stores nothing.

Nothing clinical is known here, and nothing of the notification that was the reason to read.
"""

from datetime import timedelta
from uuid import uuid4

from msgspec import Struct

from cds.config import Site
from cds.fhir_fetch import Failure
from cds.hook_request import HookRequest
from cds.pipeline import EXTENSION, Evaluation, evaluate, record_of
from cds.prefetch import covers
from cds.store import DecisionRow
from cds.store.inputs import input_refs
from cds.store.recording import Call, decision_row, sent_assessment
from cds.worker.workplace import HOOK, SERVICE, Workplace


class Regraded(Struct, frozen=True):
    """What the record says now: the decision as a row to keep, and what was not read."""

    row: DecisionRow
    evaluation: Evaluation
    failed: tuple[Failure, ...] = ()


def regrade(place: Workplace, site: Site, patient: str) -> Regraded:
    """Read everything of `patient` (a bare id) and evaluate it. Raises `AnotherPatient`.

    Evaluated at the time the reading ended: nothing charted before that was left out.
    """
    rules = site.site_rules(place.library.rules)
    longest = timedelta(days=max(rules.crs_lookback_days, rules.icans_lookback_days))
    empty = HookRequest(
        hook=HOOK,
        hook_instance=str(uuid4()),
        patient_id=patient,
        fhir_server=site.fhir_base,
        draft_orders=None,
        selections=None,
        prefetch={},
    )
    request, failed = place.server.everything(
        site, empty, place.templates(site), covers(place.clock(), longest)
    )
    now = place.clock()
    evaluation = evaluate(
        request,
        site=site,
        library=place.library,
        codes=place.codes[site.id],
        now=now,
        acknowledged=place.acknowledged(site, patient),
        unread=tuple(map(str, failed)),
        earlier=place.records.earlier(site.id, patient, now),
    )
    return Regraded(_row(place, site, request, evaluation), evaluation, failed)


def _row(place: Workplace, site: Site, request: HookRequest, evaluation: Evaluation) -> DecisionRow:
    call = Call(
        id=str(uuid4()),
        site=site.id,
        patient=request.patient_id,
        hook=HOOK,
        hook_instance=request.hook_instance,
        service=SERVICE,
    )
    return decision_row(
        call,
        evaluation.decision,
        cards=evaluation.cards,
        assessment=sent_assessment(evaluation.response, EXTENSION),
        inputs=input_refs(request.prefetch.values()),
        programs={one.program: one.id for one in place.library.rems.values()},
        commit=place.commit,
        record=record_of(evaluation),
    )
