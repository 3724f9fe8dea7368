"""Numbers and texts that no client should send: refused, or read as R4 has it.

FHIR R4 http, "Status Codes": what the client got wrong is never a fault of the server.
"""

from collections.abc import Iterator

import pytest
import requests

from tests.demo.fhir_sandbox import NOW, Client, observation, patient, served


LONG = "9" * 5000  # more digits than Python reads as a number


@pytest.fixture(scope="module")
def fhir() -> Iterator[Client]:
    with served() as found:
        found.store.load([patient("p1"), observation("o1")], now=NOW)
        yield found


def post(fhir: Client, body: bytes) -> requests.Response:
    headers = {"Content-Type": "application/fhir+json"}
    return requests.post(f"{fhir.base}/Observation", data=body, headers=headers, timeout=20)


@pytest.mark.parametrize("count", [LONG, "0" * 5000 + "1"])
def test_a_count_of_any_length_is_a_number(fhir: Client, count: str) -> None:
    assert fhir.ids(f"Observation?patient=p1&_count={count}") == ["Observation/o1"]
    assert fhir.get(f"Patient/p1/$everything?_count={count}").status_code == 200


@pytest.mark.parametrize(
    "value", ["1e999999999", "1e-999999999", "9.9e999999", f"gt1e{LONG}", "sNaN", "Infinity", "x"]
)
def test_a_quantity_that_nobody_measures_is_refused(fhir: Client, value: str) -> None:
    answer = fhir.get(f"Observation?patient=p1&value-quantity={value}")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "value"


@pytest.mark.parametrize("value", ["38.5", "1e2", "lt1e30", "-0.000001", LONG[:900]])
def test_a_quantity_that_can_be_compared_is(fhir: Client, value: str) -> None:
    assert fhir.get(f"Observation?patient=p1&value-quantity={value}").status_code == 200


def test_half_of_a_character_is_refused_and_a_whole_one_kept(fhir: Client) -> None:
    form = '{"resourceType":"Observation","status":"final","code":{"text":"%s"}}'
    half = post(fhir, (form % r"\ud83d").encode())
    assert half.status_code == 400
    assert half.json()["resourceType"] == "OperationOutcome"
    whole = post(fhir, (form % r"\ud83d\ude00").encode())
    assert whole.status_code == 201
    assert whole.json()["code"]["text"] == "\N{GRINNING FACE}"


def test_a_stored_number_that_nobody_can_read_disturbs_no_search() -> None:
    with served() as fhir:
        body = (
            '{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":'
            '{"reference":"Patient/p1"},"valueQuantity":{"value":1e99999999999999999999}}'
        )
        assert post(fhir, body.encode()).status_code == 201
        fhir.store.load([observation("o1")], now=NOW)
        assert len(fhir.ids("Observation?patient=p1&_sort=value-quantity")) == 2
        assert fhir.get("Observation?patient=p1&value-quantity=gt1").status_code == 200
