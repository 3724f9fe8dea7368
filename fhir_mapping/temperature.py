"""Body temperature in degrees Celsius; surface sites are no fever measurement."""

import re

from fhir_mapping.readings import Scope, concept_text, number_series
from fhir_mapping.record import Record, Seen
from knowledge.facts import Reading


_SURFACE = frozenset({"skin", "finger", "fingers", "toe", "toes", "hand", "foot"})


def read_temperatures(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """Every usable temperature in the window, oldest first."""
    items = record.observations.get("temperature", ())
    return number_series(items, "temperature", "temperature", scope, _surface_site)


def _surface_site(seen: Seen) -> str:
    site = concept_text(seen.observation.body_site)
    if site and not _SURFACE.isdisjoint(re.findall(r"[a-z]+", site.lower())):
        return "temperature taken at the surface of the body: not used"
    return ""
