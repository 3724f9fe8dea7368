"""One claim after another: what is kept, what is not, and what is tried again."""

import json

import pytest

from tests.builders import assessment as charted
from tests.builders import hours_ago, temp
from tests.unit.cds.worker.hospital import of
from tests.unit.cds.worker.ward import Ward


def assessment(row: object) -> dict:
    return json.loads(row.assessment)  # type: ignore[attr-defined]


def test_a_notification_makes_a_decision_of_the_whole_record(ward: Ward) -> None:
    ward.admit()
    ward.hospital.put(of(temp(38.6)))
    ward.wake()
    assert ward.work().turns == {"kept": 1}
    (row,) = ward.decisions()
    assert (row.hook, row.service, row.patient) == ("regrade", "btce-worker", "p1")
    assert assessment(row)["crs"]["grade"]["atLeast"] == 1
    assert {one.ref for one in row.inputs} == {
        "Patient/p1",
        "Observation/t1",
        "MedicationAdministration/tec-p1",
    }


def test_a_record_that_says_the_same_keeps_no_second_decision(ward: Ward) -> None:
    ward.admit()
    ward.hospital.put(of(temp(38.6)))
    ward.wake(event="1")
    ward.work()
    ward.later(seconds=30)
    ward.wake(event="2")
    assert ward.work().turns == {"unchanged": 1}
    assert len(ward.decisions()) == 1


def test_another_version_of_a_resource_is_a_new_decision(ward: Ward) -> None:
    ward.admit()
    ward.hospital.put(of(temp(38.6)))
    ward.wake(event="1")
    ward.work()
    ward.later(seconds=30)
    ward.hospital.put(of(temp(38.6)))
    ward.wake(event="2")
    assert ward.work().turns == {"kept": 1}
    assert len(ward.decisions()) == 2


def test_many_notifications_of_one_patient_are_one_reading(ward: Ward) -> None:
    ward.admit()
    for number in range(100):
        ward.wake(event=str(number))
    assert ward.work().turns == {"kept": 1}
    assert ward.hospital.reads == ["p1"]


def test_a_patient_is_not_read_again_before_the_pause_is_over(ward: Ward) -> None:
    ward.admit()
    ward.wake(event="1")
    ward.work()
    ward.later(seconds=9)
    ward.wake(event="2")
    assert ward.work().turns == {}
    ward.later(seconds=1)
    assert ward.work().turns == {"unchanged": 1}


def test_a_resource_of_another_patient_makes_no_decision_and_is_a_security_event(
    ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    ward.admit()
    stranger = of(temp(40.0, resource_id="t2"), "p1")
    ward.hospital.put(stranger)
    ward.hospital.resources["Observation/t2"]["subject"] = {"reference": "Patient/p1"}
    ward.hospital.resources["Patient/p1"]["id"] = "p2"  # the server answers with somebody else
    ward.wake()
    with caplog.at_level("INFO", logger="btce_cds"):
        assert ward.work().turns == {"another-patient": 1}
    assert ward.decisions() == []
    told = [
        r
        for r in caplog.records
        if r.__dict__.get("event_fields", {}).get("code") == "another-patient"
    ]
    assert [one.levelname for one in told] == ["WARNING"]
    ward.later(minutes=1)
    assert ward.work().turns == {}


def test_a_patient_without_a_bispecific_is_not_kept(ward: Ward) -> None:
    ward.admit(dosed=False)
    ward.hospital.put(of(temp(39.0)))
    ward.wake()
    assert ward.work().turns == {"unexposed": 1}
    assert ward.decisions() == []
    assert ward.place.cohort.watched("demo", ward.now) == ()


def test_a_retracted_dose_is_a_decision_of_a_patient_who_had_one(ward: Ward) -> None:
    ward.admit()
    ward.wake(event="1")
    ward.work()
    ward.later(minutes=1)
    wrong = {
        **ward.hospital.resources["MedicationAdministration/tec-p1"],
        "status": "entered-in-error",
    }
    ward.hospital.put(wrong)
    ward.wake(event="2")
    assert ward.work().turns == {"kept": 1}
    assert assessment(ward.decisions()[-1])["crs"]["reason"] == "not-exposed"


def test_a_server_that_does_not_answer_is_asked_again_and_nothing_is_kept_yet(ward: Ward) -> None:
    ward.admit()
    ward.hospital.failing["vitals"] = "timeout"
    ward.wake()
    assert ward.work().turns == {"again": 1}
    assert ward.decisions() == []
    ward.hospital.failing.clear()
    ward.later(seconds=4)
    assert ward.work().turns == {}
    ward.later(seconds=1)
    assert ward.work().turns == {"kept": 1}


def test_after_four_readings_what_is_known_is_kept_and_names_what_was_not_read(ward: Ward) -> None:
    ward.admit()
    ward.hospital.failing["labs"] = "server-error"
    ward.wake()
    results = []
    for _ in range(4):
        results += list(ward.work().turns)
        ward.later(minutes=1)
    assert results == ["again", "again", "again", "kept"]
    notices = assessment(ward.decisions()[0])["notices"]
    assert any("labs" in one["text"] for one in notices if one["code"] == "not-read")


def test_a_query_the_server_rejects_delays_nothing(ward: Ward) -> None:
    ward.admit()
    ward.hospital.failing["encounter"] = "rejected"
    ward.wake()
    assert ward.work().turns == {"kept": 1}


def test_a_wake_up_outlives_a_server_that_is_down_for_long(ward: Ward) -> None:
    """Nobody knows whose patient it is until it was read: it may be a first dose."""
    ward.admit()
    ward.hospital.down = "unreachable"
    ward.wake()
    results = []
    for _ in range(30):
        results += list(ward.work().turns)
        ward.later(minutes=5)
    assert results[3] == "kept-again"
    assert "done" not in results
    assert len(ward.decisions()) <= 1
    ward.hospital.down = None
    assert ward.work().turns == {"kept": 1}
    assert assessment(ward.decisions()[-1])["agent"]["ingredient"] == "teclistamab"


def test_a_fault_in_one_patient_stops_no_other(
    ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("p1", "p2", "p3"):
        ward.admit(name)
    healthy = ward.hospital.everything

    def faulty(site, request, templates, enough):
        if request.patient_id == "p2":
            raise ZeroDivisionError("of Jane Canary")
        return healthy(site, request, templates, enough)

    ward.hospital.everything = faulty  # type: ignore[method-assign]
    for name in ("p1", "p2", "p3"):
        ward.wake(name)
    with caplog.at_level("INFO", logger="btce_cds"):
        assert ward.work().turns == {"kept": 2, "fault": 1}
    faults = [
        r.__dict__["event_fields"]
        for r in caplog.records
        if "error" in r.__dict__.get("event_fields", {})
    ]
    assert faults[0]["error"] == "ZeroDivisionError"
    assert "Canary" not in caplog.text + str([r.__dict__ for r in caplog.records])
    ward.hospital.everything = healthy  # type: ignore[method-assign]
    ward.later(seconds=5)
    assert ward.work().turns == {"kept": 1}


def test_a_site_that_is_not_configured_waits(ward: Ward) -> None:
    ward.admit()
    ward.wake()
    ward.another(events=None)
    assert ward.work().turns == {"unknown-site": 1}
    assert ward.place.inbox.waiting(ward.now).count == 1


def test_worsening_is_seen_in_the_next_decision(ward: Ward) -> None:
    ward.admit()
    ward.hospital.put(of(temp(38.6)))
    ward.wake(event="1")
    ward.work()
    ward.later(minutes=1)
    pressor = charted("hypotension-support", "one-vasopressor", at=hours_ago(0))
    ward.hospital.put(of(pressor, category="survey"))
    ward.wake(event="2")
    ward.work()
    first, second = map(assessment, ward.decisions())
    assert first["crs"]["grade"]["atLeast"] == 1
    assert second["crs"]["grade"]["atLeast"] == 3
