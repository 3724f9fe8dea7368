"""What is charted for the canary's patients, as FHIR R4 resources; plainly synthetic.

Pure: times are hours before `now`. Every resource carries an id that begins with `canary-`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias


Resource: TypeAlias = dict[str, Any]

PREFIX = "canary-"
IDENTIFIERS = "https://btce-cds.org/fhir/synthetic-canary"  # of nobody
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
OWN = "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ROOM_AIR = ("722742002", "Breathing room air")
CANNULA = ("336623009", "Oxygen nasal cannula")
TECLISTAMAB = ("2619444", "teclistamab-cqyv 153 mg/1.7 mL injection")
TOCILIZUMAB = ("612865", "tocilizumab")
NOREPINEPHRINE = ("7512", "norepinephrine")
PHENYLEPHRINE = ("8163", "phenylephrine")


class Chart:
    """The record of one patient, collected before one call."""

    def __init__(self, patient: str, now: datetime) -> None:
        self.patient = patient
        self._now = now
        self.vitals: list[Resource] = []
        self.oxygen: list[Resource] = []
        self.assessments: list[Resource] = []
        self.administrations: list[Resource] = []

    def person(self) -> Resource:
        """The Patient: no name but its id, and an identifier of a system of our own."""
        return {
            "resourceType": "Patient",
            "id": self.patient,
            "identifier": [{"system": IDENTIFIERS, "value": self.patient}],
            "name": [{"text": f"Synthetic {self.patient}"}],
            "gender": "unknown",
            "birthDate": str(self._now.year - 60) + "-01-01",
        }

    def signs(
        self, hours: float, *, celsius: str, pressure: tuple[int, int], saturation: int
    ) -> "Chart":
        """One set of vital signs."""
        self._vital("8310-5", hours, valueQuantity=_quantity(celsius, "Cel"))
        systolic, diastolic = pressure
        parts = [("8480-6", systolic), ("8462-4", diastolic)]
        panel = [
            {"code": _concept(LOINC, code), "valueQuantity": _quantity(value, "mm[Hg]")}
            for code, value in parts
        ]
        self._vital("85354-9", hours, component=panel)
        self._vital("59408-5", hours, valueQuantity=_quantity(saturation, "%"))
        return self

    def breathing(
        self, hours: float, device: tuple[str, str], litres: int | None = None
    ) -> "Chart":
        """The oxygen device, and its flow in L/min."""
        question = _concept(SNOMED, "16206004")
        value = _concept(SNOMED, *device)
        self.oxygen.append(self._observed("therapy", question, hours, valueCodeableConcept=value))
        if litres is not None:
            flow = {"valueQuantity": _quantity(litres, "L/min")}
            self.oxygen.append(self._observed("therapy", _concept(LOINC, "3151-8"), hours, **flow))
        return self

    def weight(self, hours: float, kilograms: int) -> "Chart":
        """A measured weight."""
        self._vital("29463-7", hours, valueQuantity=_quantity(kilograms, "kg"))
        return self

    def neurology(self, hours: float, *, ice: int) -> "Chart":
        """An ICE total of a patient who is awake, without seizure or focal signs."""
        self._assessed("ice-total", hours, valueInteger=ice)
        words = {"arousal": "alert", "seizure": "none", "motor": "none", "raised-icp": "none"}
        for name, word in words.items():
            self._assessed(name, hours, valueCodeableConcept=_concept(OWN, word))
        return self

    def grade(self, hours: float, toxicity: str, grade: int) -> "Chart":
        """A clinician's grade."""
        self._assessed(f"{toxicity}-grade", hours, valueInteger=grade)
        return self

    def given(self, hours: float, drug: tuple[str, str], milligrams: str) -> "Chart":
        """One completed dose."""
        self._administered(
            drug,
            status="completed",
            effectiveDateTime=self._at(hours),
            dosage={"dose": _quantity(milligrams, "mg")},
        )
        return self

    def infusing(self, hours: float, drug: tuple[str, str], rate: str, unit: str) -> "Chart":
        """An infusion that was started then and is running."""
        self._administered(
            drug,
            status="in-progress",
            effectivePeriod={"start": self._at(hours)},
            dosage={
                "route": _concept(SNOMED, "47625008", "Intravenous route"),
                "rateQuantity": _quantity(rate, unit),
            },
        )
        return self

    def draft(self, drug: tuple[str, str], milligrams: str, route: tuple[str, str]) -> Resource:
        """The order that is being signed."""
        dose = {"doseQuantity": _quantity(milligrams, "mg")}
        return {
            "resourceType": "MedicationRequest",
            "id": f"{self.patient}-draft",
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": _concept(RXNORM, *drug),
            "subject": self._subject(),
            "authoredOn": self._at(0),
            "dosageInstruction": [{"route": _concept(SNOMED, *route), "doseAndRate": [dose]}],
        }

    def prefetch(self) -> dict[str, Any]:
        """Every key is answered, so that nothing is asked of a FHIR server."""
        empty = ("labs", "orders", "conditions", "procedures", "encounter")
        charted = {
            "vitals": self.vitals,
            "oxygen": self.oxygen,
            "assessments": self.assessments,
            "administrations": self.administrations,
        }
        found = {name: bundle(resources) for name, resources in charted.items()}
        return {"patient": self.person(), **found, **{name: bundle(()) for name in empty}}

    def _vital(self, code: str, hours: float, **value: Any) -> None:
        self.vitals.append(self._observed("vital-signs", _concept(LOINC, code), hours, **value))

    def _assessed(self, code: str, hours: float, **value: Any) -> None:
        self.assessments.append(self._observed("survey", _concept(OWN, code), hours, **value))

    def _observed(self, category: str, code: Resource, hours: float, **value: Any) -> Resource:
        return {
            "resourceType": "Observation",
            "id": f"{self.patient}-{code['coding'][0]['code']}-{hours:g}".replace(".", "-"),
            "status": "final",
            "category": [{"coding": [{"system": _CATEGORY, "code": category}]}],
            "code": code,
            "subject": self._subject(),
            "performer": [{"reference": f"Practitioner/{PREFIX}clinician"}],
            "effectiveDateTime": self._at(hours),
            **value,
        }

    def _administered(self, drug: tuple[str, str], **members: Any) -> None:
        number = len(self.administrations) + 1
        resource = {
            "resourceType": "MedicationAdministration",
            "id": f"{self.patient}-given-{number}",
            "medicationCodeableConcept": _concept(RXNORM, *drug),
            "subject": self._subject(),
            **members,
        }
        self.administrations.append(resource)

    def _subject(self) -> Resource:
        return {"reference": f"Patient/{self.patient}"}

    def _at(self, hours: float) -> str:
        moment = self._now - timedelta(hours=hours)
        return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def bundle(resources: Sequence[Resource]) -> Resource:
    """A searchset, newest first."""
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    made: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return made | ({"entry": entries} if entries else {})


def _concept(system: str, code: str, display: str = "") -> Resource:
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [coding], **({"text": display} if display else {})}


def _quantity(value: float | str, unit: str) -> Resource:
    number = float(value)
    whole = int(number) if number.is_integer() else number
    return {"value": whole, "unit": unit, "system": UCUM, "code": unit}
