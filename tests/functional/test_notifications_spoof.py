"""Whoever does not bring the secret of the site learns nothing and causes nothing."""

import base64

import pytest

from tests.conformance.notifications.bodies import notification, observation
from tests.conformance.notifications.conftest import hospital, hospital_with
from tests.conformance.notifications.hospital import ABSENT, NORTH, SECRETS, SOUTH, Hospital


__all__ = ["hospital", "hospital_with"]  # fixtures
SECRET = SECRETS["north"]
_BASIC = base64.b64encode(SECRET.encode()).decode()
HEADERS = [
    *("", " ", "Bearer", "Bearer ", "Bearer  ", SECRET, f"Bearer{SECRET}", f"Bearer:{SECRET}"),
    *(f"Basic {SECRET}", f"Basic {_BASIC}", f"Token {SECRET}", f"Digest {SECRET}"),
    *(f"Bearer {SECRET}x", f"Bearer x{SECRET}", f"Bearer {SECRET[:-1]}", f"Bearer {SECRET[1:]}"),
    *(f"Bearer {SECRET.upper()}", f"Bearer {SECRET} {SECRET}", f"Bearer {SECRET},Bearer {SECRET}"),
    *(f"Bearer {SECRET},", f'Bearer "{SECRET}"', f"Bearer '{SECRET}'", f"Bearer {SECRET};"),
    *(f"Bearer {SECRET}\x00", f"Bearer\t{SECRET}", f"Bearer {SECRET}\xa0", f"Bearer \xe9{SECRET}"),
    *("Bearer null", "Bearer undefined", "Bearer *", "Bearer .*", "Bearer %", "Bearer []"),
    *(f"Bearer {'a' * 5000}", f"Bearer {'n' * 20}", f"Bearer {_BASIC}", f"Bearer {SECRET[::-1]}"),
    *(f"Bearer Bearer {SECRET}", f"Bearer north:{SECRET}", f"Bearer {SECRET}=="),
]
ELSEWHERE = [
    {"X-Authorization": f"Bearer {SECRET}"},
    {"Proxy-Authorization": f"Bearer {SECRET}"},
    {"Cookie": f"Authorization=Bearer {SECRET}"},
    {"X-Api-Key": SECRET},
    {"X-Signature": SECRET},
]


def refused(
    hospital: Hospital, headers: dict[str, str], site: str = "north", which: str = NORTH
) -> bytes:
    """The answer, which must be the same for all who are not proven."""
    headers = {"Authorization": ""} | headers
    response = hospital.send(observation(), headers=headers, site=site, which=which)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.get_json(force=True)["issue"][0]["code"] == "login"
    assert SECRET not in response.text
    assert hospital.rows() == []
    body: bytes = response.data
    return body


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_a_header_that_is_not_the_secret_as_bearer_token_is_refused(
    hospital: Hospital, header: str
) -> None:
    refused(hospital, {"Authorization": header})
    assert hospital.counted("wrong-secret") == 1


@pytest.mark.parametrize("headers", ELSEWHERE, ids=lambda one: next(iter(one)))
def test_the_secret_in_another_place_is_refused(
    hospital: Hospital, headers: dict[str, str]
) -> None:
    refused(hospital, headers)


def test_there_are_at_least_forty_cases() -> None:
    assert len(HEADERS) + len(ELSEWHERE) >= 40
    assert len(set(HEADERS)) == len(HEADERS)


def test_the_secret_in_the_address_is_refused(hospital: Hospital) -> None:
    for query in (f"?access_token={SECRET}", f"?secret={SECRET}"):
        response = hospital.client.post(f"/test/events/north/{NORTH}{query}", json=observation())
        assert response.status_code == 401
    assert hospital.rows() == []


def test_the_refusal_does_not_tell_what_there_is(hospital: Hospital) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    answers = {
        refused(hospital, wrong, site=site, which=which)
        for site in ("north", "south", "deaf", "nowhere")
        for which in (NORTH, SOUTH, ABSENT, "12")
    }
    assert len(answers) == 1


def test_the_secret_of_one_site_reaches_nothing_of_another(hospital: Hospital) -> None:
    north = {"Authorization": f"Bearer {SECRET}"}
    answers = {
        hospital.send(notification(1), site=site, which=which, headers=north).data
        for site, which in (("south", SOUTH), ("south", ABSENT), ("nowhere", SOUTH))
    }
    assert len(answers) == 1
    assert hospital.rows() == []
    assert hospital.heard(SOUTH).last_event == -1


def test_a_stranger_who_asks_often_is_refused_alike_and_costs_no_row(hospital: Hospital) -> None:
    for _ in range(300):
        refused(hospital, {"Authorization": "Bearer wrong"})
    assert hospital.send(observation()).status_code == 200  # the server itself is not held up


@pytest.mark.parametrize("header", [f"Bearer {SECRET}", f"bearer {SECRET}", f"BEARER  {SECRET}"])
def test_the_secret_itself_is_taken_however_the_scheme_is_written(
    hospital: Hospital, header: str
) -> None:
    assert hospital.send(observation(), headers={"Authorization": header}).status_code == 200
