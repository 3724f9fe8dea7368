"""Whether a resource belongs to one patient, as the sandbox counts it.

Stricter than R4's patient compartment: only the subject (or `patient`) counts, not a performer.
Types without a patient belong to nobody: whoever has a patient may read them and change none.
"""

from cds.demo.fhir.definitions import TYPES
from cds.demo.fhir.references import local, named_by
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.storage import Records


OF_NOBODY = frozenset(
    {"Medication", "Organization", "Practitioner", "PractitionerRole", "Questionnaire"}
)


def belongs(
    records: Records, kind: str, id_: str, resource: Resource, *, patient: str, base: str
) -> bool:
    """Whether it is about this patient and nobody else."""
    if kind == "Patient":
        return id_ == patient
    if kind == "Provenance":
        return _all_targets_belong(records, resource, patient=patient, base=base)
    parameter = TYPES[kind].parameters.get("patient") if kind in TYPES else None
    if parameter is None:
        return False
    named = [ref for path in parameter.paths for ref in named_by(resource, path, base)]
    return bool(named) and set(named) == {f"Patient/{patient}"}


def about_nobody(kind: str, resource: Resource, base: str) -> bool:
    """Whether it is of a type without a patient, or a Device that is no patient's."""
    if kind == "Device":
        return "patient" not in resource and not any(named_by(resource, "patient", base))
    return kind in OF_NOBODY


def _all_targets_belong(records: Records, resource: Resource, *, patient: str, base: str) -> bool:
    targets = [local(text, base) or "" for text in named_by(resource, "target", base)]
    for target in targets:
        kind, _, id_ = target.partition("/")
        found = records.current(kind, id_) if kind != "Provenance" else None
        if found is None or found.resource is None:
            return False
        if not belongs(records, kind, id_, found.resource, patient=patient, base=base):
            return False
    return bool(targets)
