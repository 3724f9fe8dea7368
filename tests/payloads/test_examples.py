"""The examples of HL7 R4 and US Core: what each file says is read, and nothing else.

Files dated to the day cannot be ordered; `AT` gives such a file a time, in memory only.
"""

import copy
from typing import Any

import pytest

from knowledge.facts import Facts
from tests.functional.bodies import Json, bundle
from tests.payloads.source import Answer, Service, load, order_sign, utc


pytestmark = pytest.mark.payloads
AT = "2026-05-20T11:00:00Z"
NOW = "2026-05-20T12:00:00Z"
HL7, USCORE = "hl7-r4-examples", "us-core-9-examples"
TEMPERATURE = f"{HL7}/Observation-body-temperature.json"
PRESSURE = f"{HL7}/Observation-blood-pressure.json"
CANCELLED = f"{HL7}/Observation-blood-pressure-cancel.json"
HALF = f"{HL7}/Observation-blood-pressure-dar.json"
MEAN = f"{HL7}/Observation-mbp.json"
SATURATION = f"{HL7}/Observation-satO2.json"
AVERAGE = f"{USCORE}/Observation-average-blood-pressure.json"
SERIES = ("temperatures", "systolic", "mean_pressure", "saturations", "weights")


def ask(service: Service, query: str, *resources: Json, now: str = NOW) -> Answer:
    """The resources as the answer to one query, for the patient the first one is about."""
    reference = (resources[0].get("subject") or {}).get("reference", "Patient/example")
    body = order_sign(reference.partition("/")[2], {query: bundle(*resources)})
    answer = service.ask(body, utc(now))
    assert answer.status == 200, answer.body
    return answer


def retimed(path: str) -> Json:
    made: Json = {**load(path), "effectiveDateTime": AT}
    made.pop("effectivePeriod", None)
    return made


def numbers(facts: Facts) -> dict[str, list[str]]:
    """Every series that has readings, as canonical numbers."""
    found = {name: [str(one.value) for one in getattr(facts, name)] for name in SERIES}
    return {name: series for name, series in found.items() if series}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (TEMPERATURE, {"temperatures": ["36.50"]}),
        (f"{USCORE}/temperature.json", {"temperatures": ["36.56"]}),
        (PRESSURE, {"systolic": ["107"]}),
        (HALF, {"systolic": ["107"]}),
        (f"{USCORE}/blood-pressure.json", {"systolic": ["109"]}),
        (MEAN, {"mean_pressure": ["80"]}),
        (SATURATION, {"saturations": ["95"]}),
        (f"{USCORE}/oxygen-saturation.json", {"saturations": ["99"]}),
        (CANCELLED, {}),
        (AVERAGE, {}),
        (f"{HL7}/Observation-glasgow.json", {}),
        (f"{USCORE}/heart-rate.json", {}),
        (f"{USCORE}/respiratory-rate.json", {}),
        (f"{USCORE}/observation-cbc-platelets.json", {}),
        (f"{USCORE}/observation-serum-creatinine.json", {}),
    ],
    ids=lambda value: value.rpartition("/")[2] if isinstance(value, str) else str(value),
)
def test_an_observation_made_an_hour_ago(
    service: Service, path: str, expected: dict[str, list[str]]
) -> None:
    answer = ask(service, "vitals", retimed(path))
    assert numbers(answer.known) == expected
    assert answer.known.unreadable == ()
    assert answer.known.arousal == ()


@pytest.mark.parametrize(
    "path",
    [
        TEMPERATURE,
        PRESSURE,
        HALF,
        MEAN,
        f"{USCORE}/temperature.json",
        f"{USCORE}/blood-pressure.json",
        f"{USCORE}/oxygen-saturation.json",
    ],
)
def test_a_date_without_a_time_is_named_as_unordered(service: Service, path: str) -> None:
    answer = ask(service, "vitals", load(path))
    assert numbers(answer.known) == {}
    (said,) = answer.reasons("prefetch.vitals.entry[0]")
    assert "a date without a time" in said
    assert len(answer.known.missing) == 1


def test_a_cancelled_pressure_says_nothing_at_all(service: Service) -> None:
    facts = ask(service, "vitals", load(CANCELLED)).known
    assert numbers(facts) == {}
    assert (facts.unreadable, facts.missing) == ((), ())


def test_one_saturation_with_three_codings_is_one_reading(service: Service) -> None:
    facts = ask(service, "vitals", load(SATURATION), now="2014-12-05T09:00:00Z").known
    (one,) = facts.saturations
    assert one.at == utc("2014-12-05T09:30:10+01:00")


def test_an_average_over_days_is_no_reading_even_when_it_has_just_ended(service: Service) -> None:
    facts = ask(service, "vitals", load(AVERAGE), now="2023-08-06T14:00:00Z").known
    assert numbers(facts) == {}


def test_a_coma_score_is_not_an_icans_assessment(service: Service) -> None:
    answer = ask(
        service, "vitals", load(f"{HL7}/Observation-glasgow.json"), now="2014-12-11T05:00:00Z"
    )
    assert (answer.known.ice, answer.known.arousal) == ((), ())
    assert answer.assessment["icans"]["assessed"] is False


MEDICATION_NOW = "2015-01-16T04:00:00Z"


def test_paracetamol_coded_in_snomed_alone_masks_fever(service: Service) -> None:
    given = load(f"{HL7}/MedicationAdministration-medadmin0313.json")
    facts = ask(service, "administrations", given, now=MEDICATION_NOW).known
    assert {(one.kind, one.agent) for one in facts.masking} == {("antipyretic", "acetaminophen")}
    # It masks from the start of its period, and its window counts from the end.
    assert [one.at for one in facts.masking] == [
        utc("2015-01-15T22:03:00+01:00"),
        utc("2015-01-16T02:03:00+01:00"),
    ]
    assert facts.doses == ()


@pytest.mark.parametrize("name", ["medadmin0304", "medadminexample03"])
def test_alemtuzumab_is_no_bispecific_and_masks_nothing(service: Service, name: str) -> None:
    given = load(f"{HL7}/MedicationAdministration-{name}.json")
    answer = ask(service, "administrations", given, now=MEDICATION_NOW)
    assert (answer.known.doses, answer.known.masking, answer.known.infusions) == ((), (), ())
    assert answer.assessment["crs"]["reason"] == "not-exposed"


def renamed(name: str, drug: str) -> Json:
    """The same administration of another drug."""
    given: Json = copy.deepcopy(load(f"{HL7}/MedicationAdministration-{name}.json"))
    given["contained"][0]["code"] = {"text": drug}
    return given


def test_an_infusion_with_start_and_end_runs_between_them(service: Service) -> None:
    given = renamed("medadmin0304", "norepinephrine")
    during = ask(service, "administrations", given, now="2015-01-15T10:00:00Z").known.infusions
    after = ask(service, "administrations", given, now=MEDICATION_NOW).known.infusions
    assert [one.end for one in during] == [None]
    assert [(one.start, one.end) for one in after] == [
        (utc("2015-01-15T04:30:00+01:00"), utc("2015-01-15T14:30:00+01:00"))
    ]


def test_an_infusion_on_hold_is_not_running(service: Service) -> None:
    given = renamed("medadminexample03", "norepinephrine")
    facts = ask(service, "administrations", given, now=MEDICATION_NOW).known
    assert [one.end for one in facts.infusions] == [utc("2015-01-15T14:30:00+01:00")]


@pytest.mark.parametrize(
    "path",
    [
        f"{HL7}/MedicationRequest-medrx0316.json",
        f"{USCORE}/medicationrequest-coded-oral-axid.json",
        f"{USCORE}/medicationrequest-contained-oral-axid.json",
        f"{USCORE}/medicationrequest-referenced-oral-axid.json",
        f"{USCORE}/medicationrequest-self-tylenol.json",
    ],
)
def test_no_active_order_for_a_supportive_drug(service: Service, path: str) -> None:
    facts = ask(service, "orders", load(path)).known
    assert facts.active_orders == ()
    assert facts.masking == ()
    assert "orders" in facts.answered


def test_the_same_tylenol_ordered_and_not_only_reported_is_active(service: Service) -> None:
    order = {**load(f"{USCORE}/medicationrequest-self-tylenol.json"), "intent": "order"}
    (one,) = ask(service, "orders", order).known.active_orders
    assert one.ingredient == "acetaminophen"


def test_a_resolved_fever_diagnosis_is_no_toxicity(service: Service) -> None:
    answer = ask(service, "conditions", load(f"{HL7}/Condition-f201.json"))
    assert answer.known.diagnoses == ()
    assert answer.assessment["crs"].get("event") is None


@pytest.mark.parametrize(
    ("name", "in_hospital"), [("encounter-1036", True), ("encounter-example-1", None)]
)
def test_where_the_patient_is(service: Service, name: str, in_hospital: bool | None) -> None:
    answer = ask(service, "encounter", load(f"{USCORE}/{name}.json"))
    assert answer.known.in_hospital is in_hospital


@pytest.mark.parametrize(
    ("name", "age"),
    [("example", 39), ("child-example", 10), ("infant-example", 5), ("deceased-example", 88)],
)
def test_age_on_20_may_2026(service: Service, name: str, age: int) -> None:
    person: Any = load(f"{USCORE}/patient-{name}.json")
    answer = service.ask(order_sign(person["id"], {"patient": person}), utc(NOW))
    assert answer.known.age_years == age
    other = service.ask(order_sign("other", {"patient": person}), utc(NOW))
    assert (other.status, other.body["issue"][0]["expression"]) == (400, ["prefetch.patient"])


def test_a_search_result_with_a_next_page_is_not_complete(service: Service) -> None:
    page = load(f"{HL7}/Bundle-bundle-example.json")
    facts = service.ask(order_sign("347", {"orders": page}), utc(NOW)).known
    assert "orders" not in facts.answered
    assert "orders" in {one.fact for one in facts.missing}
