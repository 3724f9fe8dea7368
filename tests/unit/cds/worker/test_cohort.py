"""Who is watched, and that each of them is read once an interval."""

import json
from datetime import timedelta

from cds.store.latest import Kept
from cds.worker.watching import watched_from
from tests.builders import NOW, teclistamab, temp
from tests.unit.cds.worker.hospital import of
from tests.unit.cds.worker.ward import Ward


def names(ward: Ward) -> list[str]:
    return [row.patient for row in ward.place.cohort.watched("demo", ward.now)]


def test_a_reading_makes_a_patient_watched_until_the_longest_look_back_is_over(ward: Ward) -> None:
    ward.admit()
    ward.wake()
    ward.work()
    (row,) = ward.place.cohort.watched("demo", ward.now)
    assert (row.patient, row.agent, row.last_dose) == (
        "p1",
        "teclistamab",
        NOW - timedelta(hours=24),
    )
    rules = ward.library.rules
    longest = max(rules.crs_lookback_days, rules.icans_lookback_days)
    assert row.until == row.last_dose + timedelta(days=longest)


def test_every_watched_patient_is_read_once_an_interval(ward: Ward) -> None:
    for name in ("p1", "p2"):
        ward.admit(name)
        ward.wake(name)
    ward.work()
    ward.hospital.reads.clear()
    for _ in range(3):
        ward.later(minutes=5)
        ward.work()
        ward.another()  # a restart in the same interval polls nobody again
        ward.work()
    assert sorted(ward.hospital.reads) == ["p1", "p1", "p1", "p2", "p2", "p2"]


def test_a_lost_notification_is_made_good_by_the_next_poll(ward: Ward) -> None:
    ward.admit()
    ward.wake()
    ward.work()
    ward.hospital.put(of(temp(39.0)))
    ward.later(minutes=5)
    assert ward.work().turns == {"kept": 1}


def test_a_dose_nobody_told_of_is_found_at_the_site(ward: Ward) -> None:
    ward.admit()
    ward.admit("p2", dosed=False)
    assert ward.work().turns == {"kept": 1}
    assert names(ward) == ["p1"]
    assert ward.hospital.queries
    assert all("effective-time=ge2026-10-" in query for query in ward.hospital.queries)
    assert any("2619444" in query or "2619438" in query for query in ward.hospital.queries)


def test_a_server_that_cannot_be_searched_stops_nothing(ward: Ward) -> None:
    ward.admit()
    ward.hospital.found = ward.hospital.resource  # type: ignore
    ward.wake()
    assert ward.work().turns == {"kept": 1}


def test_another_drug_wakes_nobody(ward: Ward) -> None:
    """A server may ignore the code it was asked for and answer with everything."""
    ward.admit(dosed=False)
    other = of(teclistamab(resource_id="x"))
    other["medicationCodeableConcept"] = {"coding": [{"system": "urn:x", "code": "7"}]}
    ward.hospital.put(other)
    assert ward.work().turns == {}


def test_a_patient_whom_a_hook_call_found_is_watched(ward: Ward) -> None:
    ward.admit()
    ward.wake()
    ward.work()
    assert len(ward.decisions()) == 1
    with ward.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM watched")
    ward.hospital.delete("MedicationAdministration/tec-p1")  # not found by a search
    ward.later(minutes=5)
    ward.another()
    ward.work()
    assert names(ward) == ["p1"]


def test_an_open_event_is_watched_beyond_the_look_back(ward: Ward) -> None:
    event = {"onset": "2026-09-02T00:00:00Z"}
    said = {
        "agent": {"ingredient": "teclistamab", "lastDose": "2026-09-01T00:00:00Z"},
        "crs": {"event": event},
        "icans": {},
    }
    rules = ward.library.rules
    kept = Kept("1", "p1", NOW, json.dumps(said))
    row = watched_from("demo", kept, rules, NOW)
    assert row is not None
    assert row.until > NOW
    over = {**said, "crs": {"event": {**event, "resolvedAt": "2026-09-09T00:00:00Z"}}}
    assert watched_from("demo", Kept("1", "p1", NOW, json.dumps(over)), rules, NOW) is None
