"""The arithmetic of tocilizumab and the limits of anakinra as tables, a source beside each number.

No dose is computed here but the product that is shown before rounding: results come with the
decision, limits with the library.
"""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from cards import care, citing, detail, supportive_check, terms, wording
from cards.escape import markdown
from cards.sheet import Line
from cards.units import number, time
from knowledge.assessment import Anakinra, Tocilizumab
from knowledge.decision import Decision
from knowledge.facts import Reading
from knowledge.library import Library
from knowledge.model import Header, SourceRef


NOT_STATED = "Not stated by the active protocol"
NO_DOSE = "No dose computed"
_UNKNOWN_COUNT = "Not known: earlier doses not available"


def tocilizumab(decision: Decision, library: Library, zone: ZoneInfo) -> tuple[Line, ...]:
    """Status, weight, product, cap, dose, counts and the earliest time; nothing without a check."""
    result = decision.assessment.tocilizumab
    if result is None:
        return ()
    return (
        Line("Check", care.checked(result)),
        *([Line("Reasons", _reasons(result.reasons))] if result.reasons else []),
        *_dose(decision, result, library, zone),
        Line("Doses in this event", count(result.doses_this_event)),
        Line("Doses in the last 6 weeks", count(result.doses_in_6_weeks)),
        Line("Earliest next dose by the limits", earliest(result, zone)),
        Line("Not checked", ", ".join(decision.not_checked or wording.NOT_CHECKED)),
    )


def earliest(result: Tocilizumab, zone: ZoneInfo) -> str:
    """When the limits allow a next dose, or why no time can be given."""
    if result.earliest is not None:
        return time(result.earliest, zone)
    if result.status == "blocked":
        return f"No time can be given: {_reasons(result.reasons)}"
    if result.status == "cannot-evaluate":
        return f"Not known: {_reasons(result.reasons) or 'the limits cannot be checked'}"
    free = "no limit of time stands against a dose now"
    if result.status == "not-addressed":
        return f"Not addressed by the active protocol; of the limits that always hold, {free}"
    return terms.capital(free)


def dose(result: Tocilizumab) -> str:
    """The dose of the limits and the weight."""
    return _mg(result.dose_mg) or NO_DOSE


def anakinra(result: Anakinra, library: Library) -> tuple[Line, ...]:
    """Status, start, step, both ceilings, route and kidneys of a check."""
    check = Line("Check", supportive_check.checked(result))
    reasons = [Line("Reasons", _reasons(result.reasons))] if result.reasons else []
    if result.status == "not-addressed" and result.step_mg is None:
        return (check, *reasons)
    return (check, *reasons, *_anakinra_doses(result, library))


def _anakinra_doses(result: Anakinra, library: Library) -> tuple[Line, ...]:
    limits = library.anakinra
    start, most = result.start_mg, result.max_mg_per_day
    return (
        Line("Start", _mg(start) or NO_DOSE, _cite(library, limits, limits.start_mg.source)),
        Line(
            "Step", _mg(result.step_mg) or NOT_STATED, _cite(library, limits, limits.step_mg.source)
        ),
        Line(
            "At most a day, by weight",
            _mg(most) or "Not computed: no recent measured weight",
            _cite(library, limits, limits.mg_per_kg_per_day.source),
        ),
        Line(
            "At most a day, continuous IV infusion",
            _mg(result.max_continuous_mg_per_day) or NOT_STATED,
            _cite(library, limits, limits.continuous_mg_per_day.source),
        ),
        Line("Route", result.route, _cite(library, limits, limits.platelets_below.source)),
        Line(
            "Kidneys", result.renal, _cite(library, limits, limits.clearance.caution_below.source)
        ),
    )


def _dose(decision: Decision, result: Tocilizumab, library: Library, zone: ZoneInfo) -> list[Line]:
    """From the weight to the dose; where no dose is given, no product is shown either."""
    limits = library.tocilizumab
    protocol = decision.assessment.protocol.id
    per_kg = limits.mg_per_kg.get(protocol)
    used = decision.tocilizumab_weight
    shown, source = _weight(used, decision.assessment.evaluated_at, zone)
    cap = limits.cap_mg
    lines = [
        Line("Weight", shown, source),
        Line(
            "Dose per kilogram",
            NOT_STATED if per_kg is None else f"{number(per_kg.value)} mg/kg",
            "" if per_kg is None else _cite(library, limits, per_kg.source),
        ),
    ]
    if result.dose_mg is not None and used is not None and per_kg is not None:
        product = wording.dose_text(per_kg.value * used.value)
        lines.append(
            Line(
                "Product",
                f"{number(per_kg.value)} mg/kg × {number(used.value)} kg = {product}",
            )
        )
    uncapped = result.uncapped_mg if result.uncapped_mg is not None else result.dose_mg
    return [
        *lines,
        Line("Before the cap, in whole mg (half up)", _mg(uncapped) or NO_DOSE),
        Line("Cap", f"{wording.dose_text(cap.value)} a dose", _cite(library, limits, cap.source)),
        Line("Calculated dose", dose(result)),
    ]


def _weight(used: Reading | None, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """The weight, when it was measured and how long ago, and its resource."""
    if used is None:
        return "No recent measured weight was read", ""
    hours = int((now - used.at).total_seconds() // 3600)
    shown = f"{number(used.value)} kg, {time(used.at, zone)} ({hours} h ago)"
    charted = detail.evidence(used.evidence, zone)
    return shown, f"Record: {charted} ({markdown(used.evidence.ref)})"


def _mg(value: Decimal | None) -> str:
    return "" if value is None else wording.dose_text(value)


def count(value: int | None) -> str:
    """Doses given, or that nobody could count them."""
    return _UNKNOWN_COUNT if value is None else str(value)


def _reasons(codes: tuple[str, ...]) -> str:
    return "; ".join(terms.reason(markdown(code)) for code in codes)


def _cite(library: Library, limits: Header, source: SourceRef) -> str:
    return citing.line(library.citation(limits, source.at, ref=source.ref))
