"""What is inside a resource: the values at a path, and the texts and codes of a value.

Resources are kept as they came, so nothing here relies on an element having the right shape.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from cds.demo.fhir.definitions import Parameter
from cds.demo.fhir.resource_json import Resource


def values(resource: Any, path: str) -> Iterator[Any]:
    """What is at a dotted path, each member of a list by itself."""
    if isinstance(resource, list):
        for one in resource:
            yield from values(one, path)
    elif not path:
        yield resource
    elif isinstance(resource, dict):
        name, _, rest = path.partition(".")
        if name in resource:
            yield from values(resource[name], rest)


def all_values(parameter: Parameter, resource: Resource) -> Iterator[Any]:
    """What a search parameter looks at."""
    for path in parameter.paths:
        yield from values(resource, path)


def strings(value: Any) -> Iterator[str]:
    """Every text in a string, HumanName or Address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        for name in ("text", "family", "given", "prefix", "suffix"):
            yield from strings(value.get(name))


def tokens(value: Any) -> Iterator[tuple[Any, str]]:
    """System ("" for none) and code of a code, boolean, Coding, CodeableConcept or Identifier."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str):
        yield "", value
    elif isinstance(value, dict):
        for coding in values(value, "coding") if "coding" in value else (value,):
            code = member(coding, "code") or member(coding, "value")
            if isinstance(code, str):
                yield member(coding, "system") or "", code


def member(value: Any, name: str) -> Any:
    """The member of an object; None where there is none, or no object."""
    return value.get(name) if isinstance(value, dict) else None


def folded(text: str) -> str:
    """Without case and accents: a string search is blind to both."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()


def split(text: str, sign: str) -> list[str]:
    """The parts between signs that no backslash stands before; escapes stay in them."""
    between = re.escape(sign)
    form = rf"((?:\\.|[^{between}\\]|\\$)*)(?:{between}|$)"
    parts: list[str] = re.findall(form, text, re.DOTALL)
    return parts[:-1] if len(parts) > 1 and not text.endswith(sign) else parts


def unescaped(text: str) -> str:
    """R4 search, "Escaping Search Parameters"."""
    return re.sub(r"\\(.)", r"\1", text)
