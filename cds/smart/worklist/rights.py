"""Whether the scopes of a launch let the user read more than the one patient; asks nobody.

SMART App Launch 2, "Scopes for requesting FHIR Resources": `user/` scopes, in the forms of both
versions. The server has the last word on each patient.
"""

import re
from collections.abc import Iterable


WANTED = "user/*.rs"  # what covers everything this app reads
# Without these a row would say nothing; what else is not allowed is named in each row.
_NEEDED = ("Patient", "Observation", "MedicationAdministration", "Encounter")
_SCOPE = re.compile(r"user/(?P<kind>\*|[A-Za-z]+)\.(?P<rights>\*|read|write|c?r?u?d?s?)(?:\?.*)?")


def missing_rights(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes that would have to be granted, in the form of version 2; none: enough is there."""
    granted = tuple(scopes)
    lacking = tuple(kind for kind in _NEEDED if not _may_read(granted, kind))
    if len(lacking) == len(_NEEDED):
        return (WANTED,)
    return tuple(f"user/{kind}.rs" for kind in lacking)


def _may_read(scopes: Iterable[str], kind: str) -> bool:
    return any(
        found["kind"] in ("*", kind) and _reads(found["rights"])
        for one in scopes
        if (found := _SCOPE.fullmatch(one))
    )


def _reads(rights: str) -> bool:
    """Read by id and search; version 1 has one word for both."""
    return rights in ("*", "read") or (rights != "write" and "r" in rights and "s" in rights)
