"""Anakinra in sentences: dose, both ceilings, route, kidneys, conditions; each with its source."""

from knowledge.anakinra_terms import FOR_INFORMATION, NO_DOSE_IN, SILENT
from knowledge.assessment import Anakinra
from knowledge.decision import TocilizumabLine
from knowledge.dosing_model import AnakinraLimits
from knowledge.library import Library
from knowledge.model import SourceRef
from knowledge.plain import plain


_Line = tuple[str, SourceRef]


def lines(result: Anakinra, library: Library) -> tuple[TocilizumabLine, ...]:
    """One cited sentence per limit; the last one says what was not checked."""
    limits = library.anakinra
    if SILENT in result.reasons:
        found = _silence(result, limits)
        if FOR_INFORMATION in result.reasons:
            prefix = f"For information, {limits.stated_by}: "
            found += [(f"{prefix}{text}", source) for text, source in _ceilings(result, limits)]
    else:
        found = _dose(limits) + _ceilings(result, limits) + _cautions(limits)
        found += [(one.text, one.source) for one in limits.statements]
        if result.status == "allowed":
            found += [(one.text, one.source) for one in limits.administration]
    found.append((f"Not checked: {', '.join(limits.not_checked)}", limits.source))
    return tuple(
        TocilizumabLine(text, library.citation(limits, source.at, ref=source.ref))
        for text, source in found
    )


def _silence(result: Anakinra, limits: AnakinraLimits) -> list[_Line]:
    return [
        (f"The active protocol, {name}, states no anakinra dose", source)
        for name, source in limits.silent.items()
        if f"{NO_DOSE_IN}{name}" in result.reasons
    ]


def _dose(limits: AnakinraLimits) -> list[_Line]:
    start, step = limits.start_mg, limits.step_mg
    more = f"more in steps of {plain(step.value)} mg by response"
    return [(f"{plain(start.value)} mg once daily, {more}", start.source)]


def _ceilings(result: Anakinra, limits: AnakinraLimits) -> list[_Line]:
    """Both: the document states one for the dose by weight and one for continuous infusion."""
    by_weight, continuous = limits.mg_per_kg_per_day, limits.continuous_mg_per_day
    most = result.max_mg_per_day
    here = "" if most is None else f" ({plain(most)} mg at the recent weight)"
    return [
        (f"At most {plain(by_weight.value)} mg/kg/day{here}", by_weight.source),
        (
            f"Continuous IV infusion: at most {plain(continuous.value)} mg/day"
            " without the loading dose",
            continuous.source,
        ),
    ]


def _cautions(limits: AnakinraLimits) -> list[_Line]:
    platelets, kidneys = limits.platelets_below, limits.clearance
    low, high = kidneys.alternate_days_below, kidneys.caution_below
    return [
        (
            "SC unless unsuitable; the IV route may be considered with platelets under"
            f" {plain(platelets.value)} x10*9/L",
            platelets.source,
        ),
        (
            f"Creatinine clearance {plain(low.value)} to under {plain(high.value)} mL/min: caution;"
            f" under {plain(low.value)}: consider a dose every other day",
            high.source,
        ),
    ]
