"""A flood of notifications: a bounded number of rows, 429 for the rest, and nobody forgotten."""

from collections.abc import Callable

from cds.notifications.flood import Limits, take
from tests.conformance.notifications.bodies import observation
from tests.conformance.notifications.conftest import hospital, hospital_with
from tests.conformance.notifications.hospital import NORTH, SECRETS, SOUTH, Hospital
from tests.functional.test_notifications_durable import locked


__all__ = ["hospital", "hospital_with"]  # fixtures
A_SECOND = 10_000 / 60


def test_of_ten_thousand_in_a_minute_a_bounded_number_is_read() -> None:
    bucket, told, let_in = None, 0, 0
    for number in range(10_000):
        bucket, verdict = take(bucket, number / A_SECOND, Limits())
        told += verdict.tell
        let_in += verdict.wait == 0
    assert let_in <= Limits().burst + 60 * Limits().per_second
    assert told <= let_in + 60


def test_at_ten_thousand_a_minute_most_are_429_and_the_rows_are_bounded(hospital: Hospital) -> None:
    flood, seconds = 2000, 2000 / A_SECOND
    refused = 0
    for _ in range(flood):
        response = hospital.send()
        if response.status_code == 429:
            refused += 1
            assert int(response.headers["Retry-After"]) >= 1
            assert response.mimetype == "application/fhir+json"
            assert response.get_json(force=True)["issue"][0]["code"] == "throttled"
        else:
            assert response.status_code == 200
        hospital.seconds.now += 1 / A_SECOND
    let_in = flood - refused
    assert refused > flood / 2
    assert Limits().burst < let_in <= Limits().burst + seconds * Limits().per_second + 1
    # Each one let in, one a second for the others, and one for each time the flood paused.
    assert let_in < len(hospital.rows()) <= 2 * let_in + seconds
    assert hospital.counted("flood") == refused


def test_what_is_refused_is_followed_by_a_reading_of_everybody(
    hospital_with: Callable[..., Hospital],
) -> None:
    hospital = hospital_with(limits=Limits(per_second=1.0, burst=1), patient="p7")
    statuses = []
    for at in (0.0, 0.1, 0.5, 1.2):
        hospital.seconds.now = 1000 + at
        statuses.append(hospital.send(observation(version=str(at))).status_code)
    assert statuses == [200, 429, 429, 200]
    events = [row.event.partition("/")[0] for row in hospital.rows()]
    # The first refusal is told at once; the second, a moment later, with the next one let in.
    assert events == ["Observation", "Observation", "flood", "flood", "Observation", "Observation"]
    flood = [row for row in hospital.rows() if row.event.startswith("flood")]
    assert {(row.patient, row.ref) for row in flood} == {("p7", "")}


def test_a_flood_of_one_subscription_holds_up_no_other(
    hospital_with: Callable[..., Hospital],
) -> None:
    hospital = hospital_with(limits=Limits(per_second=1.0, burst=5))
    for _ in range(100):
        hospital.send()
    assert hospital.send().status_code == 429
    south = {"Authorization": f"Bearer {SECRETS['south']}"}
    assert hospital.send(site="south", which=SOUTH, headers=south).status_code == 200


def test_an_unknown_subscription_is_limited_too_and_wakes_nobody(
    hospital_with: Callable[..., Hospital],
) -> None:
    hospital = hospital_with(limits=Limits(per_second=1.0, burst=3))
    statuses = [hospital.send(which=SOUTH).status_code for _ in range(6)]
    assert set(statuses) <= {404, 429}
    assert statuses[:3] == [404] * 3
    assert hospital.rows() == []


def test_a_store_that_is_down_during_a_flood_loses_none_of_it(
    hospital_with: Callable[..., Hospital],
) -> None:
    hospital = hospital_with(limits=Limits(per_second=1.0, burst=1))
    hospital.send(which=NORTH)
    with locked(hospital):
        assert hospital.send().status_code == 503
    assert len(hospital.rows()) == 1
    assert hospital.send().status_code == 429
    assert [row.event.partition("/")[0] for row in hospital.rows()] == ["new", "flood"]
