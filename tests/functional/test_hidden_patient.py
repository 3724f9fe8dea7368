"""A member that comes twice may show one reader our patient and another reader somebody else."""

import json
from typing import Any

import pytest

from tests.conftest import CheckedClient
from tests.functional.bodies import FHIR_BASE, draft, given, order_sign


SUBJECT = '"subject": {"reference": "Patient/p1"}'


def _body(twice: str) -> bytes:
    """The request with the subject of one resource written in another way."""
    text = json.dumps(order_sign(given()))
    assert text.count(SUBJECT) > 1
    head, _, tail = text.rpartition(SUBJECT)
    return f"{head}{twice}{tail}".encode()


OTHER = '{"reference": "Patient/p2"}'
OURS = '{"reference": "Patient/p1"}'


@pytest.mark.parametrize(
    "twice",
    [
        pytest.param(f'"subject": {OTHER}, "subject": {OURS}', id="ours last"),
        pytest.param(
            '"subject": {"reference": "Patient/p2", "reference": "Patient/p1"}', id="reference"
        ),
        pytest.param(
            r'"subject": {"reference": "Patient\/p2"}, "subject": ' + OURS, id="escaped slash"
        ),
        pytest.param(
            r'"subject": {"reference": "\u0050atient/p2"}, "subject": ' + OURS, id="escaped letter"
        ),
        pytest.param(rf'"\u0073ubject": {OTHER}, "subject": {OURS}', id="escaped member"),
        pytest.param(
            f'"subject": {{"reference": "https://other.example/Patient/p1"}}, "subject": {OURS}',
            id="the same id elsewhere",
        ),
        pytest.param(
            '"subject": {"reference": "urn:uuid:11111111-1111-1111-1111-111111111111"},'
            f' "subject": {OURS}',
            id="a URN",
        ),
        pytest.param(f'"subject": {{"reference": "Patient/p11"}}, "subject": {OURS}', id="prefix"),
    ],
)
def test_a_second_patient_behind_a_repeated_member_is_refused(
    client: CheckedClient, twice: str
) -> None:
    response = client.call(_body(twice))
    assert response.status_code == 400
    assert response.get_json(force=True)["issue"][0]["details"]["coding"][0]["code"] in {
        "bad-hook-request",
        "another-patient",
    }


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(SUBJECT, id="as ever"),
        pytest.param(f'"subject": {{"reference": "{FHIR_BASE}/Patient/p1"}}', id="absolute"),
        pytest.param(r'"subject": {"reference": "Patient\/p1"}', id="an escaped slash"),
        pytest.param('"subject": {"reference": "Patient/p1/_history/3"}', id="a version"),
    ],
)
def test_other_spellings_of_our_patient_are_accepted(client: CheckedClient, same: str) -> None:
    assert client.call(_body(same)).status_code == 200


def test_another_patient_named_once_is_refused_as_such(client: CheckedClient) -> None:
    response = client.call(_body(f'"subject": {OTHER}'))
    body: Any = response.get_json(force=True)
    assert body["issue"][0]["details"]["coding"][0]["code"] == "another-patient"


def test_a_draft_is_screened_too(client: CheckedClient) -> None:
    text = json.dumps(order_sign(given(), drafts=(draft(),)))
    head, _, tail = text.partition(SUBJECT)
    for twice in (f'"subject": {OTHER}, {SUBJECT}', f'{SUBJECT}, "subject": {OTHER}'):
        assert client.call(f"{head}{twice}{tail}".encode()).status_code == 400


def test_an_error_does_not_repeat_the_callers_name_of_a_prefetch_key(client: CheckedClient) -> None:
    body: Any = order_sign(given())
    body["prefetch"]["Jane Doe"] = json.loads(json.dumps(body["prefetch"]).replace("p1", "p2"))[
        "vitals"
    ]
    response = client.call(body)
    assert response.status_code == 400
    assert "Jane" not in response.text
    assert "prefetch.entry[0]" in response.text
