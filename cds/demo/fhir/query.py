"""A search as it was asked: tests, order, page size, includes; and what of it was understood.

R4 search, "Handling Errors": an unknown parameter is refused under `Prefer: handling=strict`, and
otherwise left out of the answer's `self` link. Reads no resource.
"""

from collections.abc import Sequence

from msgspec import Struct

from cds.demo.fhir.definitions import TYPES, Parameter
from cds.demo.fhir.errors import FhirError, unknown_type
from cds.demo.fhir.matching import Test, test_for
from cds.demo.fhir.quirks import Quirks


Pairs = Sequence[tuple[str, str]]
DEFAULT_COUNT = 50
_MOST_DIGITS = 9
# Known, and without a meaning here: there is one format.
_NO_EFFECT = frozenset({"_format", "_pretty"})


class SortKey(Struct, frozen=True):
    """One part of `_sort`."""

    parameter: Parameter
    descending: bool


class Include(Struct, frozen=True):
    """One `_include` (`reverse`: `_revinclude`): the references of `parameter` in `kind`."""

    kind: str
    parameter: Parameter
    target: str
    reverse: bool


class Query(Struct, frozen=True):
    """One search for resources of one type. `kept`: the parameters that were understood."""

    kind: str
    tests: tuple[Test, ...] = ()
    sort: tuple[SortKey, ...] = ()
    includes: tuple[Include, ...] = ()
    count: int = DEFAULT_COUNT
    only_count: bool = False
    total: bool = True
    kept: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    quirks: Quirks = Quirks()


class _Reading:
    """Collects the parts of one query."""

    def __init__(self, kind: str, base: str, quirks: Quirks) -> None:
        self.known = {
            name: one for name, one in TYPES[kind].parameters.items() if name not in quirks.ignored
        }
        self.kind, self.base, self.quirks = kind, base, quirks
        self.tests: list[Test] = []
        self.sort: list[SortKey] = []
        self.includes: list[Include] = []
        self.count = min(DEFAULT_COUNT, quirks.largest_page)
        self.only_count, self.total = False, True

    def take(self, name: str, text: str) -> bool:
        """Whether the parameter was understood."""
        if not text or name in self.quirks.ignored:
            return False
        if name == "_count":
            return self._count(text)
        if name == "_sort":
            return self._sort(text)
        if name == "_summary":
            self.only_count = self.only_count or text == "count"
            return text in {"count", "false"}
        if name == "_total":
            self.total = text != "none"
            return text in {"none", "estimate", "accurate"}
        if name in {"_include", "_revinclude"}:
            return self._include(text, reverse=name == "_revinclude")
        bare, _, modifier = name.partition(":")
        if bare not in self.known:
            return name in _NO_EFFECT
        self.tests.append(test_for(self.known[bare], modifier, text, self.base))
        return True

    def _count(self, text: str) -> bool:
        if not text.isascii() or not text.isdigit():
            raise FhirError(400, "value", "_count: not a whole number")
        digits = text.lstrip("0")  # more of them than Python reads are too many entries anyway
        asked = int(digits or 0) if len(digits) <= _MOST_DIGITS else self.quirks.largest_page
        self.count = min(asked, self.quirks.largest_page)
        self.only_count = self.only_count or self.count == 0
        return True

    def _sort(self, text: str) -> bool:
        keys = [(part.removeprefix("-"), part.startswith("-")) for part in text.split(",")]
        self.sort += [SortKey(self.known[name], down) for name, down in keys if name in self.known]
        return all(name in self.known for name, _ in keys)

    def _include(self, text: str, *, reverse: bool) -> bool:
        kind, _, rest = text.partition(":")
        name, _, target = rest.partition(":")
        definition = TYPES.get(kind)
        parameter = definition.parameters.get(name) if definition else None
        if parameter is None or parameter.kind != "reference":
            return False
        if not reverse and kind != self.kind:
            return False
        self.includes.append(Include(kind, parameter, target, reverse))
        return True


def parse(kind: str, pairs: Pairs, *, base: str, quirks: Quirks, strict: bool = False) -> Query:
    """The query of a search on `kind`. Raises `FhirError`; `strict`: for what is unknown too."""
    if kind not in TYPES or kind in quirks.left_out:
        raise unknown_type()
    reading = _Reading(kind, base, quirks)
    understood = [(pair, reading.take(*pair)) for pair in pairs]
    unknown = tuple(name for (name, _), taken in understood if not taken)
    if strict and unknown:
        raise FhirError(400, "not-supported", f"unknown parameters: {', '.join(sorted(unknown))}")
    return Query(
        kind=kind,
        tests=tuple(reading.tests),
        sort=tuple(reading.sort),
        includes=tuple(reading.includes),
        count=reading.count,
        only_count=reading.only_count,
        total=reading.total,
        kept=tuple(pair for pair, taken in understood if taken or quirks.echoes),
        unknown=unknown,
        quirks=quirks,
    )
