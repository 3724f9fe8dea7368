"""Searches that a vendor's server refuses where R4 would let it answer; no store."""

import re
from collections.abc import Sequence

from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.quirks import Quirks


Pairs = Sequence[tuple[str, str]]
_OF_ONE_PATIENT = frozenset(
    {
        *("Observation", "MedicationAdministration", "MedicationRequest"),
        *("Condition", "Procedure", "Encounter"),
    }
)
_NAMING = ("patient", "subject", "_id")
_DATE = re.compile(r"([a-z]{2})?\d.*")
_LOWER, _UPPER = frozenset({"ge", "gt"}), frozenset({"le", "lt"})


def refuse(kind: str, pairs: Pairs, quirks: Quirks) -> None:
    """Raises `FhirError` 400 for what this server does not search by."""
    if kind not in _OF_ONE_PATIENT:
        return
    names = {name.partition(":")[0] for name, text in pairs if text}
    if quirks.needs_patient and not names & set(_NAMING):
        asked = ", ".join((*_NAMING, quirks.page_parameter))
        raise FhirError(400, "invalid", f"at least one of {asked} must be provided")
    if quirks.strict_dates:
        _refuse_dates(pairs)


def _refuse_dates(pairs: Pairs) -> None:
    for name in ("date", "_lastUpdated", "effective-time"):
        given = [text for asked, text in pairs if asked == name]
        prefixes = [_prefix(name, text) for text in given]
        if len(given) > 2:
            raise FhirError(400, "invalid", f"{name} may be provided twice")
        if len(given) == 2 and not (_LOWER & set(prefixes) and _UPPER & set(prefixes)):
            raise FhirError(400, "invalid", f"{name}: one ge or gt and one le or lt")
        if name == "effective-time" and any(
            prefix not in _LOWER | _UPPER or "T" not in text
            for prefix, text in zip(prefixes, given, strict=True)
        ):
            raise FhirError(400, "invalid", f"{name}: a prefix and a time are required")
    if {"date", "_lastUpdated"} <= {name for name, _ in pairs}:
        raise FhirError(400, "invalid", "date and _lastUpdated may not be provided together")


def _prefix(name: str, text: str) -> str:
    found = _DATE.fullmatch(text)
    prefix = (found[1] or "eq") if found else ""
    if prefix not in {"eq", *_LOWER, *_UPPER}:
        raise FhirError(400, "invalid", f"{name}: must use eq, ge, gt, le or lt")
    return prefix
