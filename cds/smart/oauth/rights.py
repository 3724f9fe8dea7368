"""Whether the granted scopes let the app read what it cannot do without: SMART App Launch 2,
"Scopes for requesting FHIR Resources"; the forms of version 1 (`.read`, `.*`) as well.

A right to write that is missing is no refusal: then the app says that it cannot write.
"""

import re
from collections.abc import Mapping

from cds.smart.oauth.refusal import LaunchRefused, RefusedKind


_SCOPE = re.compile(r"(?:patient|user)/(\*|[A-Za-z]+)\.(\*|read|write|[cruds]+)(\?.*)?")
_LETTERS: Mapping[str, str] = {"*": "cruds", "read": "rs", "write": "cud"}
# What is asked of which types; any one of them is enough. Whatever else cannot be read is named on
# the page as not read.
_NEEDED: Mapping[RefusedKind, tuple[str, tuple[str, ...]]] = {
    "scope-patient": ("r", ("Patient",)),
    "scope-observations": ("rs", ("Observation",)),
    "scope-medications": ("rs", ("MedicationAdministration", "MedicationRequest")),
}


def check_rights(granted: frozenset[str], asked: frozenset[str]) -> None:
    """Raises `LaunchRefused` for the first kind of right that is missing.

    A scope narrowed by a query counts only if it was `asked` for so: else nobody knows what is
    held back.
    """
    allowed: dict[str, set[str]] = {}
    for one in granted:
        found = _SCOPE.fullmatch(one)
        if found is not None and (found[3] is None or one in asked):
            allowed.setdefault(found[1], set()).update(_LETTERS.get(found[2], found[2]))
    everywhere = allowed.get("*", set())
    for kind, (letters, types) in _NEEDED.items():
        if not any(set(letters) <= everywhere | allowed.get(one, set()) for one in types):
            raise LaunchRefused(kind)
