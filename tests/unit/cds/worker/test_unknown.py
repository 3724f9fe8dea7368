"""Wake-ups that do not say whose they are."""

import pytest
from msgspec import Raw

from cds.config import Site
from tests.builders import temp
from tests.unit.cds.worker.hospital import of
from tests.unit.cds.worker.ward import Ward


@pytest.fixture
def watched(ward: Ward) -> Ward:
    """p1 and p2 are watched, p3 has no bispecific."""
    for name in ("p1", "p2"):
        ward.admit(name)
        ward.wake(name, event=f"first/{name}")
    ward.admit("p3", dosed=False)
    ward.work()
    ward.later(minutes=1)
    ward.hospital.reads.clear()
    return ward


def test_an_observation_wakes_the_watched_patient_it_is_about(watched: Ward) -> None:
    watched.hospital.put(of(temp(38.7), "p2"))
    watched.wake("", ref="Observation/t1")
    assert watched.work().turns == {"resolved": 1, "kept": 1}
    assert watched.hospital.reads == ["p2"]


def test_an_observation_of_a_patient_nobody_watches_is_not_read_further(watched: Ward) -> None:
    watched.hospital.put(of(temp(38.7), "p3"))
    watched.wake("", ref="Observation/t1")
    assert watched.work().turns == {"resolved": 1}
    assert watched.hospital.reads == []


@pytest.mark.parametrize("kind", ["MedicationAdministration", "Procedure", "Condition"])
def test_other_resources_wake_anybody_because_a_first_dose_makes_a_patient_watched(
    watched: Ward, kind: str
) -> None:
    subject = {"reference": "http://127.0.0.1:9/fhir/Patient/p3"}
    watched.hospital.put(
        {"resourceType": kind, "id": "x1", "subject": subject, "code": {"coding": []}}
    )
    watched.wake("", ref=f"{kind}/x1")
    watched.work()
    assert watched.hospital.reads == ["p3"]


@pytest.mark.parametrize(
    "ref",
    ["", "Observation/gone", "not a reference", "Observation/elsewhere", "Observation/nobody"],
)
def test_what_names_no_patient_may_be_anybodys(watched: Ward, ref: str) -> None:
    elsewhere = {"subject": {"reference": "https://other.example/fhir/Patient/p3"}}
    watched.hospital.put({**temp(38.0, resource_id="elsewhere"), **elsewhere})
    watched.hospital.put({**temp(38.0, resource_id="nobody"), "subject": {"display": "x"}})
    watched.wake("", ref=ref)
    watched.work()
    assert sorted(watched.hospital.reads) == ["p1", "p2"]


def test_one_without_a_reference_among_others_still_wakes_everybody(watched: Ward) -> None:
    watched.hospital.put(of(temp(38.7), "p2"))
    watched.wake("", event="2", ref="Observation/t1")
    watched.wake("", event="3")
    watched.work()
    assert sorted(watched.hospital.reads) == ["p1", "p2"]


def test_while_the_server_does_not_say_whose_it_is_the_wake_up_waits(watched: Ward) -> None:
    watched.hospital.put(of(temp(38.7), "p2"))
    watched.hospital.down = "timeout"
    watched.wake("", ref="Observation/t1")
    assert watched.work().turns == {"again": 1}
    watched.hospital.down = None
    watched.later(seconds=5)
    assert watched.work().turns == {"resolved": 1, "kept": 1}


def test_a_server_that_forbids_the_resource_delays_nothing(watched: Ward) -> None:
    watched.hospital.down = "not-authorised"
    watched.wake("", ref="Observation/t1")
    results = watched.work().turns
    assert results.pop("resolved") == 1


def test_a_flood_of_references_is_not_read_one_by_one(watched: Ward) -> None:
    for number in range(60):
        watched.wake("", event=f"flood/{number}", ref=f"Observation/{number}")
    asked: list[str] = []
    real = watched.hospital.resource
    watched.hospital.resource = lambda site, ref: asked.append(ref) or real(site, ref)  # type: ignore
    watched.work()
    assert asked == []
    assert sorted(watched.hospital.reads) == ["p1", "p2"]


def test_a_wake_up_that_names_nothing_may_be_about_a_first_dose(watched: Ward) -> None:
    watched.admit("p4")
    watched.wake("")
    watched.work()
    assert sorted(watched.hospital.reads) == ["p1", "p2", "p4"]


def test_however_many_name_nothing_the_site_is_searched_once_in_a_pause(watched: Ward) -> None:
    searched: list[str] = []
    found = watched.hospital.found

    def noted(site: Site, query: str) -> tuple[Raw, ...]:
        searched.append(query)
        return found(site, query)

    watched.hospital.found = noted  # type: ignore[method-assign]
    watched.wake("", event="1")
    watched.work()
    once = len(searched)
    watched.later(seconds=1)
    watched.wake("", event="2")
    watched.work()
    assert len(searched) == once > 0
    watched.later(seconds=watched.site.events.pause_seconds if watched.site.events else 0)
    watched.work()
    assert len(searched) == 2 * once
