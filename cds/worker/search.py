"""Asks a site's server who was given a bispecific within the look-back; finds patients, no doses.

Who is found and not watched is read like anybody else, and the mapping says what was given. A
server that cannot be searched across patients loses nothing by it: a patient is also found by hook
calls and by notifications.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from cds.config import Site
from cds.store.rows import WakeUp
from cds.worker.references import Found, patient_of, version_key
from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.codes import Code, CodeSets


SOURCE = "cohort"
_AT_ONCE = 40  # codes in one query, so that its URL stays short enough for any server
# As a concept of its own, and as a Medication that is referred to (R4 chained search).
_PARAMETERS = ("code", "medication.code")


class _Concept(Struct):
    coding: tuple[Raw, ...] = ()


class _Coding(Struct):
    system: str | None = None
    code: str | None = None


class _Administration(Found, rename="camel"):
    medication_codeable_concept: _Concept | None = None


def bispecific_codes(codes: CodeSets) -> tuple[Code, ...]:
    """The codes of bispecifics this site's mapping knows, its own among them."""
    return tuple(
        sorted((code for code, drug in codes.drugs.items() if drug.kind == "btce"), key=str)
    )


def queries(codes: CodeSets, now: datetime, span: timedelta) -> Iterator[str]:
    """FHIR searches below the base for administrations since `now` - `span`."""
    since = f"{now - span:%Y-%m-%d}"
    tokens = [_token(code) for code in bispecific_codes(codes)]
    for parameter in _PARAMETERS:
        for start in range(0, len(tokens), _AT_ONCE):
            some = ",".join(tokens[start : start + _AT_ONCE])
            yield (
                f"MedicationAdministration?{parameter}={some}&effective-time=ge{since}&_count=200"
            )


def wake_ups(
    site: Site, codes: CodeSets, resources: Iterable[Raw], watched: frozenset[str], now: datetime
) -> tuple[WakeUp, ...]:
    """For each patient found who is not watched: once for each state of an administration."""
    known = frozenset(bispecific_codes(codes))
    found: dict[str, WakeUp] = {}
    for raw in resources:
        one = _read(raw)
        patient = patient_of(one, site.fhir_base or "")
        if one is None or not patient or patient in watched or not _may_be(one, known):
            continue
        event = f"{one.resource_type}/{one.id}/{version_key(one)}"
        found[event] = WakeUp(
            site=site.id, source=SOURCE, event=event, received_at=now, patient=patient
        )
    return tuple(found.values())


def _may_be(one: _Administration, known: frozenset[Code]) -> bool:
    """A server may ignore a parameter it does not know and answer with everything there is."""
    concept = one.medication_codeable_concept
    if one.resource_type != "MedicationAdministration":
        return False
    return concept is None or any(_code(raw) in known for raw in concept.coding)


def _code(raw: Raw) -> Code:
    try:
        coding = msgspec.json.decode(raw, type=_Coding)
    except BAD_INPUT:
        return None, None
    return coding.system, coding.code


def _read(raw: Raw) -> _Administration | None:
    try:
        return msgspec.json.decode(raw, type=_Administration)
    except BAD_INPUT:
        return None


def _token(code: Code) -> str:
    return "|".join(quote(part or "", safe=":/.-_~") for part in code)
