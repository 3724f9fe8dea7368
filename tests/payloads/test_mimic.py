"""The 29 examples of MIMIC-IV-on-FHIR: local code systems, and which of them say anything at all.

What each should change was decided by reading its file. The dates are MIMIC's own, a century on.
"""

import copy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from knowledge.facts import Facts
from tests.functional.bodies import PATIENT, Json, bundle, subject, vital
from tests.payloads import source
from tests.payloads.fsh import LOCAL, read, read_folder
from tests.payloads.source import ALL_TIME, Answer, Service, order_sign, teclistamab_given, utc


pytestmark = pytest.mark.payloads
NOW = utc("2202-01-01T00:00:00Z")  # after every time in the files, less than a century
RECENT = "2201-12-31T23:00:00Z"
GIVEN = teclistamab_given(PATIENT, "2201-12-31T00:00:00Z")
SERIES = ("temperatures", "systolic", "mean_pressure", "saturations", "weights")


class Row(NamedTuple):
    """The type, the query it would answer, the members of the facts it changes, and why."""

    type: str
    query: str
    changes: tuple[str, ...]
    why: str


UNREAD = "no fact is read from resources of this type: only the patient is looked at"
LOCAL_CODE = "a local code, which means no fact"
TABLE = {
    "ExampleLocation": Row("Location", "place", (), UNREAD),
    "ExampleMimicCondition": Row("Condition", "conditions", (), LOCAL_CODE),
    "ExampleMimicConditionED": Row("Condition", "conditions", (), LOCAL_CODE),
    "ExampleMimicEncounter": Row("Encounter", "encounter", (), "it ended; local class"),
    "ExampleMimicEncounterED": Row("Encounter", "encounter", (), "it ended"),
    "ExampleMimicEncounterICU": Row("Encounter", "encounter", (), "it ended"),
    "ExampleMimicMedication": Row("Medication", "orders", (), "only what refers to it is a fact"),
    "ExampleMimicMedicationAdministration": Row(
        "MedicationAdministration",
        "administrations",
        ("answered", "missing", "unreadable"),
        "a formulary code and no name: it may be any medicine, so it is named",
    ),
    "ExampleMimicMedicationAdministrationICU": Row(
        "MedicationAdministration", "administrations", (), "dextrose masks and supports nothing"
    ),
    "ExampleMimicMedicationDispense": Row("MedicationDispense", "dispensed", (), UNREAD),
    "ExampleMimicMedicationDispenseED": Row("MedicationDispense", "dispensed", (), UNREAD),
    "ExampleMimicMedicationRequest": Row("MedicationRequest", "orders", (), "stopped"),
    "ExampleMimicMedicationStatementED": Row("MedicationStatement", "taken", (), UNREAD),
    "ExampleMimicObservationChartevents": Row("Observation", "vitals", (), LOCAL_CODE),
    "ExampleMimicObservationDatetimeevents": Row("Observation", "vitals", (), LOCAL_CODE),
    "ExampleMimicObservationED": Row(
        "Observation", "vitals", (), "LOINC 8661-1, a complaint in words, is no fact"
    ),
    "ExampleMimicObservationLabevents": Row("Observation", "labs", (), LOCAL_CODE),
    "ExampleMimicObservationMicroOrg": Row("Observation", "labs", (), LOCAL_CODE),
    "ExampleMimicObservationMicroSusc": Row("Observation", "labs", (), LOCAL_CODE),
    "ExampleMimicObservationMicroTest": Row("Observation", "labs", (), LOCAL_CODE),
    "ExampleMimicObservationOutputevents": Row("Observation", "vitals", (), LOCAL_CODE),
    "ExampleMimicObservationVitalSigns": Row("Observation", "vitals", ("systolic",), "LOINC panel"),
    "ExampleMimicOrganization": Row("Organization", "place", (), UNREAD),
    "ExampleMimicPatient": Row(
        "Patient", "patient", ("age_years", "missing", "sex"), "born, female; died, which is said"
    ),
    "ExampleMimicPatientED": Row("Patient", "patient", ("sex",), "female; no date of birth"),
    "ExampleMimicProcedure": Row("Procedure", "procedures", (), LOCAL_CODE),
    "ExampleMimicProcedureED": Row("Procedure", "procedures", (), "triage is no fact"),
    "ExampleMimicProcedureICU": Row("Procedure", "procedures", (), LOCAL_CODE),
    "ExampleMimicSpecimen": Row("Specimen", "specimens", (), UNREAD),
}
OF_NOBODY = {"ExampleLocation", "ExampleMimicMedication", "ExampleMimicOrganization"}
ALONE = {"patient", "encounter"}  # queries that one resource answers, without a Bundle
QUERIES = {"vitals", "labs", "administrations", "orders", "conditions", "procedures"}
# Members that R4 requires and that only the profile, or its slice, fixes: not in these files.
FIXED_BY_PROFILE = {
    "ExampleMimicEncounter": {"status"},
    "ExampleMimicEncounterED": {"status"},
    "ExampleMimicEncounterICU": {"status"},
    "ExampleMimicMedicationDispenseED": {"status"},
    "ExampleMimicMedicationStatementED": {"status"},
    "ExampleMimicObservationED": {"status"},
    "ExampleMimicPatientED": {"extension.0.extension.0.url"},
    "ExampleMimicProcedureED": {"status"},
}


def folder() -> Path:
    assert source.FOLDER is not None
    return source.FOLDER / "mimic-profiles-fsh"


@pytest.fixture(scope="module")
def mimic() -> dict[str, Json]:
    if source.FOLDER is None or not folder().is_dir():
        pytest.skip("no folder of MIMIC examples in the one named by BTCE_PAYLOADS")
    return read_folder(folder())


def own(resource: Json) -> Json:
    """The same resource as one of the request's patient."""
    made = copy.deepcopy(resource)
    if made["resourceType"] == "Patient":
        made["id"] = PATIENT
    elif "subject" in made:
        made["subject"] = subject()
    return made


def ask(service: Service, prefetch: Json) -> Answer:
    answer = service.ask(order_sign(PATIENT, prefetch), NOW, rules=ALL_TIME)
    assert answer.status == 200, answer.body
    return answer


def changed(facts: Facts, before: Facts) -> tuple[str, ...]:
    """Every member of the facts, what could not be used included, that is not as it was."""
    names = sorted(facts.__struct_fields__)
    return tuple(name for name in names if getattr(facts, name) != getattr(before, name))


def test_the_table_names_every_instance_once(mimic: dict[str, Json]) -> None:
    assert set(TABLE) == set(mimic)
    assert len(list(folder().iterdir())) == len(TABLE) == 29


@pytest.mark.parametrize("name", TABLE)
def test_an_instance_is_a_resource_of_its_type(mimic: dict[str, Json], name: str) -> None:
    resource = mimic[name]
    assert resource["resourceType"] == TABLE[name].type
    problems = {}
    try:
        get_fhir_model_class(TABLE[name].type).model_validate(resource)
    except ValidationError as error:
        problems = {".".join(map(str, one["loc"])): one["type"] for one in error.errors()}
    fixed = FIXED_BY_PROFILE.get(name, set())
    assert problems == dict.fromkeys(fixed, "model_field_validation.missing")


def test_values_are_those_of_the_files(mimic: dict[str, Json]) -> None:
    pressure = mimic["ExampleMimicObservationVitalSigns"]["component"]
    assert [part["valueQuantity"]["value"] for part in pressure] == [106, 72]
    assert {part["valueQuantity"]["code"] for part in pressure} == {"mm[Hg]"}
    given = mimic["ExampleMimicMedicationAdministrationICU"]
    assert given["dosage"]["method"]["coding"][0]["code"] == "Drug Push"
    assert given["dosage"]["dose"]["value"] == 100
    assert len(mimic["ExampleMimicPatient"]["extension"]) == 3
    assert mimic["ExampleMimicOrganization"]["active"] is True
    codings = mimic["ExampleMimicMedicationStatementED"]["medicationCodeableConcept"]["coding"]
    assert [coding["code"] for coding in codings] == ["063395", "11845014031", "00006143"]
    (stay,) = mimic["ExampleMimicEncounter"]["location"]  # the others are commented out
    assert stay["location"] == {"reference": "Location/ExampleLocation"}


@pytest.mark.parametrize(
    "line",
    [
        "status = #final",
        "* status #final",
        "* status = final",
        "* stature = #final",
        "* insert Rules",
        '* valueString = "a \\"b\\""',
        "* note[3].text = #x",
        "* status = #final\n* status = #amended",
        "* category = #a\n* category = #b",
    ],
)
def test_a_line_that_is_not_understood_raises(line: str) -> None:
    with pytest.raises(ValueError, match=r"not understood|set twice"):
        read("One", f"Instance: One\n{line}", {"One": "Observation"})


@pytest.mark.parametrize("name", TABLE)
def test_an_entry_of_a_bundle_changes_what_the_table_says(
    service: Service, mimic: dict[str, Json], name: str
) -> None:
    row = TABLE[name]
    before = ask(service, {row.query: bundle()}).known
    facts = ask(service, {row.query: bundle(own(mimic[name]))}).known
    assert changed(facts, before) == row.changes, row.why


@pytest.mark.parametrize("name", TABLE)
def test_a_resource_without_a_bundle_is_used_or_said_not_to_be_an_answer(
    service: Service, mimic: dict[str, Json], name: str
) -> None:
    row, resource = TABLE[name], own(mimic[name])
    before = ask(service, {}).known
    alone = tuple(name for name in row.changes if name != "answered")  # nothing was asked
    assert changed(ask(service, {"other": resource}).known, before) == alone
    answer = ask(service, {row.query: resource})
    if row.query in QUERIES:
        assert "unreadable" in changed(answer.known, before)
        said = answer.reasons(f"prefetch.{row.query}")
        assert "not the type of resource that was asked for" in said
    else:
        single = ("answered",) if row.query in ALONE else ()
        assert changed(answer.known, before) == tuple(sorted((*row.changes, *single)))


@pytest.mark.parametrize("name", sorted(set(TABLE) - OF_NOBODY))
def test_what_belongs_to_someone_else_is_refused_by_place(
    service: Service, mimic: dict[str, Json], name: str
) -> None:
    """Also where the type is not read, and the resource would have said nothing."""
    query = TABLE[name].query
    answer = service.ask(order_sign(PATIENT, {query: bundle(mimic[name])}), NOW)
    assert answer.status == 400
    assert answer.body["issue"][0]["expression"] == [f"prefetch.{query}.entry[0]"]


@pytest.mark.parametrize(
    ("patient", "number", "systolic", "age", "unnamed"),
    [("ExampleMimicPatient", 18, [], 73, 1), ("ExampleMimicPatientED", 8, ["106"], None, 0)],
)
def test_the_whole_record_of_one_patient(
    service: Service,
    mimic: dict[str, Json],
    patient: str,
    number: int,
    systolic: list[str],
    age: int | None,
    unnamed: int,
) -> None:
    mine = [
        one
        for one in mimic.values()
        if one["id"] == patient or one.get("subject") == {"reference": f"Patient/{patient}"}
    ]
    assert len(mine) == number
    shared = [mimic[name] for name in sorted(OF_NOBODY)]
    body = order_sign(patient, {"vitals": bundle(*mine, *shared)})
    facts = service.ask(body, NOW, rules=ALL_TIME).known
    assert [one.evidence.value for one in facts.systolic] == systolic
    assert (facts.age_years, facts.sex) == (age, "female")
    assert ["unnamed medicine" in one.reason for one in facts.unreadable] == [True] * unnamed


def test_the_pressure_is_the_systolic_component_at_its_time(
    service: Service, mimic: dict[str, Json]
) -> None:
    panel = own(mimic["ExampleMimicObservationVitalSigns"])
    (one,) = ask(service, {"vitals": bundle(panel)}).known.systolic
    assert (one.evidence.ref, one.evidence.code) == (f"Observation/{panel['id']}", "8480-6")
    assert (str(one.value), one.at) == ("106", utc("2116-06-10T00:32:00Z"))
    assert one.preliminary is False


@pytest.mark.parametrize(
    ("name", "now", "in_hospital"),
    [
        ("ExampleMimicEncounterED", "2147-12-30T12:00:00Z", True),
        ("ExampleMimicEncounterICU", "2177-07-15T12:00:00Z", True),
        ("ExampleMimicEncounter", "2148-01-01T00:00:00Z", None),
    ],
    ids=["EMER", "ACUTE", "a local class"],
)
def test_where_the_patient_was_during_a_stay(
    service: Service, mimic: dict[str, Json], name: str, now: str, in_hospital: bool | None
) -> None:
    stay = {**own(mimic[name]), "status": "in-progress"}
    answer = service.ask(order_sign(PATIENT, {"encounter": bundle(stay)}), utc(now))
    assert answer.known.in_hospital is in_hospital


# --- chart events: a number under a local code ---------------------------------------------------


def charted(mimic: dict[str, Json], display: str, value: float, unit: str) -> Json:
    """The chart event with a number in UCUM for its words; its code system stays MIMIC's."""
    made = own(mimic["ExampleMimicObservationChartevents"])
    del made["valueString"]
    made["effectiveDateTime"] = RECENT
    made["code"]["coding"][0]["display"] = display
    quantity = vital("x", value, unit)["valueQuantity"]
    return {**made, "valueQuantity": quantity}


NUMBERS = [
    ("Temperature Celsius", 39.4, "Cel", "8310-5", "temperatures"),
    ("Temperature Fahrenheit", 103.1, "[degF]", "8310-5", "temperatures"),
    ("Non Invasive Blood Pressure systolic", 70, "mm[Hg]", "8480-6", "systolic"),
    ("Arterial Blood Pressure mean", 50, "mm[Hg]", "8478-0", "mean_pressure"),
    ("O2 saturation pulseoxymetry", 81, "%", "59408-5", "saturations"),
    ("Daily Weight", 80, "kg", "29463-7", "weights"),
]


@pytest.mark.parametrize(("display", "value", "unit", "loinc", "series"), NUMBERS)
def test_a_number_under_a_local_code_is_a_reading_only_with_a_standard_code_beside_it(
    service: Service,
    mimic: dict[str, Json],
    display: str,
    value: float,
    unit: str,
    loinc: str,
    series: str,
) -> None:
    event = charted(mimic, display, value, unit)
    (coding,) = event["code"]["coding"]
    assert coding["system"].startswith(LOCAL)
    coding["code"] = loinc  # the same characters in another system mean something else
    facts = ask(service, {"vitals": bundle(event)}).known
    assert [name for name in SERIES if getattr(facts, name)] == []
    event["code"]["coding"].append({"system": "http://loinc.org", "code": loinc})
    facts = ask(service, {"vitals": bundle(event)}).known
    assert [name for name in SERIES if getattr(facts, name)] == [series]


def test_local_vital_signs_alone_leave_fever_and_pressure_unknown(
    service: Service, mimic: dict[str, Json]
) -> None:
    """A recent dose, answered queries, and no code that is known: not assessed, and no grade 0."""
    events = [charted(mimic, *row[:3]) | {"id": f"chart-{row[3]}"} for row in NUMBERS]
    answer = ask(service, {"vitals": bundle(*events), "administrations": bundle(GIVEN)})
    assert answer.assessment["crs"]["assessed"] is False
    assert "grade" not in answer.assessment["crs"]
    assert answer.assessment["disposition"]["action"] == "cannot-evaluate"


def test_a_panel_whose_components_have_local_codes_is_no_pressure(
    service: Service, mimic: dict[str, Json]
) -> None:
    panel = own(mimic["ExampleMimicObservationVitalSigns"])
    for part in panel["component"]:
        part["code"]["coding"][0]["system"] = f"{LOCAL}MimicDItems_CS"
    facts = ask(service, {"vitals": bundle(panel)}).known
    assert [name for name in SERIES if getattr(facts, name)] == []


# --- administrations in intensive care -----------------------------------------------------------


def infused(mimic: dict[str, Json], **coding: str) -> Json:
    """The ICU administration as an infusion of another drug, from 20:00 to 23:30."""
    made = own(mimic["ExampleMimicMedicationAdministrationICU"])
    del made["effectiveDateTime"]
    system = made["medicationCodeableConcept"]["coding"][0]["system"]
    made["medicationCodeableConcept"] = {"coding": [{"system": system, **coding}]}
    rate = {"value": 0.1, "unit": "mcg/kg/min", "system": f"{LOCAL}MimicUnits"}
    made["dosage"] = {"rateQuantity": rate}
    period = {"start": "2201-12-31T20:00:00Z", "end": "2201-12-31T23:30:00Z"}
    return {**made, "effectivePeriod": period}


def test_no_file_has_a_vasopressor_or_a_period_of_administration() -> None:
    """Why the infusions below are made from the one ICU administration there is."""
    text = " ".join(path.read_text(encoding="utf-8") for path in folder().iterdir()).lower()
    assert "effectivedatetime" in text
    for word in ("effectiveperiod", "epinephrine", "phenylephrine", "vasopressin", "dopamine"):
        assert word not in text


@pytest.mark.parametrize(
    ("display", "agent", "kind"),
    [
        ("Norepinephrine", "norepinephrine", "vasopressor"),
        ("Epinephrine", "epinephrine", "vasopressor"),
        ("Phenylephrine", "phenylephrine", "vasopressor"),
        ("Dopamine", "dopamine", "vasopressor"),
        ("Vasopressin", "vasopressin", "vasopressin"),
        ("Dobutamine", "dobutamine", "inotrope"),
    ],
)
def test_a_vasopressor_under_a_local_code_is_known_by_its_name(
    service: Service, mimic: dict[str, Json], display: str, agent: str, kind: str
) -> None:
    given = infused(mimic, code="220000", display=display)
    (one,) = ask(service, {"administrations": bundle(given)}).known.infusions
    assert (one.agent, one.kind) == (agent, kind)
    assert (one.start, one.end) == (utc("2201-12-31T20:00:00Z"), utc("2201-12-31T23:30:00Z"))
    assert one.evidence.ref == f"MedicationAdministration/{given['id']}"


def test_dextrose_over_a_period_is_neither_a_vasopressor_nor_a_bolus(
    service: Service, mimic: dict[str, Json]
) -> None:
    facts = ask(service, {"administrations": bundle(infused(mimic, display="Dextrose 5%"))}).known
    assert (facts.infusions, facts.boluses, facts.masking, facts.doses) == ((), (), (), ())


UNNAMED: list[Any] = [
    pytest.param({"code": "221906"}, id="number"),
    pytest.param({"code": "Norepinephrine"}, id="the code is the name"),
]


@pytest.mark.parametrize("coding", UNNAMED)
def test_an_infusion_under_a_local_code_without_a_name_is_used_or_named(
    service: Service, mimic: dict[str, Json], coding: dict[str, str]
) -> None:
    """`$MimicMedicationName#trifluoperazine` is how the files write a code that is a name."""
    before = ask(service, {"administrations": bundle()}).known
    facts = ask(service, {"administrations": bundle(infused(mimic, **coding))}).known
    assert changed(facts, before) != ()
