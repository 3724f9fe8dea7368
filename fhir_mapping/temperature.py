"""Body temperature in degrees Celsius; surface sites are no fever measurement."""

import re
from decimal import Decimal
from functools import partial

import msgspec

from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.datatypes import Part, Quantity
from fhir_mapping.readings import Scope, concept_text, number_series, shown
from fhir_mapping.record import Record, Seen
from fhir_mapping.units import canonical, number
from knowledge.facts import Reading


_SURFACE = frozenset({"skin", "finger", "fingers", "toe", "toes", "hand", "foot"})
_NO_SITE = "Body temperature"  # the display of the codes that name none
_AS_ENTERED = "http://open.epic.com/FHIR/STU3/StructureDefinition/temperature-in-fahrenheit"
_DIFFERENT = Decimal("0.1")  # degrees Celsius; less is the rounding of a conversion


class _Extension(Part, frozen=True, gc=False, kw_only=True):
    """An extension that may hold the number as a person entered it."""

    url: str = ""
    value_quantity: Quantity | None = None


_EXTENSIONS = msgspec.json.Decoder(tuple[_Extension, ...])


def read_temperatures(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """Every usable temperature in the window, oldest first."""
    items = record.observations.get("temperature", ())
    used = partial(_as_used, scope=scope)
    return number_series(
        items,
        "temperature",
        "temperature",
        scope,
        accept=_surface_site,
        as_used=used,
        hides="temperature",
    )


def _surface_site(seen: Seen) -> str:
    site = concept_text(seen.observation.body_site)
    if site and not _SURFACE.isdisjoint(re.findall(r"[a-z]+", site.lower())):
        return "temperature taken at the surface of the body: not used"
    return ""


def _as_used(seen: Seen, value: Decimal, scope: Scope) -> tuple[Decimal, str]:
    """The higher of the value and the Fahrenheit value it was made from, and where it was taken.

    Some systems send the converted number as the value and keep the entered one beside it.
    """
    display = seen.concept.display
    site = concept_text(seen.observation.body_site) or (display if display != _NO_SITE else "")
    entered = _entered(seen)
    fahrenheit = canonical("temperature", entered) if entered is not None else value
    if entered is None or isinstance(fahrenheit, str) or fahrenheit == value:
        return value, shown(site)
    if abs(fahrenheit - value) >= _DIFFERENT:
        text = "a temperature in Celsius and the Fahrenheit value entered differ: the higher counts"
        scope.notes.notice("temperature-entered-differs", text)
    as_entered = f"entered as {number(entered.value)} [degF]"
    return max(value, fahrenheit), shown(f"{site}; {as_entered}" if site else as_entered)


def _entered(seen: Seen) -> Quantity | None:
    raw = seen.observation.extension
    if not bytes(raw):
        return None
    try:
        found = _EXTENSIONS.decode(raw)
    except BAD_INPUT:  # an extension of another shape is nothing to go by
        return None
    return next((one.value_quantity for one in found if one.url == _AS_ENTERED), None)
