"""Which resource of the site's own server a reference means; reads nothing.

Tolerant of how servers build references: HAPI FHIR has been seen to write the type twice.
"""

import re
from typing import Any

from msgspec import Struct

from cds.fhir_urls import is_below


_SEGMENT = r"[A-Za-z0-9\-._$]{1,64}"
_PATH = re.compile(
    rf"(?:{_SEGMENT}/)*(?P<type>[A-Z][A-Za-z]{{1,63}})/(?P<id>[A-Za-z0-9\-.]{{1,64}})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)
_LONGEST = 2048
_DOTS = frozenset({".", ".."})  # an id to FHIR, a step to whoever builds a URL of it


class Target(Struct, frozen=True):
    """A resource by type and id; all empty: it leads nowhere. `foreign`: on another server."""

    type: str = ""
    id: str = ""
    version: str = ""
    foreign: bool = False

    def __bool__(self) -> bool:
        """Whether there is something to read."""
        return bool(self.type)

    @property
    def text(self) -> str:
        """Type/id, or nothing."""
        return f"{self.type}/{self.id}" if self else ""

    @property
    def patient(self) -> str:
        """The patient's id, where it is a Patient."""
        return self.id if self.type == "Patient" else ""


NOWHERE = Target()
ELSEWHERE = Target(foreign=True)


def resolve(text: object, base: str | None) -> Target:
    """What a relative reference, or an absolute one below `base`, means.

    The last two segments before the version decide.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return NOWHERE
    if "://" in text:
        if base is None or not is_below(base, text):
            return ELSEWHERE
        text = text[len(base.rstrip("/")) :].lstrip("/")
    match = _PATH.fullmatch(text)
    if match is None or match["id"] in _DOTS:
        return NOWHERE
    return Target(match["type"], match["id"], match["version"] or "")


def of_resource(resource: dict[str, Any]) -> Target:
    """Type and id of a resource itself."""
    kind, own = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or not isinstance(own, str) or "/" in own:
        return NOWHERE
    return resolve(f"{kind}/{own}", None)


def patients_of(resource: dict[str, Any], base: str | None) -> tuple[str, ...]:
    """The patients a resource is of, on this server: its own id, its subject, its patient."""
    own = of_resource(resource)
    found = [own.patient]
    for name in ("subject", "patient"):
        member = resource.get(name)
        if isinstance(member, dict):
            found.append(resolve(member.get("reference"), base).patient)
    return tuple(dict.fromkeys(one for one in found if one))
