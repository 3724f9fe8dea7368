"""Requests shaped as clients send them: Epic's, and the hooks library's order-sign example."""

from typing import Any

from tests.conftest import CheckedClient
from tests.functional.bodies import FHIR_BASE, NOW


PATIENT = "eq081-VQEgP8drUUqCWzHfw3"
LONG_ID = "eKdraft." + "a1B2" * 46 + "xy"
DRUG_ID = "eKdrug." + "c3D4" * 46 + "xyz"
EXTENSION = "org.btce-cds.assessment"


def nothing_found(kind: str) -> dict[str, Any]:
    """How Epic answers a search without a match: one outcome entry, severity warning."""
    issue = {
        "severity": "warning",
        "code": "processing",
        "details": {"coding": [{"code": "4101"}], "text": "Resource request returns no results."},
    }
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 0,
        "link": [{"relation": "self", "url": f"{FHIR_BASE}/{kind}"}],
        "entry": [
            {
                "search": {"mode": "outcome"},
                "resource": {"resourceType": "OperationOutcome", "issue": [issue]},
            }
        ],
    }


def epic_request() -> dict[str, Any]:
    """Epic's shape: long draft ids, the drug as an entry of its own, vendor extensions."""
    temperature = {
        "resourceType": "Observation",
        "id": "eTemperature",
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {
            "coding": [
                {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679", "code": "6"},
                {"system": "http://loinc.org", "code": "8310-5"},
                {"system": "http://loinc.org", "code": "8716-3"},
            ],
            "text": "Temp",
        },
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Synthetic, One"},
        "effectiveDateTime": NOW.isoformat(),
        "valueQuantity": {
            "value": 38.4,
            "unit": "Cel",
            "system": "http://unitsofmeasure.org",
            "code": "Cel",
        },
    }
    return {
        "hook": "order-sign",
        "hookInstance": "00000000-007b-9f33-e810-e841a57c502c",
        "fhirServer": FHIR_BASE,
        "extension": {"com.epic.cdshooks.request.bpa-trigger-action": "23"},
        "context": {
            "userId": "PractitionerRole/e1",
            "patientId": PATIENT,
            "encounterId": "eEncounter",
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [
                    {
                        "resource": {
                            "resourceType": "MedicationRequest",
                            "id": LONG_ID,
                            "status": "draft",
                            "intent": "order",
                            "medicationReference": {
                                "reference": f"Medication/{DRUG_ID}",
                                "display": "teclistamab-cqyv 10 mg/mL injection",
                            },
                            "subject": {"reference": f"Patient/{PATIENT}"},
                        }
                    },
                    {
                        "resource": {
                            "resourceType": "Medication",
                            "id": DRUG_ID,
                            "code": {
                                "coding": [
                                    {
                                        "system": "urn:oid:2.16.840.1.113883.6.88",
                                        "code": "2619438",
                                    }
                                ],
                                "text": "teclistamab-cqyv 10 mg/mL injection",
                            },
                        }
                    },
                ],
            },
        },
        "prefetch": {
            "vitals": {"resourceType": "Bundle", "entry": [{"resource": temperature}]},
            "assessments": nothing_found("Observation"),
            "conditions": nothing_found("Condition"),
            "administrations": nothing_found("MedicationAdministration"),
        },
    }


def test_an_epic_request_is_answered_and_names_its_order(client: CheckedClient) -> None:
    assert len(LONG_ID) == len(DRUG_ID) == 194
    answer = client.call(epic_request())
    assert answer.status_code == 200
    found = answer.json["extension"][EXTENSION]  # type: ignore[index]
    (order,) = found["orders"]
    assert order["ref"] == f"MedicationRequest/{LONG_ID}"
    assert order["ingredient"] == "teclistamab"
    assert answer.json["cards"], "fever before a charted dose is said, not passed over"  # type: ignore[index]


def test_an_empty_search_with_a_note_is_an_answer(client: CheckedClient) -> None:
    """Administrations answered and empty: not exposed, so the fever is no CRS row."""
    found = client.call(epic_request()).json["extension"][EXTENSION]  # type: ignore[index]
    assert found["crs"]["assessed"] is False
    assert found["crs"]["reason"] == "not-exposed"
    assert found["disposition"]["action"] == "not-stated"


def test_the_same_request_without_administrations_grades_the_fever(client: CheckedClient) -> None:
    request = epic_request()
    del request["prefetch"]["administrations"]
    found = client.call(request).json["extension"][EXTENSION]  # type: ignore[index]
    assert found["crs"]["assessed"] is True
    assert found["crs"]["grade"] == {"atLeast": 1, "atMost": 4}
    assert found["disposition"]["action"] == "withhold"


def test_an_order_sign_as_in_the_hooks_library_mixes_kinds_of_orders(
    client: CheckedClient,
) -> None:
    """Two drafts of different kinds, neither of ours: the assessment answers, no card does."""
    request = {
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": FHIR_BASE,
        "hook": "order-sign",
        "context": {
            "userId": "PractitionerRole/A2340113",
            "patientId": "1288992",
            "encounterId": "89284",
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [
                    {
                        "resource": {
                            "resourceType": "NutritionOrder",
                            "id": "pureeddiet-simple",
                            "status": "draft",
                            "intent": "order",
                            "patient": {"reference": "Patient/1288992"},
                            "dateTime": "2014-09-17",
                            "oralDiet": {"type": [{"text": "Pureed diet"}]},
                        }
                    },
                    {
                        "resource": {
                            "resourceType": "MedicationRequest",
                            "id": "smart-MedicationRequest-103",
                            "status": "draft",
                            "intent": "order",
                            "medicationCodeableConcept": {
                                "coding": [
                                    {
                                        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                                        "code": "617993",
                                        "display": "Amoxicillin 120 MG/ML oral suspension",
                                    }
                                ],
                                "text": "Amoxicillin 120 MG/ML oral suspension",
                            },
                            "subject": {"reference": "Patient/1288992"},
                        }
                    },
                ],
            },
        },
    }
    answer = client.call(request)
    assert answer.status_code == 200
    assert answer.json["cards"] == []  # type: ignore[index]
    assert answer.json["extension"][EXTENSION]["patient"] == (  # type: ignore[index]
        "Patient/1288992"
    )
