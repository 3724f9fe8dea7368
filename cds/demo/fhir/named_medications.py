"""A Medication that is not in the store but whose name other resources carry, made from those."""

from cds.demo.fhir.codings import RXNORM, codes_of, codings_of
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.shapes_epic import MEDICATION_IDS
from cds.demo.fhir.storage import Records
from cds.demo.fhir.visible import Visible


_NAMING = ("MedicationAdministration", "MedicationRequest")


def named_medication(records: Records, id_: str, visible: Visible) -> Resource:
    """The Medication a reference leads to. Raises `FhirError` 404."""
    for kind in _NAMING:
        for one in records.all_of(kind):
            concept = (one.resource or {}).get("medicationCodeableConcept")
            codes = codes_of(codings_of(concept), RXNORM)
            if codes and f"{MEDICATION_IDS}{codes[0]}" == id_ and visible(one):
                return {"resourceType": "Medication", "id": id_, "code": concept}
    raise FhirError(404, "not-found", "there is no such resource")
