"""Wrong-patient mutants: one foreign resource in a request, for every reference spelling, position
in the request and type of resource that go together. Deterministic; the same list in every run.
"""

import copy
import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Literal, NamedTuple

from tests.builders import (
    BASE,
    Json,
    acetaminophen,
    administration,
    arousal,
    assessment,
    bp,
    bundle,
    charted_grade,
    concept,
    dexamethasone,
    draft_order,
    hours_ago,
    ice,
    norepinephrine,
    oxygen_device,
    oxygen_flow,
    patient,
    quantity,
    spo2,
    teclistamab,
    temp,
    tocilizumab,
    weight,
)


Expected = Literal["refused", "not used"]
ALIEN = "alien"  # part of the id of every foreign resource: no answer may hold it
MRN = "urn:hospital:mrn"
URN = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
OTHER_BASE = "https://other.example/fhir"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


class Mutant(NamedTuple):
    """One request with one foreign resource, and what must come of it."""

    name: str
    expected: Expected
    prefetch: dict[str, Json]
    drafts: tuple[Json, ...]


def _resource(kind: str, **members: object) -> Json:
    return {"resourceType": kind, "status": "completed", **members}


def _condition() -> Json:
    code = concept(ICD, "D89.834")
    return _resource("Condition", code=code, onsetDateTime=hours_ago(2))


def _procedure() -> Json:
    code = concept("http://snomed.info/sct", "1258985005")
    return _resource("Procedure", code=code, performedDateTime=hours_ago(1))


def _encounter() -> Json:
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "period": {"start": hours_ago(3)},
    }


# Each would change the answer if it were used.
RESOURCES: dict[str, Callable[[], Json]] = {
    "temperature": lambda: temp(36.5, at=hours_ago(0.1)),
    "fever": lambda: temp(40.9, at=hours_ago(0.1)),
    "pressure": lambda: bp(71, 40, at=hours_ago(0.1)),
    "saturation": lambda: spo2(71, flow=15, at=hours_ago(0.1)),
    "oxygen device": lambda: oxygen_device("ventilator", at=hours_ago(0.1)),
    "oxygen flow": lambda: oxygen_flow(40, at=hours_ago(0.1)),
    "ICE": lambda: ice(0, at=hours_ago(0.1)),
    "arousal": lambda: arousal("unarousable", at=hours_ago(0.1)),
    "seizure": lambda: assessment("seizure", "prolonged", at=hours_ago(0.1)),
    "attribution": lambda: assessment("hypotension-support", "none", at=hours_ago(0.1)),
    "charted grade": lambda: charted_grade("crs", 0, at=hours_ago(0.1)),
    "weight": lambda: weight(199, at=hours_ago(0.1)),
    "bispecific given": lambda: teclistamab(at=hours_ago(1)),
    "tocilizumab given": lambda: tocilizumab(at=hours_ago(1)),
    "pressor given": lambda: norepinephrine(at=hours_ago(1)),
    "steroid given": lambda: dexamethasone(at=hours_ago(1)),
    "antipyretic given": lambda: acetaminophen(at=hours_ago(1)),
    "bolus given": lambda: administration(
        {"text": "sodium chloride 0.9 %"},
        at=hours_ago(1),
        until=hours_ago(0.5),
        dose=quantity(500, "mL"),
        route="IV",
    ),
    "signed order": lambda: {**draft_order("tocilizumab"), "status": "active"},
    "diagnosis": _condition,
    "ventilation": _procedure,
    "stay": _encounter,
    "allergy": lambda: {
        "resourceType": "AllergyIntolerance",
        "code": concept("http://www.nlm.nih.gov/research/umls/rxnorm", "612865", "tocilizumab"),
    },
    "a type that is not read": lambda: _resource("DiagnosticReport"),
    "a malformed resource": lambda: {**temp(40.9), "status": 7},
}
DRAFTS: dict[str, Callable[[], Json]] = {
    "bispecific ordered": lambda: draft_order("blinatumomab"),
    "tocilizumab ordered": lambda: draft_order("tocilizumab", dose=quantity(1200, "mg")),
    "regimen ordered": lambda: draft_order("epcoritamab", resource_type="ServiceRequest"),
    "a draft that is not read": lambda: draft_order("diet", resource_type="NutritionOrder"),
}

# Spellings that lead to another patient or base: the request is refused.
REFUSED: dict[str, Json] = {
    "relative": {"reference": "Patient/p2"},
    "longer id": {"reference": "Patient/p11"},
    "other case": {"reference": "Patient/P1"},
    "versioned": {"reference": "Patient/p2/_history/1"},
    "absolute": {"reference": f"{BASE}/Patient/p2"},
    "absolute and versioned": {"reference": f"{BASE}/Patient/p2/_history/7"},
    "another base": {"reference": f"{OTHER_BASE}/Patient/p1"},
    "another base and id": {"reference": f"{OTHER_BASE}/Patient/p2"},
    "another scheme": {"reference": "http://ehr.example/fhir/Patient/p1"},
    "another port": {"reference": "https://ehr.example:8443/fhir/Patient/p1"},
    "another path": {"reference": "https://ehr.example/r4/Patient/p1"},
    "another tenant": {"reference": f"{BASE}/t2/Patient/p1"},
    "a longer host": {"reference": "https://ehr.example.test/fhir/Patient/p1"},
    "with our name": {"reference": "Patient/p2", "display": "Patient/p1"},
    "with our number": {
        "reference": "Patient/p2",
        "identifier": {"system": MRN, "value": "778"},
    },
}
# Spellings that lead nowhere: the resource is not used and is listed.
NOT_USED: dict[str, Json | None] = {
    "nothing": None,
    "empty": {},
    "a name": {"display": "p1"},
    "number of another": {"identifier": {"system": MRN, "value": "779"}},
    "number of another system": {"identifier": {"system": "urn:another", "value": "778"}},
    "number without system": {"identifier": {"value": "778"}},
    "our id, number of another": {
        "reference": "Patient/p1",
        "identifier": {"system": MRN, "value": "779"},
    },
    "our id, another type": {"reference": "Patient/p1", "type": "Group"},
    "unknown urn": {"reference": "urn:uuid:99999999-1cbf-4d64-b04d-cd9187a4c6e0"},
    "oid": {"reference": "urn:oid:1.2.3.4"},
    "contained": {"reference": "#p1"},
    "conditional": {"reference": "Patient?identifier=778"},
    "group": {"reference": "Group/p1"},
    "device": {"reference": "Device/p1"},
    "lower case": {"reference": "patient/p1"},
    "bare id": {"reference": "p1"},
    "too long": {"reference": "Patient/p1/x"},
    "a space": {"reference": "Patient/p1 "},
    "escaped": {"reference": "Patient/%701"},
    "no id": {"reference": "Patient/"},
    "absolute group": {"reference": f"{BASE}/Group/p1"},
}
_KEYS = ("vitals", "administrations", "patient", "mine")
POSITIONS = ("first", "middle", "last", "another query", "unknown key", "alone", "second page")


def baseline() -> tuple[dict[str, Json], tuple[Json, ...]]:
    """A patient with CRS grade 2 two days after a dose, and the next dose drafted."""
    me = {**patient(), "identifier": [{"system": MRN, "value": "778"}]}
    vitals = [
        temp(38.9),
        bp(118, 70),
        spo2(94, resource_id="s1"),
        oxygen_device("nasal cannula"),
        oxygen_flow(2),
    ]
    given = [teclistamab(at=hours_ago(40)), acetaminophen(at=hours_ago(3))]
    prefetch = {
        "patient": me,
        "vitals": bundle(*vitals),
        "assessments": bundle(ice(10), arousal("alert")),
        "administrations": bundle(*given),
        "labs": bundle(weight(70)),
    }
    return prefetch, (draft_order(),)


def mutants() -> tuple[Mutant, ...]:
    """All of them, shuffled once so that any part of the list has every sort."""
    found = [*_in_prefetch(), *_by_url(), *_urn(), *_contained(), *_in_drafts(), *_focus()]
    random.Random(20261121).shuffle(found)  # noqa: S311 - an order, not a secret
    return tuple(found)


def _spellings() -> Iterator[tuple[str, Expected, Json | None]]:
    for name, refused in REFUSED.items():
        yield name, "refused", refused
    for name, unused in NOT_USED.items():
        yield name, "not used", unused


def _alien(made: Json, subject: Json | None) -> Json:
    kind = made["resourceType"]
    member = "patient" if kind in {"AllergyIntolerance", "Flag"} else "subject"
    made = {key: value for key, value in made.items() if key not in {"subject", "patient"}}
    made["id"] = f"{ALIEN}-{kind}"
    return made if subject is None else {**made, member: subject}


def _in_prefetch() -> Iterator[Mutant]:
    for (what, make), where, (how, expected, subject) in product(
        RESOURCES.items(), POSITIONS, _spellings()
    ):
        if expected == "not used" and what in {"a type that is not read", "a malformed resource"}:
            continue  # neither is used, whoever it belongs to
        prefetch, drafts = baseline()
        _place(prefetch, _alien(make(), subject), where)
        yield Mutant(f"{what}, {where}, {how}", expected, prefetch, drafts)


def _place(prefetch: dict[str, Json], made: Json, where: str) -> None:
    entry = {"resource": made}
    vitals = prefetch["vitals"]["entry"]
    if where in {"first", "middle", "last"}:
        vitals.insert({"first": 0, "middle": 2, "last": len(vitals)}[where], entry)
    elif where == "another query":
        prefetch["labs"]["entry"].append(entry)
    elif where == "unknown key":
        prefetch["mine"] = {"resourceType": "Bundle", "entry": [entry]}
    elif where == "alone":
        prefetch["mine"] = made
    else:
        prefetch["vitals, page 2"] = bundle(made)


def _by_url() -> Iterator[Mutant]:
    """Our own reference in a resource that lives on another base."""
    for (what, make), where, base in product(
        RESOURCES.items(), ("first", "last"), (OTHER_BASE, f"{BASE}/t2", "http://ehr.example/fhir")
    ):
        prefetch, drafts = baseline()
        made = _alien(make(), {"reference": "Patient/p1"})
        _place(prefetch, made, where)
        entries = prefetch["vitals"]["entry"]
        entries[0 if where == "first" else -1]["fullUrl"] = f"{base}/{made['resourceType']}/x"
        yield Mutant(f"{what}, {where}, on {base}", "refused", prefetch, drafts)


def _urn() -> Iterator[Mutant]:
    """A urn that leads to another Patient of the same Bundle; the Patient is there, or nested."""
    for (what, make), where in product(RESOURCES.items(), ("first", "middle", "last")):
        prefetch, drafts = baseline()
        _place(prefetch, _alien(make(), {"reference": URN}), where)
        other = {"fullUrl": URN, "resource": patient("p2")}
        prefetch["vitals"]["entry"].append(other)
        yield Mutant(f"{what}, {where}, urn of p2", "refused", prefetch, drafts)
    for (what, make), (how, expected, subject) in product(RESOURCES.items(), _spellings()):
        prefetch, drafts = baseline()
        inner = {**bundle(_alien(make(), subject)), "id": f"{ALIEN}-Bundle"}
        prefetch["vitals"]["entry"].append({"resource": inner})
        yield Mutant(f"{what}, Bundle in a Bundle, {how}", expected, prefetch, drafts)
    for key, patient_id in product(_KEYS, ("p2", "P1", "p11", "p1.")):
        prefetch, drafts = baseline()
        stranger = {**patient(patient_id), "birthDate": "2019-01-01"}
        prefetch[key] = stranger if key == "mine" else bundle(stranger)
        yield Mutant(f"the Patient {patient_id} under {key}", "refused", prefetch, drafts)


def _contained() -> Iterator[Mutant]:
    """Contained in a resource of ours: refused, or nothing of it is used."""
    for (what, make), (how, expected, subject), holder in product(
        RESOURCES.items(), _spellings(), ("vitals", "administrations", "draft")
    ):
        prefetch, drafts = baseline()
        inner = _alien(make(), subject)
        if holder == "draft":
            drafts = ({**drafts[0], "contained": [inner]},)
        else:
            target = copy.deepcopy(prefetch[holder]["entry"][0]["resource"])
            prefetch[holder]["entry"][0]["resource"] = {**target, "contained": [inner]}
        yield Mutant(f"{what}, contained in {holder}, {how}", expected, prefetch, drafts)


def _in_drafts() -> Iterator[Mutant]:
    for (what, make), (how, expected, subject), first in product(
        DRAFTS.items(), _spellings(), (True, False)
    ):
        if expected == "not used" and what == "a draft that is not read":
            continue
        prefetch, drafts = baseline()
        made = _alien(make(), subject)
        both = (made, *drafts) if first else (*drafts, made)
        yield Mutant(f"{what}, first {first}, {how}", expected, prefetch, both)


def _focus() -> Iterator[Mutant]:
    """Our subject and a focus on someone or something else."""
    for (what, make), (how, _, focus), where in product(
        RESOURCES.items(), _spellings(), ("first", "last")
    ):
        made = make()
        if made["resourceType"] != "Observation" or focus is None or made["status"] == 7:
            continue
        prefetch, drafts = baseline()
        about = {**_alien(made, {"reference": "Patient/p1"}), "focus": [focus]}
        _place(prefetch, about, where)
        yield Mutant(f"{what}, {where}, focus {how}", "not used", prefetch, drafts)
