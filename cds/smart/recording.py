"""Keeps what a page of the app concluded, as the decision of a hook call is kept.

Once for each thing that was concluded: a page looked at again keeps nothing. Concludes nothing.
"""

from uuid import uuid4

from cds.deployment import Deployment
from cds.pipeline import EXTENSION, Evaluation, record_of
from cds.smart.at_hand import PatientRecord
from cds.store import DecisionRow, StoreDown
from cds.store.inputs import input_refs
from cds.store.latest import Latest
from cds.store.recording import Call, decision_row, sent_assessment
from cds.worker.unchanged import unchanged


HOOK = "bedside"  # what stands for the hook in a decision that a person looked at in the app
SERVICE = "btce-bedside"


def keep_decision(
    record: PatientRecord, evaluation: Evaluation, deployment: Deployment, latest: Latest
) -> None:
    """Keep it unless the patient's last decision says the same; raises nothing."""
    row = _row(record, evaluation, deployment)
    try:
        last = latest.last(row.site, row.patient)
    except StoreDown:
        last = None  # the recorder spools it
    if not unchanged(last, row):
        deployment.recorder.record(row)


def _row(record: PatientRecord, evaluation: Evaluation, deployment: Deployment) -> DecisionRow:
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
        inputs=input_refs(request.prefetch.values()),
        programs={one.program: one.id for one in deployment.library.rems.values()},
        commit=deployment.commit,
        record=record_of(evaluation),
    )
