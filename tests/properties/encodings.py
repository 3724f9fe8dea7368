"""One course in the words of three systems: the shapes their public examples have, with our values.

Epic-like: a flowsheet row, an alias and LOINC on each value, medicines by reference. Oracle-like:
the proprietary code first and LOINC later, medicines contained, the oxygen device in a local code
nobody mapped. MIMIC-like: local codes alone, which the site's overlay maps.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from fhir_mapping.codes import CodeSets, Concept
from tests.builders import LOINC, RXNORM, UCUM, Json, bundle, patient
from tests.properties.courses import Course, Given, Sample
from tests.properties.service import CODES


class Encoding(NamedTuple):
    """How one system writes a course; `whole`: everything charted can be read."""

    write: Callable[[Course], dict[str, Json]]
    codes: CodeSets
    whole: bool


SUBJECT = {"reference": "Patient/p1"}
FLOWSHEET = "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"
ALIAS = "urn:oid:1.2.246.537.6.96"
MILLENNIUM = "https://fhir.cerner.com/ec2458f2-1e24-41c8-b71b-0e701af7583d/codeSet/72"
CHART_EVENTS = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-chartevents-d-items"
MIMIC_UNITS = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-units"
MIMIC_DRUGS = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-icu"
RXCUI = {
    "teclistamab": "2619444",
    "norepinephrine": "7512",
    "epinephrine": "3992",
    "acetaminophen": "161",
    "dexamethasone": "3264",
    "tocilizumab": "612865",
}
SALINE = "sodium chloride 0.9 % bolus"
LOCAL_DRUGS = {  # the first two are MIMIC's own; a site with bispecifics has items of its own
    "norepinephrine": "221906",
    "epinephrine": "221289",
    "teclistamab": "990001",
    "acetaminophen": "990002",
    "dexamethasone": "990003",
    "tocilizumab": "990004",
    "saline": "990005",
}
FLOWSHEET_FACTS = {
    "301030": "oxygen-device",
    "301040": "oxygen-flow",
    "990010": "ice-total",
    "990011": "arousal",
}
LOCAL_FACTS = {
    "223761": "temperature",
    "220179": "systolic",
    "220277": "saturation",
    "226732": "oxygen-device",
    "223834": "oxygen-flow",
    "990010": "ice-total",
    "990011": "arousal",
}


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _observation(made_id: str, at: datetime, codes: list[Json], value: Json) -> Json:
    return {
        "resourceType": "Observation",
        "id": made_id,
        "status": "final",
        "code": {"coding": codes},
        "subject": SUBJECT,
        "effectiveDateTime": _time(at),
        **value,
    }


def _coding(system: str, code: str) -> Json:
    return {"system": system, "code": code}


def _number(value: float, unit: str, code: str = "", system: str = UCUM) -> Json:
    made: Json = {"value": value, "unit": unit}
    return {"valueQuantity": {**made, "system": system, "code": code} if code else made}


def _given(course: Course) -> Iterator[tuple[int, Given]]:
    doses = [Given("teclistamab", at) for at in course.doses]
    yield from enumerate([*doses, *course.given])


def _when(one: Given, end: datetime | None = None) -> Json:
    if one.until is None and not one.running:
        return {"effectiveDateTime": _time(one.at)}
    until = one.until or end
    period = {"start": _time(one.at)}
    return {"effectivePeriod": {**period, "end": _time(until)} if until else period}


def _administration(index: int, one: Given, medicine: Json, dosage: Json, when: Json) -> Json:
    return {
        "resourceType": "MedicationAdministration",
        "id": f"ma{index}",
        "status": "in-progress" if one.running else "completed",
        "subject": SUBJECT,
        "dosage": dosage,
        **medicine,
        **when,
    }


def _request(**queries: list[Json]) -> dict[str, Json]:
    return {"patient": patient(), **{key: bundle(*found) for key, found in queries.items()}}


# --- Epic-like -----------------------------------------------------------------------------------


def _epic_code(row: str, *loinc: str) -> list[Json]:
    alias = [_coding(ALIAS, code) for code in loinc[:1]]
    return [_coding(FLOWSHEET, row), *alias, *(_coding(LOINC, code) for code in loinc)]


def _epic_vitals(index: int, one: Sample) -> Iterator[Json]:
    celsius = round((one.tenths_f / 10 - 32) / 1.8, 6)  # as it arrives: converted, many decimals
    code = _epic_code("6", "8310-5", "8716-3")
    yield _observation(f"t{index}", one.at, code, _number(celsius, "Cel", "Cel"))
    if one.systolic is not None:
        parts = [
            {"code": {"coding": [_coding(LOINC, loinc)]}, **_number(value, "mmHg", "mm[Hg]")}
            for loinc, value in (("8480-6", one.systolic), ("8462-4", one.systolic - 35))
        ]
        yield _observation(
            f"b{index}", one.at, _epic_code("5", "85354-9", "8716-3"), {"component": parts}
        )
    if one.saturation is not None:
        code = _epic_code("10", "59408-5", "2708-6", "8716-3")
        yield _observation(f"s{index}", one.at, code, _number(one.saturation, "%", "%"))


def _epic_rows(index: int, one: Sample) -> Iterator[Json]:
    """The site maps these flowsheet rows; their values are words as the nurse chose them."""
    if one.device is not None:
        words = {"coding": [], "text": one.device.title()}
        value: Json = {"valueCodeableConcept": words}
        yield _observation(f"d{index}", one.at, [_coding(FLOWSHEET, "301030")], value)
    if one.flow is not None:
        value = _number(one.flow, "L/min", "L/min")
        yield _observation(f"f{index}", one.at, [_coding(FLOWSHEET, "301040")], value)


def _epic_scores(index: int, one: Sample) -> Iterator[Json]:
    if one.fresh_neuro:
        ice = _coding(FLOWSHEET, "990010")
        yield _observation(f"i{index}", one.at, [ice], {"valueQuantity": {"value": one.state.ice}})
        word = {"valueString": one.state.arousal}
        yield _observation(f"a{index}", one.at, [_coding(FLOWSHEET, "990011")], word)


def _epic(course: Course) -> dict[str, Json]:
    rounds = list(enumerate(course.samples))[::-1]
    medicines, administrations = [], []
    for index, one in _given(course):
        name = SALINE if one.name == "saline" else one.name
        code: Json = {"text": name}
        if one.name in RXCUI:
            code["coding"] = [
                _coding("urn:oid:1.2.840.114350.1.13.0.1.7.2.698288", f"8{index}"),
                _coding(RXNORM, RXCUI[one.name]),
            ]
        medicines.append({"resourceType": "Medication", "id": f"m{index}", "code": code})
        reference = {"reference": f"Medication/m{index}", "display": name}
        administrations.append(
            _administration(
                index, one, {"medicationReference": reference}, _dosage(one), _when(one)
            )
        )
    note = {"severity": "information", "code": "processing"}
    outcome = {"resourceType": "OperationOutcome", "issue": [note]}
    return _request(
        vitals=[outcome, *(one for index, item in rounds for one in _epic_vitals(index, item))],
        oxygen=[one for index, item in rounds for one in _epic_rows(index, item)],
        assessments=[one for index, item in rounds for one in _epic_scores(index, item)],
        administrations=[*administrations, *medicines],
        procedures=[],
    )


def _dosage(one: Given) -> Json:
    if one.name == "saline":
        return {"dose": {"value": 500, "unit": "mL", "code": "mL"}, "route": {"text": "IV"}}
    if one.name == "acetaminophen":
        return {"route": {"text": "Oral"}}
    if one.running or one.until is not None:
        rate = {"value": 0.1, "unit": "mcg/kg/min", "system": UCUM, "code": "ug/kg/min"}
        return {"rateQuantity": rate, "route": {"text": "Intravenous"}}
    return {"route": {"text": "Subcutaneous" if one.name == "teclistamab" else "Intravenous"}}


# --- Oracle-like ---------------------------------------------------------------------------------


def _oracle_code(local: str, *loinc: str) -> list[Json]:
    chosen = {**_coding(MILLENNIUM, local), "userSelected": True}
    return [chosen, *(_coding(LOINC, code) for code in loinc)]


def _oracle_vitals(index: int, one: Sample) -> Iterator[Json]:
    celsius = round((one.tenths_f / 10 - 32) / 1.8, 2)
    code = _oracle_code("703558", "8331-1", "8310-5")
    yield _observation(f"t{index}", one.at, code, _number(celsius, "degC", "Cel"))
    if one.systolic is not None:
        parts = [
            {"code": {"coding": _oracle_code(local, loinc)}, **_number(value, "mmHg", "mm[Hg]")}
            for local, loinc, value in (
                ("703501", "8480-6", one.systolic),
                ("703516", "8462-4", one.systolic - 35),
            )
        ]
        yield _observation(
            f"b{index}", one.at, _oracle_code("704000", "85354-9"), {"component": parts}
        )
    if one.saturation is not None:
        value = _number(one.saturation, "%")  # the unit without its code
        yield _observation(f"s{index}", one.at, _oracle_code("3623994", "59408-5"), value)
    if one.device is not None:
        value = {"valueString": one.device}
        yield _observation(f"d{index}", one.at, _oracle_code("2700657"), value)


def _oracle(course: Course) -> dict[str, Json]:
    administrations = []
    for index, one in _given(course):
        code: Json = {"text": SALINE if one.name == "saline" else one.name}
        if one.name in RXCUI:
            code = {"coding": [_coding(RXNORM, RXCUI[one.name])]}
        diluent = {"itemCodeableConcept": {"text": "Dextrose 5% in Water intravenous solution"}}
        parts = [{"itemCodeableConcept": code}, *([diluent] if one.running or one.until else [])]
        if one.name == "saline":
            parts = parts[:1]
        made = _administration(
            index, one, {"medicationReference": {"reference": "#m"}}, _dosage(one), _when(one)
        )
        contained = {"resourceType": "Medication", "id": "m", "ingredient": parts}
        administrations.append({**made, "contained": [contained]})
    rounds = list(enumerate(course.samples))[::-1]
    return _request(
        vitals=[one for index, item in rounds for one in _oracle_vitals(index, item)],
        oxygen=[],
        assessments=[],
        administrations=administrations,
        procedures=[],
    )


# --- MIMIC-like ----------------------------------------------------------------------------------


def _mimic_vitals(index: int, one: Sample) -> Iterator[Json]:
    values: list[tuple[str, Json | None]] = [
        ("223761", _mimic_number(one.tenths_f / 10, "°F")),
        ("220179", _mimic_number(one.systolic, "mmHg")),
        ("220277", _mimic_number(one.saturation, "%")),
        ("226732", None if one.device is None else {"valueString": f"{one.device.title()} "}),
        ("223834", _mimic_number(one.flow, "L/min")),
        ("990010", _mimic_number(one.state.ice, "") if one.fresh_neuro else None),
        ("990011", {"valueString": one.state.arousal} if one.fresh_neuro else None),
    ]
    for item, value in values:
        if value is not None:
            code = [_coding(CHART_EVENTS, item)]
            yield _observation(f"{item}-{index}", one.at, code, value)


def _mimic_number(value: float | None, unit: str) -> Json | None:
    if value is None:
        return None
    made = _number(value, unit, unit, MIMIC_UNITS)
    return made if unit else {"valueQuantity": {"value": value}}


def _mimic(course: Course) -> dict[str, Json]:
    soon = course.now + timedelta(hours=1)  # the export knows the end of what is running now
    administrations = []
    for index, one in _given(course):
        code = {"coding": [_coding(MIMIC_DRUGS, LOCAL_DRUGS[one.name])]}
        made = _administration(
            index, one, {"medicationCodeableConcept": code}, _dosage(one), _when(one, soon)
        )
        administrations.append({**made, "status": "completed"})
    rounds = list(enumerate(course.samples))
    return _request(
        vitals=[one for index, item in rounds for one in _mimic_vitals(index, item)],
        oxygen=[],
        assessments=[],
        administrations=administrations,
        procedures=[],
    )


def _overlay(codes: CodeSets) -> CodeSets:
    """What two sites mapped: local rows to facts, local medicines to ingredients."""
    observations = dict(codes.observations)
    for item, fact in LOCAL_FACTS.items():
        observations[(CHART_EVENTS, item)] = Concept(fact, item)
    for row, fact in FLOWSHEET_FACTS.items():
        observations[(FLOWSHEET, row)] = Concept(fact, row)
    drugs = dict(codes.drugs)
    for name, item in LOCAL_DRUGS.items():
        known = codes.drug_names.get("sodium chloride" if name == "saline" else name)
        if known is None:
            raise LookupError(name)
        drugs[(MIMIC_DRUGS, item)] = known
    return msgspec.structs.replace(codes, observations=observations, drugs=drugs)


MAPPED = _overlay(CODES)
ENCODINGS = {
    "Epic-like": Encoding(_epic, MAPPED, whole=True),
    "Epic-like, nothing mapped": Encoding(_epic, CODES, whole=False),
    "Oracle-like": Encoding(_oracle, CODES, whole=False),
    "MIMIC-like": Encoding(_mimic, MAPPED, whole=True),
    "MIMIC-like, nothing mapped": Encoding(_mimic, CODES, whole=False),
}
