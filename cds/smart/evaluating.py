"""A patient read with the user's token and evaluated as for a hook, with what is being stated now.

Nothing clinical is known here; nothing is stored.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
from msgspec import Raw

from cds.deployment import Deployment
from cds.errors import DataUnavailable
from cds.fhir_fetch import read_missing
from cds.hook_request import HookRequest
from cds.pipeline import Evaluation, evaluate
from cds.prefetch import covers
from cds.services import PATIENT_VIEW
from cds.smart.at_hand import AtHand, PatientRecord
from cds.smart.parts import Bedside
from fhir_mapping.answers import Resource


READ_SECONDS = 10.0  # a person waits for the page; a hook call has two
STATED = "stated"  # the key of what is being stated, beside those that were read


def record_of(here: Bedside, deployment: Deployment, at_hand: AtHand) -> PatientRecord:
    """What the FHIR server says of the patient, read now or a moment ago.

    Raises `DataUnavailable` where not even the Patient can be read.
    """
    found = at_hand.get(here.context.launch)
    if found is None:
        found = read_record(here, deployment)
        at_hand.put(here.context.launch, found)
    return found


def read_record(here: Bedside, deployment: Deployment) -> PatientRecord:
    """What the FHIR server says of the patient now, with the user's token."""
    context, site = here.context, here.site
    rules = site.site_rules(deployment.library.rules)
    longest = timedelta(days=max(rules.crs_lookback_days, rules.icans_lookback_days))
    empty = HookRequest(
        hook=PATIENT_VIEW.hook,
        hook_instance=str(uuid4()),
        patient_id=context.patient,
        fhir_server=site.fhir_base,
        draft_orders=None,
        selections=None,
        prefetch={},
    )
    request, failed = read_missing(
        empty,
        deployment.services[site.id][PATIENT_VIEW.id].prefetch,
        base=site.fhir_base or "",
        token=context.access_token,
        seconds=READ_SECONDS,
        enough=covers(deployment.clock(), longest),
    )
    if "patient" not in request.prefetch:
        raise DataUnavailable("could not be read", field="patient")
    return PatientRecord(request, failed, deployment.clock())


def assessed(
    record: PatientRecord,
    here: Bedside,
    deployment: Deployment,
    *,
    now: datetime,
    stated: Sequence[Resource] = (),
) -> Evaluation:
    """What a hook call would be answered at `now` were `stated` charted. Raises `AnotherPatient`.

    `stated`: Observations as `fhir_mapping.write` makes them, with ids of the caller's.
    """
    site = here.site
    request = record.request
    if stated:
        bundle = {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": one} for one in stated],
        }
        encoded = Raw(msgspec.json.Encoder(decimal_format="number").encode(bundle))
        prefetch = {**request.prefetch, STATED: encoded}
        request = msgspec.structs.replace(request, prefetch=prefetch)
    return evaluate(
        request,
        site=site,
        library=deployment.library,
        codes=deployment.codes[site.id],
        now=now,
        acknowledged=_acknowledged(here, deployment, now),
        unread=tuple(map(str, record.failed)),
        earlier=deployment.recorder.earlier(site.id, request.patient_id, now),
    )


def _acknowledged(here: Bedside, deployment: Deployment, now: datetime) -> frozenset[str]:
    library, site = deployment.library, here.site
    if not library.protocols[site.protocol].rems_applies:
        return frozenset()
    return deployment.recorder.acknowledged(
        site.id,
        here.context.patient,
        programs=library.rems,
        rules=site.site_rules(library.rules),
        now=now,
    )
