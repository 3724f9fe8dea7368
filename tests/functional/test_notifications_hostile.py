"""Bodies that parsers disagree about, wrong types at every place, and references to elsewhere."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.errors import ServiceError
from cds.notifications.model import Notification
from cds.notifications.parse import MAX_CHANGES, Sent, parse
from tests.conformance.json_cases import (
    BYTES_N,
    DOCUMENTS_N,
    IMPLEMENTATION,
    NUMBER,
    NUMBERS,
    STRINGS_N,
    STRINGS_Y,
    STRUCTURES_N,
    STRUCTURES_Y,
    WORDS,
)
from tests.conformance.notifications.conftest import hospital, hospital_with
from tests.conformance.notifications.hospital import Hospital, subscription
from tests.conformance.notifications.test_shapes import FILES, read
from tests.functional.bodies import FHIR_BASE


__all__ = ["hospital", "hospital_with"]  # fixtures
PLACES = ("x", "valueQuantity", "meta.x")
MARK = "value under test"
ROW = subscription()
WHOLE = [("", "")]


def resource(fragment: bytes, where: str) -> bytes:
    """A whole Observation with this text as the value of a member nobody reads."""
    body: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "o1",
        "meta": {"versionId": "1"},
        "subject": {"reference": "Patient/p1"},
    }
    place = body["meta"] if where.startswith("meta.") else body
    place[where.rpartition(".")[2]] = MARK
    return json.dumps(body).encode().replace(f'"{MARK}"'.encode(), fragment)


def bad() -> Iterator[bytes]:
    for text in (*WORDS, *STRINGS_N, *STRUCTURES_N):
        yield from (resource(text.encode("utf-8", "surrogatepass"), where) for where in PLACES)
    for number in NUMBERS:
        if not NUMBER.fullmatch(number):
            yield resource(number.encode(), "x")
    yield from (resource(one, "x") for one in BYTES_N)
    # An empty body is a notification, and so is {}.
    yield from (one for one in DOCUMENTS_N if one.strip() and one != b"{}")


def outcome(sent: Sent) -> Notification | int:
    """What was understood, or the status with which it is refused."""
    try:
        return parse(sent, ROW, FHIR_BASE)
    except ServiceError as error:
        return error.status


def test_what_is_not_json_is_refused_wherever_it_stands() -> None:
    taken = []
    count = 0
    for body in bad():
        count += 1
        if outcome(Sent(body=body)) not in {400, 413}:
            taken.append(body[:80])
    assert count > 1000
    assert taken == []


def test_what_is_json_is_read_wherever_it_stands() -> None:
    good = [*STRINGS_Y, *STRUCTURES_Y, *(one for one in NUMBERS if NUMBER.fullmatch(one))]
    for text in good:
        for where in PLACES:
            found = outcome(Sent(body=resource(text.encode(), where)))
            assert isinstance(found, Notification)
            (change,) = found.changes
            assert (change.patients, change.ref) == (("p1",), "Observation/o1")


def test_what_json_leaves_open_is_read_or_refused_but_never_a_fault() -> None:
    for text in IMPLEMENTATION:
        body = resource(text.encode("utf-8", "surrogatepass"), "x")
        found = outcome(Sent(body=body))
        assert isinstance(found, Notification) or found == 400


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{}{}", b"[" * 100_000, b'{"a":' * 5000, b"null"])
def test_over_http_it_is_400_and_everybody_is_read(hospital: Hospital, body: bytes) -> None:
    response = hospital.send(body)
    assert response.status_code == 400
    assert hospital.asked() == WHOLE


# --- wrong types at every place of every shape ----------------------------------------------------

WRONG: tuple[Any, ...] = (
    None,
    0,
    -1,
    True,
    "",
    "x",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    1e308,
    "\u202e",
)


def places(value: Any) -> Iterator[tuple[str | int, ...]]:
    """The way to every member of a body."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in members:
        yield (name,)
        if isinstance(one, dict | list):
            yield from ((name, *rest) for rest in places(one))


def with_wrong(body: Any, way: tuple[Any, ...], wrong: Any) -> Any:
    made = copy.deepcopy(body)
    at = made
    for name in way[:-1]:
        at = at[name]
    at[way[-1]] = wrong
    return made


CASES = [read(file)["request"] for file in FILES]
MUTANTS = [
    (request, way) for request in CASES if request["body"] for way in places(request["body"])
]


def test_a_wrong_type_anywhere_still_wakes_somebody_or_is_refused() -> None:
    count = 0
    for request, way in MUTANTS:
        for wrong in WRONG:
            count += 1
            body = json.dumps(with_wrong(request["body"], way, wrong)).encode()
            sent = Sent(method=request["method"], below=request["below"], body=body)
            made = outcome(sent)
            if isinstance(made, int):
                assert made == 400  # and everybody is read
                continue
            if made.kind in {"event", "change"}:
                assert made.changes, (way, wrong)
            for change in made.changes:
                assert all(change.patients)
    assert count > 5000


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_json_at_any_place_is_read_or_refused(data: st.DataObject) -> None:
    request, way = data.draw(st.sampled_from(MUTANTS))
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    wrong = data.draw(
        st.recursive(leaves, lambda one: st.lists(one) | st.dictionaries(st.text(), one))
    )
    body = json.dumps(with_wrong(request["body"], way, wrong)).encode("utf-8", "surrogatepass")
    made = outcome(Sent(body=body))
    assert made == 400 if isinstance(made, int) else len(made.changes) <= MAX_CHANGES


@given(body=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    found = outcome(Sent(body=body))
    assert isinstance(found, Notification) or found in {400, 413}


@given(below=st.text(max_size=80), deleted=st.text(max_size=80))
def test_any_address_names_a_resource_or_nothing(below: str, deleted: str) -> None:
    made = parse(Sent(method="DELETE", below=below, deleted=deleted), ROW, FHIR_BASE)
    for change in made.changes:
        assert ".." not in change.ref.split("/")


@pytest.mark.parametrize("patient", ["..", ".", "a/b", "a?b", "a\nb", "a" * 65, "\ud800", "", "é"])
def test_what_cannot_be_an_id_never_becomes_a_patient(hospital: Hospital, patient: str) -> None:
    body = {"resourceType": "Observation", "subject": {"reference": f"Patient/{patient}"}}
    assert hospital.send(json.dumps(body).encode()).status_code == 200
    assert hospital.asked() == WHOLE


def test_numbers_that_no_database_holds_are_no_numbers(hospital: Hospital) -> None:
    for number in ("9" * 19, "9" * 4000, "-1", "1e3", "0x1", "\u0661", "1.0"):
        status = {
            "resourceType": "SubscriptionStatus",
            "type": "event-notification",
            "eventsSinceSubscriptionStart": number,
            "notificationEvent": [{"eventNumber": number, "focus": {"reference": "Patient/p1"}}],
        }
        body = {"resourceType": "Bundle", "entry": [{"resource": status}]}
        assert hospital.send(body).status_code == 200
    assert hospital.heard().last_event == -1
    assert hospital.asked() == [("p1", "Patient/p1")] * 7
