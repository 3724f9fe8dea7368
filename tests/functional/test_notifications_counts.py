"""Order, repeats, gaps and restarts of a subscription's events, over HTTP and in the real inbox."""

import threading
from collections.abc import Callable

from tests.conformance.notifications.bodies import heartbeat, notification
from tests.conformance.notifications.conftest import hospital, hospital_with
from tests.conformance.notifications.hospital import Hospital


__all__ = ["hospital", "hospital_with"]  # fixtures
EVERYBODY = ("", "")


def reasons(hospital: Hospital) -> list[str]:
    """What each wake-up is for, without what tells it from others of its kind."""
    return ["/".join(row.event.split("/")[:2]) for row in hospital.rows()]


def test_events_in_order_make_one_wake_up_each_and_no_gap(hospital: Hospital) -> None:
    for number in (1, 2, 3):
        hospital.send(notification(number))
    assert reasons(hospital) == ["event/1", "event/2", "event/3"]
    assert (hospital.heard().last_event, hospital.heard().missing) == (3, "")


def test_an_event_told_again_makes_no_second_wake_up(hospital: Hospital) -> None:
    for number in (1, 2, 2, 1, 3, 1):
        assert hospital.send(notification(number)).status_code == 200
    assert reasons(hospital) == ["event/1", "event/2", "event/3"]
    assert hospital.counted("restart") == 0


def test_a_gap_wakes_everybody_of_the_subscription_and_closes_with_the_late_event(
    hospital: Hospital,
) -> None:
    for number in (1, 4):
        hospital.send(notification(number))
    assert reasons(hospital) == ["event/1", "event/4", "gap/2-3"]
    assert hospital.asked()[-1] == EVERYBODY
    heard = hospital.heard()
    assert (heard.gap_from, heard.gap_at, heard.missing) == (2, hospital.now, "2-3")
    for number in (3, 2):
        hospital.send(notification(number))
    assert reasons(hospital)[3:] == ["event/3", "event/2"]
    assert (hospital.heard().gap_from, hospital.heard().missing) == (None, "")
    assert hospital.counted("gap") == 1


def test_a_gap_of_a_patients_subscription_wakes_that_patient(
    hospital_with: Callable[..., Hospital],
) -> None:
    hospital = hospital_with(patient="p7")
    hospital.send(notification(3))
    assert ("p7", "") in hospital.asked()
    assert EVERYBODY not in hospital.asked()


def test_a_server_that_counts_anew_loses_no_event(hospital: Hospital) -> None:
    for number in (1, 2, 3):
        hospital.send(notification(number))
    later = "2026-11-21T12:0{}:00Z"
    for number in (1, 2, 3, 4):
        hospital.send(notification(number, stamp=later.format(number)))
    assert reasons(hospital)[3:] == [
        "event/1",
        f"restart/{hospital.rows()[4].event.partition('/')[2]}",
        "event/2",
        "event/3",
        "event/4",
    ]
    assert hospital.counted("restart") == 1
    assert (hospital.heard().last_event, hospital.heard().missing) == (4, "")


def test_a_heartbeat_wakes_nobody_unless_it_counts_more_or_less_than_came(
    hospital: Hospital,
) -> None:
    hospital.send(notification(1))
    hospital.send(heartbeat(1))
    assert reasons(hospital) == ["event/1"]
    hospital.send(heartbeat(3))
    assert reasons(hospital)[1:] == ["gap/2-3"]
    hospital.send(heartbeat(0, "2026-11-21T11:10:00Z"))
    assert reasons(hospital)[2].startswith("restart/")
    hospital.send(heartbeat(0, "2026-11-21T11:20:00Z"))
    assert len(hospital.rows()) == 3
    assert hospital.counted("heartbeat") == 4


def test_every_sign_of_life_is_remembered(hospital: Hospital) -> None:
    before = hospital.heard().heard_at
    hospital.send(heartbeat(0))
    assert hospital.heard().heard_at == hospital.now > before


def test_a_handshake_wakes_nobody_and_is_answered_with_200_itself(hospital: Hospital) -> None:
    response = hospital.send(notification(None, kind="handshake", status="requested", total=0))
    assert response.status_code == 200
    assert hospital.rows() == []
    assert hospital.heard().status == "requested"


def test_a_subscription_in_error_has_everybody_read_once_and_is_remembered(
    hospital: Hospital,
) -> None:
    for number in (1, 2):
        hospital.send(notification(number, status="error"))
    assert hospital.asked().count(EVERYBODY) == 1
    assert hospital.heard().status == "error"
    assert hospital.counted("failing") == 2
    hospital.send(notification(3))
    assert hospital.heard().status == "active"


def test_numbers_of_another_subscription_count_for_nothing_but_are_read(hospital: Hospital) -> None:
    hospital.send(notification(7, of="Subscription/s2"))
    assert hospital.asked() == [("", "Observation/o1")]
    assert hospital.heard().last_event == -1
    assert hospital.counted("of-another") == 1


def test_before_the_server_has_named_it_a_subscription_is_any(
    hospital_with: Callable[..., Hospital],
) -> None:
    hospital = hospital_with(remote="")
    hospital.send(notification(1, of="Subscription/s2"))
    assert hospital.heard().last_event == 1


def test_a_focus_on_another_server_is_never_read_but_everybody_is(hospital: Hospital) -> None:
    hospital.send(notification(1, focus="https://evil.example/fhir/Observation/o1"))
    assert hospital.asked() == [EVERYBODY]
    assert hospital.counted("foreign") == 1


def test_an_unnumbered_event_is_read_every_time(hospital: Hospital) -> None:
    body = notification(None)
    for _ in range(3):
        hospital.send(body)
    assert hospital.asked() == [EVERYBODY] * 3
    assert hospital.heard().last_event == -1


def test_events_that_come_at_the_same_time_are_all_counted(hospital: Hospital) -> None:
    numbers = list(range(1, 61))

    def send(some: list[int]) -> None:
        client = hospital.app.test_client()
        for number in some:
            assert hospital.send(notification(number), client=client).status_code == 200

    threads = [threading.Thread(target=send, args=(numbers[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = hospital.heard()
    assert (heard.last_event, heard.missing) == (60, "")
    came = {one for one in reasons(hospital) if one.startswith("event/")}
    assert came == {f"event/{number}" for number in numbers}
    assert hospital.counted("restart") == 0
