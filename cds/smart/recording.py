"""Keeps what a page of the app concluded, as the decision of a hook call is kept.

Once for each thing that was concluded: a page looked at again keeps nothing. Concludes nothing.
"""

from collections.abc import Sequence
from uuid import uuid4

import msgspec
from msgspec import Raw

from cds.deployment import Deployment
from cds.pipeline import EXTENSION, Evaluation, record_of
from cds.smart.at_hand import PatientRecord
from cds.store import DecisionRow, StoreDown
from cds.store.inputs import input_refs
from cds.store.latest import Latest
from cds.store.recording import Call, decision_row, sent_assessment
from cds.store.rows import InputRef
from cds.worker.unchanged import unchanged
from fhir_mapping.answers import Resource


HOOK = "bedside"  # what stands for the hook in a decision that a person looked at in the app
SERVICE = "btce-bedside"


def keep_decision(
    record: PatientRecord,
    evaluation: Evaluation,
    deployment: Deployment,
    latest: Latest,
    *,
    stated: Sequence[Resource] = (),
) -> None:
    """Keep it unless the patient's last decision says the same; raises nothing.

    `stated`: what of it was stated here, with ids, and not read from the FHIR server.
    """
    row = _row(record, evaluation, deployment, stated)
    try:
        last = latest.last(row.site, row.patient)
    except StoreDown:
        last = None  # the recorder spools it
    if not unchanged(last, row):
        deployment.recorder.record(row)


def _row(
    record: PatientRecord,
    evaluation: Evaluation,
    deployment: Deployment,
    stated: Sequence[Resource],
) -> DecisionRow:
    request = record.request
    call = Call(
        id=str(uuid4()),
        site=evaluation.made_from.site,
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
        inputs=_inputs(record, stated),
        programs={one.program: one.id for one in deployment.library.rems.values()},
        commit=deployment.commit,
        record=record_of(evaluation),
    )


def _inputs(record: PatientRecord, stated: Sequence[Resource]) -> tuple[InputRef, ...]:
    """What was read, and what was stated here: one that is read as well has its version already."""
    read = tuple(record.request.prefetch.values())
    known = {one.ref for one in input_refs(read)}
    kept = (one for one in stated if f"{one['resourceType']}/{one['id']}" not in known)
    return input_refs((*read, *(Raw(msgspec.json.encode(one)) for one in kept)))
