"""Whether a resource meets one search parameter, by R4's rules for each kind of parameter.

The text asked for is read once, into a test; a text that cannot be read is refused. No store.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from cds.demo.fhir.definitions import Kind, Parameter
from cds.demo.fhir.elements import all_values, folded, split, strings, tokens, unescaped
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.ranges import date_test, quantity_test
from cds.demo.fhir.references import local, named_by
from cds.demo.fhir.resource_json import Resource


Test: TypeAlias = Callable[[Resource], bool]
MODIFIERS: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        "token": frozenset({"", "not"}),
        "reference": frozenset({""}),  # and a type, see `_reference`
        "date": frozenset({""}),
        "string": frozenset({"", "exact", "contains"}),
        "quantity": frozenset({""}),
        "uri": frozenset({""}),
    }
)


def test_for(parameter: Parameter, modifier: str, text: str, base: str) -> Test:
    """The test of `name:modifier=text`; commas mean "or". Raises `FhirError` 400."""
    if modifier == "missing":
        return _missing(parameter, text)
    typed = parameter.kind == "reference" and modifier in parameter.targets
    if not typed and modifier not in MODIFIERS[parameter.kind]:
        raise FhirError(400, "not-supported", f"{parameter.name}: the modifier is not supported")
    parts = [part for part in split(text, ",") if part not in {"", "|"}]
    if not parts:
        raise FhirError(400, "value", f"{parameter.name}: nothing is asked for")
    if parameter.kind == "reference":
        return _any(_reference(parameter, modifier, part, base) for part in parts)
    if parameter.kind == "token":
        found = _any(_token(parameter, part) for part in parts)
        return (lambda resource: not found(resource)) if modifier == "not" else found
    if parameter.kind == "string":
        return _any(_string(parameter, modifier, part) for part in parts)
    return _any(_PLAIN[parameter.kind](parameter, part) for part in parts)


def _any(tests: Iterator[Test]) -> Test:
    kept = list(tests)
    return lambda resource: any(test(resource) for test in kept)


def _missing(parameter: Parameter, text: str) -> Test:
    if text not in {"true", "false"}:
        raise FhirError(400, "value", f"{parameter.name}:missing is true or false")
    return lambda resource: (
        (next(all_values(parameter, resource), None) is None) == (text == "true")
    )


def _token(parameter: Parameter, text: str) -> Test:
    system, code = _system_and_code(text)

    def test(resource: Resource) -> bool:
        found = (pair for value in all_values(parameter, resource) for pair in tokens(value))
        return any(
            (system is None or system == has) and code in {"", value} for has, value in found
        )

    return test


def _system_and_code(text: str) -> tuple[str | None, str]:
    """`code`, `|code`, `system|code`, `system|`: system None is any, code "" is any."""
    parts = split(text, "|")
    if len(parts) == 1:
        return None, unescaped(parts[0])
    return unescaped(parts[0]), unescaped("|".join(parts[1:]))


def _reference(parameter: Parameter, modifier: str, text: str, base: str) -> Test:
    text = unescaped(text)
    asked = local(text, base) or text
    targets = (modifier,) if modifier else parameter.targets
    # A bare id may name any type the parameter can refer to.
    wanted = {asked} if "/" in asked or ":" in asked else {f"{kind}/{asked}" for kind in targets}

    def test(resource: Resource) -> bool:
        for path in parameter.paths:
            for found in named_by(resource, path, base):
                kind = found.partition("/")[0]
                if found in wanted and (not targets or kind in targets or ":" in found):
                    return True
        return False

    return test


def _string(parameter: Parameter, modifier: str, text: str) -> Test:
    asked = unescaped(text)

    def meets(found: str) -> bool:
        if modifier == "exact":
            return found == asked
        if modifier == "contains":
            return folded(asked) in folded(found)
        return folded(found).startswith(folded(asked))

    return lambda resource: any(
        meets(found) for value in all_values(parameter, resource) for found in strings(value)
    )


def _uri(parameter: Parameter, text: str) -> Test:
    asked = unescaped(text)
    return lambda resource: asked in all_values(parameter, resource)


_PLAIN: Mapping[Kind, Callable[[Parameter, str], Test]] = MappingProxyType(
    {"date": date_test, "quantity": quantity_test, "uri": _uri}
)
