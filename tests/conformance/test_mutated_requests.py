"""20,000 requests that are nearly right: no fault, no answer over two seconds, memory flat.

A tenth of them in a normal run; all where BTCE_FULL is set, as in continuous integration.
"""

import gc
import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import (
    Json,
    bundle,
    draft_order,
    hook_request,
    ice,
    patient,
    spo2,
    teclistamab,
    temp,
)
from tests.conformance.checker import SCHEMA_EVERY
from tests.conformance.mutate import mutants
from tests.conftest import CheckedClient


SEED = 20261121
COUNT = 20_000 if os.environ.get("BTCE_FULL") else 2_000
LONGEST_SECONDS = 2.0
GROWTH_BYTES = 24 * 2**20
STATM = Path("/proc/self/statm")
AUTHORIZATION = {
    "access_token": "t0ken",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "ORDERS.READ",
    "subject": "client",
}


def order_sign() -> Json:
    """Fever after a dose, the next one drafted."""
    prefetch = {
        "patient": patient(),
        "vitals": bundle(temp(38.6)),
        "administrations": bundle(teclistamab()),
    }
    return hook_request(prefetch, drafts=[draft_order()])


def order_select() -> Json:
    """A drafted drug that is a resource of its own, and data the request does not bring."""
    order = {**draft_order(), "medicationReference": {"reference": "Medication/m1"}}
    del order["medicationCodeableConcept"]
    drug = {"resourceType": "Medication", "id": "m1", "code": {"text": "tocilizumab"}}
    made = hook_request(
        {"vitals": None, "labs": bundle()}, drafts=[order, drug], hook="order-select"
    )
    made["context"]["selections"] = ["MedicationRequest/d1"]
    return made


def patient_view() -> Json:
    """Only the hook's own context and vendor extensions."""
    trigger = {"com.epic.cdshooks.request.bpa-trigger-action": "60"}
    prefetch = {"assessments": bundle(ice(3)), "conditions": bundle()}
    return {**hook_request(prefetch, hook="patient-view"), "extension": trigger}


def observations() -> Json:
    """The custom hook."""
    made = hook_request({"administrations": bundle(teclistamab())}, hook="patient-view")
    made["hook"] = "org.btce-cds.observation-create"
    made["context"] = {"patientId": "p1", "observations": bundle(spo2(88, flow=4), temp(39.4))}
    return made


# Service, request, and how much of the whole: fewer of those that take long.
BODIES: dict[str, tuple[str, Callable[[], Json], float]] = {
    "order-sign": ("btce-order-sign", order_sign, 0.2),
    "order-select": ("btce-order-select", order_select, 0.3),
    "patient-view": ("btce-patient-view", patient_view, 0.35),
    "observation-create": ("btce-observation", observations, 0.15),
}


def resident() -> int:
    """Bytes of memory this process holds."""
    gc.collect()
    return int(STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not STATM.exists(), reason="reads the size of the process from /proc")
@pytest.mark.parametrize("hook", BODIES)
def test_no_mutated_request_brings_a_fault_a_long_wait_or_memory_that_stays(
    client_for: Any, caplog: pytest.LogCaptureFixture, hook: str
) -> None:
    caplog.set_level(logging.CRITICAL, logger="btce_cds")  # or pytest keeps every log record
    client: CheckedClient = client_for(fhir_base=None)
    client.application.config[SCHEMA_EVERY] = 50
    service, body, share = BODIES[hook]
    address, headers = f"/cds-services/{service}", {"Content-Type": "application/json"}
    count = round(COUNT * share)
    statuses: Counter[int] = Counter()
    longest, start = 0.0, 0
    for number, data in enumerate(mutants(body(), count, SEED)):
        began = time.perf_counter()
        response = client.post(address, data=data, headers=headers)
        longest = max(longest, time.perf_counter() - began)
        assert response.status_code in {200, 400, 412, 413}, (number, data[:2000])
        statuses[response.status_code] += 1
        if number == count // 4:  # caches are warm
            start = resident()
    assert longest <= LONGEST_SECONDS
    assert resident() - start <= GROWTH_BYTES
    assert statuses[200] > count // 10, "they were not nearly right"
    assert statuses[400] > count // 10, "they were too right"


def test_the_mutants_are_the_same_in_every_run_and_all_different_from_their_body() -> None:
    made = list(mutants(order_sign(), 500, SEED))
    assert made == list(mutants(order_sign(), 500, SEED))
    assert len(set(made)) > 450
