"""Whom the sandbox knows: the patients to choose from, the practitioners, and their names."""

from typing import Any

from msgspec import Struct

from cds.demo.fhir.elements import member, strings
from cds.demo.fhir.references import named_by
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.storage import Sandbox


class Person(Struct, frozen=True):
    """One choice. `name` falls back to the id; `born` "": not recorded."""

    id: str
    name: str
    born: str


def people(store: Sandbox, kind: str) -> list[Person]:
    """Everybody of this type, by name."""
    with store.reading() as records:
        found = [(one.id, one.resource or {}) for one in records.all_of(kind)]
    shown = [Person(id_, name_of(one) or id_, _text(one, "birthDate")) for id_, one in found]
    return sorted(shown, key=lambda person: (person.name, person.id))


def name_of(resource: Resource) -> str:
    """The first name of a Patient or Practitioner as one line; "" where there is none."""
    names = resource.get("name")
    first = names[0] if isinstance(names, list) and names else None
    text = member(first, "text")
    if isinstance(text, str) and text:
        return text
    parts = (strings(member(first, part)) for part in ("prefix", "given", "family", "suffix"))
    return " ".join(text for part in parts for text in part)


def resource_at(store: Sandbox, reference: str) -> Resource | None:
    """What is at Type/id now."""
    kind, _, id_ = reference.partition("/")
    with store.reading() as records:
        found = records.current(kind, id_)
    return None if found is None else found.resource


def present_encounter(store: Sandbox, patient: str, base: str) -> str:
    """The id of the one encounter in progress; "" where there is none, or several."""
    with store.reading() as records:
        found = [
            one.id
            for one in records.all_of("Encounter")
            if (one.resource or {}).get("status") == "in-progress"
            and f"Patient/{patient}" in named_by(one.resource or {}, "subject", base)
        ]
    return found[0] if len(found) == 1 else ""


def _text(resource: Resource, name: str) -> str:
    found: Any = resource.get(name)
    return found if isinstance(found, str) else ""
