"""What is written to a FHIR server about an event: at most once, in place, not by a silent site."""

import pytest

from cds.store import StoreDown
from tests.builders import assessment as charted
from tests.builders import charted_grade, hours_ago, temp
from tests.unit.cds.worker.hospital import of
from tests.unit.cds.worker.ward import Ward


@pytest.fixture
def tell() -> str:
    return "flag"


def fever(ward: Ward) -> None:
    ward.admit()
    ward.hospital.put(of(temp(38.6)))


def worse(ward: Ward) -> None:
    pressor = charted("hypotension-support", "one-vasopressor", at=hours_ago(0))
    ward.hospital.put(of(pressor, category="survey"))


def better(ward: Ward) -> None:
    made = charted_grade("crs", 0, at=ward.now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    ward.hospital.put(of(made, category="survey"))


def read(ward: Ward, event: str) -> None:
    ward.later(minutes=1)
    ward.wake(event=event)
    ward.work()


def test_an_open_event_gets_one_flag_that_says_what_it_is_and_is_no_alarm(ward: Ward) -> None:
    fever(ward)
    read(ward, "1")
    (flag,) = ward.hospital.of_type("Flag")
    assert flag["status"] == "active"
    assert flag["subject"] == {"reference": "Patient/p1"}
    assert flag["period"] == {"start": hours_ago(1)}
    text = flag["code"]["text"]
    for part in ("CRS grade", "Missing:", "not clinically reviewed", "teclistamab", "Source:"):
        assert part.lower() in text.lower(), text
    assert "not an alarm" in text


def test_the_same_state_is_told_once_however_often_it_is_read(ward: Ward) -> None:
    fever(ward)
    for number in range(5):
        read(ward, str(number))
    assert ward.hospital.writes == [("create", "Flag")]


def test_a_change_is_written_into_the_same_flag_and_its_end_too(ward: Ward) -> None:
    fever(ward)
    read(ward, "1")
    worse(ward)
    read(ward, "2")
    (flag,) = ward.hospital.of_type("Flag")
    assert "at least 3" in flag["code"]["text"] or "grade 3" in flag["code"]["text"]
    ward.later(hours=1)
    better(ward)
    ward.hospital.put(
        of(
            charted("hypotension-support", "none", at=ward.now.strftime("%Y-%m-%dT%H:%M:%SZ")),
            category="survey",
        )
    )
    read(ward, "3")
    (flag,) = ward.hospital.of_type("Flag")
    assert flag["status"] == "inactive"
    assert flag["period"]["end"] > flag["period"]["start"]
    assert [kind for kind, _ in ward.hospital.writes] == ["create", "update", "update"]


def test_an_event_that_leaves_the_record_ends_its_flag(ward: Ward) -> None:
    fever(ward)
    read(ward, "1")
    ward.hospital.delete("Observation/t1")
    read(ward, "2")
    (flag,) = ward.hospital.of_type("Flag")
    assert flag["status"] == "inactive"


def test_a_record_that_was_not_read_whole_ends_no_flag(ward: Ward) -> None:
    fever(ward)
    read(ward, "1")
    ward.hospital.failing["vitals"] = "rejected"
    read(ward, "2")
    (flag,) = ward.hospital.of_type("Flag")
    assert flag["status"] == "active"


def test_an_onset_that_is_corrected_stays_the_same_flag(ward: Ward) -> None:
    fever(ward)
    read(ward, "1")
    ward.hospital.put(of(temp(38.4, at=hours_ago(6), resource_id="t0")))
    worse(ward)
    read(ward, "2")
    assert len(ward.hospital.of_type("Flag")) == 1


def test_after_a_crash_between_writing_and_remembering_there_is_still_one_flag(ward: Ward) -> None:
    fever(ward)
    keep = ward.place.told.keep

    def crash(row: object) -> None:
        raise StoreDown("unreachable")

    ward.place.told.keep = crash  # type: ignore[method-assign]
    with pytest.raises(StoreDown):
        read(ward, "1")
    ward.place.told.keep = keep  # type: ignore[method-assign]
    worse(ward)
    ward.another()
    read(ward, "2")
    (flag,) = ward.hospital.of_type("Flag")
    assert "3" in flag["code"]["text"].partition(".")[0]
    assert ("create", "Flag") in ward.hospital.writes
    assert len([one for one in ward.hospital.writes if one[0] == "create"]) == 1


def test_what_could_not_be_written_is_written_after_the_next_reading(ward: Ward) -> None:
    fever(ward)
    ward.hospital.refusing = "timeout"
    read(ward, "1")
    assert ward.hospital.of_type("Flag") == []
    ward.hospital.refusing = None
    read(ward, "2")
    assert len(ward.hospital.of_type("Flag")) == 1


def test_what_a_server_refuses_is_tried_again_with_the_next_change_only(ward: Ward) -> None:
    fever(ward)
    ward.hospital.refusing = "not-authorised"
    read(ward, "1")
    ward.hospital.refusing = None
    read(ward, "2")
    assert ward.hospital.of_type("Flag") == []
    worse(ward)
    read(ward, "3")
    assert len(ward.hospital.of_type("Flag")) == 1


def test_a_silent_site_is_told_nothing(ward: Ward) -> None:
    ward.another(mode="silent")
    fever(ward)
    read(ward, "1")
    assert ward.hospital.writes == []
    assert len(ward.decisions()) == 1


def test_knowledge_that_was_not_approved_is_told_to_nobody(ward: Ward) -> None:
    ward.another(approved_knowledge="0" * 64)
    fever(ward)
    read(ward, "1")
    assert ward.hospital.writes == []


def test_advice_that_is_switched_off_is_not_in_the_text(ward: Ward) -> None:
    fever(ward)
    ward.another(mode="silent")
    read(ward, "1")
    rules = {rule for rule in ward.decisions()[-1].rules if "#" in rule}
    ward.another(mode="live", off_rules=frozenset(rules))
    read(ward, "2")
    (flag,) = ward.hospital.of_type("Flag")
    assert "switched off" in flag["code"]["text"]
    assert "Source:" not in flag["code"]["text"]


@pytest.mark.parametrize("tell", ["communication"])
class TestCommunication:
    def test_one_each_time_it_gets_worse_and_none_when_it_gets_better(self, ward: Ward) -> None:
        fever(ward)
        read(ward, "1")
        assert len(ward.hospital.of_type("Communication")) == 1
        worse(ward)
        read(ward, "2")
        assert len(ward.hospital.of_type("Communication")) == 2
        ward.hospital.delete("Observation/hypotension-support-1")
        read(ward, "3")
        assert len(ward.hospital.of_type("Communication")) == 2
        worse(ward)
        read(ward, "4")
        assert len(ward.hospital.of_type("Communication")) == 3

    def test_it_is_a_notification_and_not_an_alert(self, ward: Ward) -> None:
        fever(ward)
        read(ward, "1")
        (made,) = ward.hospital.of_type("Communication")
        assert made["category"][0]["coding"][0]["code"] == "notification"
        assert "not clinically reviewed" in made["payload"][0]["contentString"]

    def test_a_crash_repeats_none(self, ward: Ward) -> None:
        fever(ward)
        keep = ward.place.told.keep

        def crash(row: object) -> None:
            raise StoreDown("unreachable")

        ward.place.told.keep = crash  # type: ignore[method-assign]
        with pytest.raises(StoreDown):
            read(ward, "1")
        ward.place.told.keep = keep  # type: ignore[method-assign]
        ward.another()
        read(ward, "2")
        assert len(ward.hospital.of_type("Communication")) == 1


@pytest.mark.parametrize("tell", ["nothing"])
def test_by_default_nothing_is_written(ward: Ward) -> None:
    fever(ward)
    read(ward, "1")
    assert ward.hospital.writes == []
