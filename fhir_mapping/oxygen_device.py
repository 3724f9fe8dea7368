"""The oxygen device as written, its tier, and the ASTCT levels it can mean at a flow."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import product

from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import CodeableConcept
from fhir_mapping.readings import Scope, plain, shown
from fhir_mapping.resources import Observation


LEVELS = ("none", "low-flow", "high-flow", "positive-pressure")
LOW_FLOW_MAX = Decimal(6)  # L/min by cannula, ASTCT 2019: low flow up to and including 6
_NEAR_BOUNDARY = Decimal("0.5")  # L/min; documents draw the line on either side of 6
_TIERS: dict[str, tuple[str, ...]] = {
    "room-air": ("none",),
    "blow-by": ("low-flow",),
    "mask": ("high-flow",),
    "high-concentration": ("high-flow", "positive-pressure"),
    "positive-pressure": ("positive-pressure",),
    "home-positive-pressure": LEVELS,
    "tracheostomy": LEVELS,
    "unplaced": LEVELS,
}


def device_tiers(observation: Observation, codes: CodeSets) -> tuple[str, tuple[str, ...]]:
    """The device as written, and its tiers: by code, else by the whole text, else by its parts.

    One unrecognised part makes the whole unrecognised: it might be the highest.
    """
    concept = observation.value_codeable_concept
    return concept_tiers(concept, [observation.value_string] if concept is None else [], codes)


def concept_tiers(
    concept: CodeableConcept | None, names: Iterable[str | None], codes: CodeSets
) -> tuple[str, tuple[str, ...]]:
    """The same for a concept, and for other names after its own."""
    texts = list(names)
    if concept is not None:
        found = [codes.devices.get((coding.system, coding.code)) for coding in concept.coding]
        local = [codes.device_texts.get(plain(coding.code)) for coding in concept.coding]
        texts = [concept.text, *(coding.display for coding in concept.coding), *texts]
        tiers = tuple(tier for tier in (*found, *local) if tier is not None)
        if tiers:
            return shown(next((text for text in texts if text), tiers[0])), tiers
    for text in texts:
        tiers = _text_tiers(text, codes)
        if tiers:
            return shown(text or ""), tiers
    return shown(next((text for text in texts if text), "")), ()


def is_coded(observation: Observation, codes: CodeSets) -> bool:
    """Whether a code names the device, not words alone."""
    concept = observation.value_codeable_concept
    codings = concept.coding if concept is not None else ()
    return any((coding.system, coding.code) in codes.devices for coding in codings)


def _text_tiers(text: str | None, codes: CodeSets) -> tuple[str, ...]:
    whole = codes.device_texts.get(plain(text))
    if whole is not None:
        return (whole,)
    parts = plain(text).replace("/", ";").replace(",", ";").split(";")
    tiers = [codes.device_texts.get(part.strip()) for part in parts if part.strip()]
    return tuple(tier for tier in tiers if tier is not None) if None not in tiers else ()


def tier_levels(tier: str, rate: Decimal | None, scope: Scope) -> tuple[str, ...]:
    """The ASTCT levels a device of this tier can mean at this flow (L/min)."""
    notes = scope.notes
    if tier == "cannula":
        return _cannula(rate, scope)
    if tier == "home-oxygen":
        notes.notice("home-oxygen", "oxygen the patient has at home: by itself no sign of CRS")
        return ("none", *(level for level in _cannula(rate, scope) if level != "none"))
    if tier == "high-flow-cannula":
        if rate is not None and rate <= LOW_FLOW_MAX:
            text = "high-flow nasal cannula at 6 L/min or less: low or high flow"
            notes.notice("high-flow-device-low-flow", text)
            return ("low-flow", "high-flow")
        return ("high-flow",)
    if tier == "home-positive-pressure":
        text = "positive pressure the patient has at home: by itself no sign of hypoxia"
        notes.notice("home-positive-pressure", text)
    if tier == "tracheostomy":
        notes.notice("tracheostomy", "tracheostomy: any level of oxygen support is possible")
        notes.missing("oxygen-device", "tracheostomy: its device has no place on the ASTCT scale")
    if tier == "unplaced":
        notes.missing("oxygen-device", "oxygen charted by a device without a place on the scale")
    return _TIERS[tier]


def _cannula(rate: Decimal | None, scope: Scope) -> tuple[str, ...]:
    if rate is None:
        scope.notes.missing("oxygen-flow", "nasal cannula without a flow")
        return ("low-flow", "high-flow")
    if rate == LOW_FLOW_MAX:
        text = "nasal cannula at exactly 6 L/min: low flow on the ASTCT scale"
        scope.notes.notice("flow-boundary", text)
    elif abs(rate - LOW_FLOW_MAX) <= _NEAR_BOUNDARY:
        side = "high" if rate > LOW_FLOW_MAX else "low"
        text = f"nasal cannula at {rate.normalize():f} L/min: {side} flow, close to the line at 6"
        scope.notes.notice("flow-near-boundary", text)
    if rate == 0:
        return ("none", "low-flow")
    return ("high-flow",) if rate > LOW_FLOW_MAX else ("low-flow",)


def highest(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The levels possible for the higher of two, in order."""
    if not one or not other:
        return one or other
    ranks = {max(LEVELS.index(a), LEVELS.index(b)) for a, b in product(one, other)}
    return tuple(LEVELS[rank] for rank in sorted(ranks))
