"""References: which resource of this server one names, and renaming them inside a resource."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from cds.demo.fhir.elements import values
from cds.demo.fhir.resource_json import Resource


_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")
Rename = Callable[[str], str]


def local(reference: str, base: str) -> str | None:
    """`Type/id` of a reference to this server, relative or absolute; None for any other."""
    found = _LOCAL.fullmatch(reference.removeprefix(f"{base}/"))
    return f"{found[1]}/{found[2]}" if found else None


def named_by(resource: Resource, path: str, base: str) -> Iterator[str]:
    """`Type/id`, or the text of a foreign reference, of each reference at a path."""
    for value in values(resource, path):
        text = value.get("reference") if isinstance(value, dict) else value
        if isinstance(text, str):
            yield local(text, base) or text


def renamed(value: Any, rename: Rename, name: str = "") -> Any:
    """A copy in which every `reference` and every other `urn:` link is what `rename` makes of it.

    `name`: the member that holds the value. An Identifier's value is no link (R4 http,
    "transaction": only elements of the types Reference, uri, url, oid and uuid are replaced).
    """
    if isinstance(value, list):
        return [renamed(one, rename, name) for one in value]
    if isinstance(value, dict):
        return {inner: renamed(one, rename, inner) for inner, one in value.items()}
    link = isinstance(value, str) and (
        name == "reference" or (value.startswith("urn:") and name != "value")
    )
    return rename(value) if link else value
