"""What the service writes is accepted by a FHIR server and comes back as it was written."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_mapping import write
from fhir_mapping.write import Charting
from tests.live.fhir import FHIR_JSON, SECONDS, Fhir, Json, new_id


pytestmark = pytest.mark.live

AT = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
BY = Charting(new_id("p"), "Practitioner/d1", AT, encounter="Encounter/e1")
ITEMS = {
    "ice-orientation": 4,
    "ice-naming": 3,
    "ice-command": 1,
    "ice-writing": 1,
    "ice-attention": 0,
}
ICE = write.ice(BY, ITEMS)
SEIZURE = write.seizure(BY, "brief", minutes=Decimal("2.50"), count=1)


def stored(fhir: Fhir, resource: Json) -> Any:
    """POST its bytes; what the server then has, its numbers as text."""
    kind = resource["resourceType"]
    headers = {"Content-Type": FHIR_JSON}
    answer = fhir.session.post(
        f"{fhir.base}/{kind}", data=write.as_json(resource), headers=headers, timeout=SECONDS
    )
    assert answer.status_code == 201, answer.text
    found = fhir.send("GET", f"{kind}/{answer.json()['id']}")
    return json.loads(found.text, parse_float=str, parse_int=str)


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(ICE, id="ICE"),
        pytest.param(write.capd(BY, 9), id="CAPD"),
        pytest.param(write.arousal(BY, "voice"), id="arousal"),
        pytest.param(SEIZURE, id="seizure"),
        pytest.param(write.motor(BY, "focal-weakness"), id="motor"),
        pytest.param(write.raised_icp(BY, "papilledema"), id="raised ICP"),
        pytest.param(write.oxygen_device(BY, "336623009", flow=Decimal(2)), id="oxygen"),
        pytest.param(write.hypotension_support(BY, "fluids"), id="support"),
        pytest.param(write.attribution(BY, "crs", "other-cause"), id="attribution"),
        pytest.param(write.grade(BY, "icans", 3), id="grade"),
        pytest.param(write.not_performed(BY, "ice-total", "intubated"), id="not performed"),
        pytest.param(
            write.questionnaire_response(BY, [ICE, SEIZURE]), id="the form with its answers"
        ),
    ],
)
def test_what_is_charted_is_accepted_and_comes_back_whole(fhir: Fhir, made: Json) -> None:
    found = stored(fhir, made)
    sent = json.loads(write.as_json(made), parse_float=str, parse_int=str)
    assert {name: found[name] for name in sent} == sent


def test_what_was_charted_is_found_by_the_query_the_service_makes(fhir: Fhir) -> None:
    by = Charting(fhir.new_patient(), "Practitioner/d1", AT)
    for made in (write.ice(by, ITEMS), write.arousal(by, "voice")):
        stored(fhir, made)
    search = f"Observation?patient={by.patient_id}&category=survey&_sort=-date&_count=100"
    assert len(fhir.ids(search)) == 2
