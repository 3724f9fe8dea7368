"""Which of our needs a granted scope covers: SMART App Launch 2, "Scopes for requesting FHIR
Resources"; the forms of version 1 (`.read`, `.write`, `.*`) as well.

A need is a type and letters of create, read, update, delete and search: "Observation.rs".
"""

import re
from collections.abc import Iterable, Mapping

from cds.config import Site
from cds.config.model import Tell


_SCOPE = re.compile(r"system/(\*|[A-Za-z]+)\.(\*|read|write|[cruds]+)(\?.*)?")
_LETTERS: Mapping[str, str] = {"*": "cruds", "read": "rs", "write": "cud"}
_TOLD: Mapping[Tell, tuple[str, ...]] = {
    "nothing": (),
    "flag": ("Flag.cu",),
    "communication": ("Communication.cu",),
}
SUBSCRIPTIONS = ("Subscription.cruds",)


def needs(site: Site, templates: Iterable[str]) -> tuple[str, ...]:
    """What reading `templates` (FHIR queries) and telling a change takes at this site."""
    read = {re.split(r"[/?]", template, maxsplit=1)[0]: "?" in template for template in templates}
    told = _TOLD[site.events.tell] if site.events is not None else ()
    return (*(f"{kind}.{'rs' if search else 'r'}" for kind, search in sorted(read.items())), *told)


def uncovered(granted: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """The needs that `granted` does not cover in full, in their order.

    A scope narrowed by a query (`?category=…`) covers none. A text without any system scope is in
    a server's own language: nothing is said about it.
    """
    scopes = [found for one in granted.split() if (found := _SCOPE.fullmatch(one))]
    if not scopes:
        return ()
    allowed: dict[str, set[str]] = {}
    for scope in scopes:
        if scope[3] is None:
            allowed.setdefault(scope[1], set()).update(_LETTERS.get(scope[2], scope[2]))
    everywhere = allowed.get("*", set())
    return tuple(
        need
        for need in wanted
        if not set(need.partition(".")[2])
        <= everywhere | allowed.get(need.partition(".")[0], set())
    )
