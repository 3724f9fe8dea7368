"""How this site charts what is graded: codes, units, times, the shape of blood pressures.

Counts and codes only. Of first pages, so that it is a sample and says so by its numbers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Raw

from cds.doctor.finding import Finding, fail, listed, ok, unchecked, warn
from cds.trying.codings import Met, codings_of, counted, resources_in
from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import CodeableConcept, Quantity
from fhir_mapping.record import find_concept
from fhir_mapping.resources import Observation
from fhir_mapping.times import instant
from fhir_mapping.units import Kind, canonical, find_unit


_STANDARD = ("http://loinc.org|", "http://snomed.info/sct|")
_UNITS: Mapping[str, Kind] = {
    "temperature": "temperature",
    "systolic": "pressure",
    "mean-pressure": "pressure",
    "saturation": "saturation",
    "saturation-room-air": "saturation",
    "oxygen-flow": "flow",
    "weight": "weight",
}
_PRESSURES = frozenset({"pressure", "systolic", "mean-pressure"})
_OVERLAY = "put those that mean something this service reads into the code overlay"
_LONGEST = 24


def charting(answers: Mapping[str, Raw], codes: CodeSets) -> Iterator[Finding]:
    """`answers`: first pages by prefetch key."""
    found = {key: _observations(raw) for key, raw in answers.items()}
    for key in ("vitals", "oxygen", "assessments"):
        if key in found:
            yield _codes(key, found[key], codes)
    seen: dict[str | int, Observation] = {}
    for key in ("vitals", "oxygen"):
        for place, one in enumerate(found.get(key, ())):
            seen.setdefault(one.id or f"{key} {place}", one)
    every = tuple(seen.values())
    if not every:
        yield unchecked(
            "charting", "no vital sign and no oxygen came", "choose a patient with such data"
        )
        return
    yield _pressures(every, codes)
    yield _units(every, codes)
    yield _times(every)


def _observations(raw: Raw) -> tuple[Observation, ...]:
    return tuple(one for one in resources_in(raw) if isinstance(one, Observation))


def _codes(key: str, observations: Iterable[Observation], codes: CodeSets) -> Finding:
    check = f"codes {key}"
    met = tuple(codings_of(observations, codes))
    if not met:
        return unchecked(check, "no Observation came", "choose a patient with such data")
    facts = Counter(one.fact for one in met if one.use == "used")
    read = ", ".join(f"{fact} {number}" for fact, number in sorted(facts.items()))
    local = tuple(one for one in met if one.use == "unknown" and not _standard(one))
    other = sum(one.use == "unknown" for one in met) - len(local)
    text = f"{len(met)} Observations: {read or 'none of use'}"
    text += f"; {other} of standard codes that no fact uses" if other else ""
    unknown = counted(met, "unknown").get("Observation", {})
    if local:
        own = counted(local, "unknown")["Observation"]
        text += f"; {len(local)} of codes unknown here: {listed(own)}"
        # Surveys hold much that is no concern of this service; vital signs do not.
        status = fail if key == "vitals" and not facts else warn
        return status(check, text, _OVERLAY, unknown)
    return ok(check, text, unknown)


def _standard(one: Met) -> bool:
    return any(code.startswith(_STANDARD) for code in one.codes)


def _pressures(observations: Iterable[Observation], codes: CodeSets) -> Finding:
    panels = singles = hollow = 0
    for one in observations:
        concept = find_concept(one, codes.observations)
        if concept is None or concept.excluded or concept.fact not in _PRESSURES:
            continue
        if one.component:
            parts = {_fact(part.code, codes) for part in one.component if part.value_quantity}
            panels += 1
            hollow += not parts & {"systolic", "mean-pressure"}
        elif concept.fact == "pressure":
            hollow, panels = hollow + 1, panels + 1
        else:
            singles += 1
    text = f"{panels} panels with components, {singles} single values"
    if not panels and not singles:
        return warn(
            "pressure", "no blood pressure that is known here", "choose a patient with such data"
        )
    if hollow:
        return warn(
            "pressure",
            f"{text}; {hollow} panels without a systolic or mean pressure that is known here",
            "map the codes of their components in the code overlay",
        )
    return ok("pressure", text)


def _units(observations: Iterable[Observation], codes: CodeSets) -> Finding:
    good: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    odd: Counter[str] = Counter()
    for one in observations:
        for fact, quantity in _quantities(one, codes):
            unit = quantity.code or quantity.unit
            kind = _UNITS[fact]
            if find_unit(kind, quantity.system, quantity.code, quantity.unit) is not None:
                if isinstance(canonical(kind, quantity, fact), str):
                    odd[f"{fact} not plausible in its unit"] += 1
                else:
                    good[fact] += 1
            elif unit:
                odd[f"{fact} in {_plain(unit)}"] += 1
            else:
                missing[f"{fact} without a unit"] += 1
    wrong = {**missing, **odd}
    if not wrong:
        return ok("units", f"{sum(good.values())} values, each with a unit that is accepted")
    step = "have each value sent with the UCUM code of its own unit: these are not used"
    lost = {name.partition(" ")[0] for name in wrong}
    status = fail if any(not good[fact] for fact in lost) else warn
    return status("units", f"{listed(wrong)}; {sum(good.values())} are good", step, wrong)


def _quantities(one: Observation, codes: CodeSets) -> Iterator[tuple[str, Quantity]]:
    concept = find_concept(one, codes.observations)
    if concept is None or concept.excluded:
        return
    if one.value_quantity is not None and concept.fact in _UNITS:
        yield concept.fact, one.value_quantity
    for part in one.component:
        fact = _fact(part.code, codes)
        if part.value_quantity is not None and fact in _UNITS:
            yield fact, part.value_quantity


def _fact(code: CodeableConcept | None, codes: CodeSets) -> str:
    for coding in code.coding if code is not None else ():
        concept = codes.observations.get((coding.system, coding.code))
        if concept is not None and not concept.excluded:
            return concept.fact
    return ""


def _times(observations: tuple[Observation, ...]) -> Finding:
    wrong: Counter[str] = Counter()
    for one in observations:
        period = one.effective_period
        text = one.effective_date_time or one.effective_instant
        text = text or (period and (period.start or period.end)) or ""
        if instant(text) is None:
            kind = "no time" if not text else "no zone" if "T" in text else "a date alone"
            wrong[kind] += 1
    bad = sum(wrong.values())
    if not bad:
        return ok("times", f"{len(observations)} Observations, each with time and zone")
    step = "have times sent with their zone: without one they cannot be ordered and are not used"
    status = fail if bad == len(observations) else warn
    return status("times", f"{listed(wrong)} of {len(observations)} Observations", step, wrong)


def _plain(unit: str) -> str:
    text = "".join(sign if sign.isprintable() else "?" for sign in unit)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
