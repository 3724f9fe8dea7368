"""The demo's clock: who may set it, for how long, and what a record held at an hour."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from cds.app import create_app
from cds.demo.as_of import as_of
from cds.demo.deployments import settings_for
from cds.demo.drugs import ORDERS
from cds.demo.settable import HEADER, SettableClock
from cds.demo.sign import order_sign
from cds.demo.story import load
from cds.store import Spool, open_store
from cds.store.migrations import migrate
from fhir_mapping.codes import load_codes
from knowledge import library
from tests.demo.workbench_room import NOW, Json, running


THEN = "2026-11-20T12:00:00+00:00"
STORY = load()["nothing-wrong"]
BODY = msgspec.json.encode(
    order_sign(
        STORY,
        ORDERS["teclistamab"],
        now=NOW,
        hook_instance="00000000-0000-4000-8000-000000000001",
    )
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo with a fixed clock."""
    with running(tmp_path_factory.mktemp("demo")) as found:
        yield found


def evaluated_at(base: str, **headers: str) -> str:
    sent = {"Content-Type": "application/json", **headers}
    url = f"{base}/us-label/cds-services/btce-order-sign"
    answer: Json = requests.post(url, data=BODY, headers=sent, timeout=10).json()
    return str(answer["extension"]["org.btce-cds.assessment"]["evaluatedAt"])


def test_a_call_to_the_demo_may_name_its_hour_and_the_next_has_the_real_one(base: str) -> None:
    assert evaluated_at(base, **{HEADER: THEN}) == "2026-11-20T12:00:00Z"
    assert evaluated_at(base) == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize("told", ["", "yesterday", "2026-11-20T12:00:00", "2027-01-01T00:00:00Z"])
def test_an_hour_without_a_zone_or_still_to_come_is_refused(base: str, told: str) -> None:
    url = f"{base}/us-label/cds-services/btce-order-sign"
    headers = {"Content-Type": "application/json", HEADER: told}
    reply = requests.post(url, data=BODY, headers=headers, timeout=10)
    assert reply.status_code == 400
    assert HEADER in reply.text


def test_only_hook_calls_may_name_an_hour() -> None:
    seen: list[datetime] = []
    clock = SettableClock(lambda: NOW)

    def service(_: dict[str, Any], __: object) -> list[bytes]:
        seen.append(clock())
        return []

    timed = clock.honouring(service)
    for mount, path in (("/x", "/cds-services/a"), ("/x", "/smart/launch"), ("/x", "/events/s/1")):
        environ = {"SCRIPT_NAME": mount, "PATH_INFO": path, "HTTP_BTCE_DEMO_NOW": THEN}
        list(timed(environ, lambda *_: lambda _: None))
    assert seen == [datetime(2026, 11, 20, 12, tzinfo=UTC), NOW, NOW]


def test_a_service_outside_of_the_demo_takes_no_hour_from_its_caller(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url)
    app = create_app(
        settings_for("us-label", "http://127.0.0.1:9"),
        library=library.load(),
        codes=load_codes(),
        clock=lambda: NOW,
        store=open_store(url),
        spool=Spool(tmp_path / "spool"),
    )
    reply = app.test_client().post(
        "/cds-services/btce-order-sign",
        data=BODY,
        headers={"Content-Type": "application/json", HEADER: THEN},
    )
    found = msgspec.json.decode(reply.data)["extension"]["org.btce-cds.assessment"]
    assert found["evaluatedAt"] == "2026-11-21T12:00:00Z"


def bundle(*resources: Json) -> Json:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": 9, "entry": entries}


BEFORE, AFTER = "2026-11-21T11:00:00Z", "2026-11-21T13:00:00Z"


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Observation", "effectiveDateTime": AFTER},
        {"resourceType": "Observation", "effectivePeriod": {"start": AFTER}},
        {"resourceType": "MedicationAdministration", "effectivePeriod": {"start": AFTER}},
        {"resourceType": "MedicationRequest", "authoredOn": AFTER},
        {"resourceType": "Condition", "onsetDateTime": AFTER},
        {"resourceType": "Procedure", "performedPeriod": {"start": AFTER}},
        {"resourceType": "Encounter", "period": {"start": AFTER}},
    ],
    ids=lambda one: one["resourceType"],
)
def test_what_was_charted_later_is_not_in_the_record_of_the_hour(resource: Json) -> None:
    kept = {"resourceType": "Observation", "effectiveDateTime": BEFORE}
    found = as_of(bundle(resource, kept), NOW)
    assert [one["resource"] for one in found["entry"]] == [kept]
    assert bytes(found["total"]) == b"1"
    assert "entry" not in as_of(bundle(resource), NOW)


def test_what_ended_later_was_still_going_on() -> None:
    given = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "effectivePeriod": {"start": BEFORE, "end": AFTER},
    }
    problem = {"resourceType": "Condition", "onsetDateTime": BEFORE, "abatementDateTime": AFTER}
    found = [one["resource"] for one in as_of(bundle(given, problem), NOW)["entry"]]
    assert found == [
        {**given, "status": "in-progress", "effectivePeriod": {"start": BEFORE}},
        {"resourceType": "Condition", "onsetDateTime": BEFORE},
    ]


def test_what_ended_before_and_what_has_no_time_stays_as_it_is() -> None:
    over = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "effectivePeriod": {"start": BEFORE, "end": BEFORE},
    }
    undated = {"resourceType": "Observation", "effectiveDateTime": "2026-11-21"}
    found = [one["resource"] for one in as_of(bundle(over, undated), NOW)["entry"]]
    assert found == [over, undated]
    patient = {"resourceType": "Patient", "id": "p1"}
    assert as_of(patient, NOW) == patient
