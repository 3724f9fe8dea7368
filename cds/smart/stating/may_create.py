"""Whether the scopes a user was granted cover creating a resource; asks nobody.

SMART App Launch 2, "Scopes for requesting FHIR Resources"; the forms of version 1 as well.
"""

import re
from collections.abc import Iterable


# A scope that is narrowed by a query may cover the resource at hand: the server knows.
_SCOPE = re.compile(
    r"(?:patient|user)/(?P<kind>\*|[A-Za-z]+)\.(?P<rights>\*|read|write|[cruds]+)(?:\?.*)?"
)


def may_create(scopes: Iterable[str], kind: str) -> bool:
    """Whether one of `scopes` lets the user create a `kind` ("Observation")."""
    return any(
        found["kind"] in ("*", kind) and (found["rights"] in ("*", "write") or _creates(found))
        for one in scopes
        if (found := _SCOPE.fullmatch(one))
    )


def _creates(found: "re.Match[str]") -> bool:
    return found["rights"] != "read" and "c" in found["rights"]
