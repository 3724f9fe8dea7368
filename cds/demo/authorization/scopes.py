"""Scopes of SMART App Launch, both forms: what one text allows, and what of a request is granted.

http://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html. Text in, values out. Of
the restrictions by a search (`?name=value`) only one `category` is known; a scope with any other is
not understood, and so never granted.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias, cast
from urllib.parse import parse_qsl

from msgspec import Struct
from msgspec.structs import replace


Level: TypeAlias = Literal["patient", "user", "system"]
LETTERS = "cruds"
# Scopes without a resource type.
LAUNCH, LAUNCH_PATIENT, LAUNCH_ENCOUNTER = "launch", "launch/patient", "launch/encounter"
OPENID, FHIR_USER, PROFILE = "openid", "fhirUser", "profile"
REFRESHING = frozenset({"online_access", "offline_access"})
NAMED = (
    frozenset({LAUNCH, LAUNCH_PATIENT, LAUNCH_ENCOUNTER, OPENID, FHIR_USER, PROFILE}) | REFRESHING
)
# Version 1, "read", "write" and "*", in the letters of version 2.
_OLD: Mapping[str, str] = MappingProxyType({"read": "rs", "write": "cud", "*": LETTERS})
_FORM = re.compile(
    r"(patient|user|system)/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|c?r?u?d?s?)(\?[!-~]*)?"
)


class Scope(Struct, frozen=True):
    """What one scope allows. `kind` "*": every type. `category`: system (None: any) and code."""

    text: str
    level: Level
    kind: str
    letters: str
    category: tuple[str | None, str] | None = None

    def is_about(self, kind: str, letters: Iterable[str]) -> bool:
        """Whether it allows one of these letters on this type."""
        return self.kind in {"*", kind} and any(letter in self.letters for letter in letters)


def read_scope(text: str) -> Scope | None:
    """The scope a text means; None for one that is not about resources or not understood."""
    found = _FORM.fullmatch(text)
    if found is None or not found[3]:
        return None
    level, kind, rights, restriction = found.groups()
    category = None
    if restriction is not None:
        category = _category(restriction)
        if category is None or rights in _OLD:
            return None
    return Scope(text, cast(Level, level), kind, _OLD.get(rights, rights), category)


def _category(restriction: str) -> tuple[str | None, str] | None:
    pairs = parse_qsl(restriction[1:], keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != "category":
        return None
    system, mark, code = pairs[0][1].rpartition("|")
    if not code or set(code) & set(",\\|$") or set(system) & set(",\\|"):
        return None
    return (system if mark else None), code


def read_scopes(texts: Iterable[str]) -> tuple[Scope, ...]:
    """Those that are about resources and understood."""
    return tuple(scope for text in texts if (scope := read_scope(text)) is not None)


def granted(
    asked: Sequence[str], allowed: Sequence[str], levels: Iterable[Level]
) -> tuple[str, ...]:
    """What of `asked` a client that is registered for `allowed` gets, each once, in their order.

    A scope of which some letters are allowed is granted with these. `levels`: those that make
    sense for this grant. What is not understood is left out (RFC 6749 3.3).
    """
    registered, possible = read_scopes(allowed), frozenset(levels)
    given: dict[str, None] = {}
    for text in asked:
        if text in NAMED:
            if text in allowed and possible != {"system"}:
                given[text] = None
            continue
        scope = read_scope(text)
        if scope is not None and scope.level in possible:
            narrowed = _narrowed(scope, registered)
            if narrowed is not None:
                given[narrowed.text] = None
    return tuple(given)


def _narrowed(asked: Scope, registered: Iterable[Scope]) -> Scope | None:
    covering = [
        one
        for one in registered
        if one.level == asked.level
        and one.kind in {"*", asked.kind}
        and one.category in {None, asked.category}
    ]
    letters = "".join(
        letter for letter in asked.letters if any(letter in one.letters for one in covering)
    )
    if letters == asked.letters:
        return asked
    if not letters:
        return None
    _, mark, restriction = asked.text.partition("?")
    text = f"{asked.level}/{asked.kind}.{letters}{mark}{restriction}"
    return replace(asked, text=text, letters=letters)
