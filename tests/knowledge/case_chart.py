"""A case's course as a chart: samples close enough that no hour of it is a gap."""

from collections.abc import Sequence
from typing import Any

import msgspec

from knowledge.case_model import Given
from knowledge.facts import ChartedGrade, Dose, Facts
from tests.spec.chart import (
    chart,
    charted,
    dose,
    graded,
    infusion,
    masking,
    readings,
    teclistamab_order,
)


OXYGEN: dict[object, str | tuple[str, ...]] = {2: "low-flow", "2-3": ("low-flow", "high-flow")}
ICE = {1: 8, 2: 5, 3: 2, 4: 0}
STEP = 1.0  # h between samples of an event
REST = 6.0  # h between samples after it
EDGE = 0.1  # h from the last abnormal sample to the charted end
EARLIER = {"dosed": 370.0, "event": 360.0, "over": 310.0}  # h before the present event began


def facts_of(given: Given, product: str) -> Facts:
    """The facts of a case; `product` is the one of its file."""
    drafted = given.drafted or product
    ingredient = given.product or drafted
    order = teclistamab_order(ingredient=drafted, display=drafted, route=given.route)
    weight = () if given.weight is None else readings("weight", (2, float(given.weight)))
    return chart(
        **_vitals(given),
        **_neuro(given),
        orders=(order,),
        doses=_doses(given, ingredient),
        grades=_grades(given),
        weights=weight,
        masking=tuple(masking("anticytokine", float(h), "tocilizumab") for h in given.tocilizumab),
        age_years=given.age,
    )


def _last(given: Given) -> float:
    """Hours ago of the last sample of the event: just before its end, or at a charted grade."""
    if given.over is not None:
        return float(given.over) + EDGE
    return 0.0 if given.charted is None else 1.0


def _began(given: Given, *, to_now: bool = False) -> float:
    """Hours ago of the first sample. `to_now`: the present counts as a sample of its own (CRS)."""
    last = 0.0 if to_now and given.over is None else _last(given)
    return max(last + float(given.lasted), _last(given))


def _points(first: float, last: float, step: float) -> list[float]:
    """Hours ago from `first` down to `last`, both included."""
    count = int((first - last) / step)
    points = [first - step * number for number in range(count + 1)]
    return points if points[-1] == last else [*points, last]


def _after(given: Given) -> list[float]:
    """Hours ago of the normal samples since the event is over."""
    return (
        [] if given.over is None else _points(float(given.over), min(1.0, float(given.over)), REST)
    )


def _vitals(given: Given) -> dict[str, Any]:
    """Complete sets: abnormal ones through a CRS event, normal ones after it or without one."""
    sick = _points(_began(given, to_now=True), _last(given), STEP) if given.crs else []
    well = _after(given) or ([] if given.crs else [1.0])
    oxygen = OXYGEN.get(given.crs, "none")
    return {
        "temperatures": readings("t", *((h, 38.6) for h in sick), *((h, 36.8) for h in well)),
        "systolic": readings("bp", *((h, 104) for h in sick), *((h, 122) for h in well)),
        "saturations": readings("spo2", *((h, 94) for h in sick), *((h, 97) for h in well)),
        "oxygen": charted("o2", *((h, oxygen) for h in sick), *((h, "none") for h in well)),
        "infusions": _infusions(given),
    }


def _infusions(given: Given) -> tuple[Any, ...]:
    agents = {3: ("norepinephrine",), 4: ("norepinephrine", "phenylephrine")}.get(
        given.crs if isinstance(given.crs, int) else 0, ()
    )
    start, end = _began(given, to_now=True), given.over
    return tuple(infusion(a, start, None if end is None else float(end)) for a in agents)


def _neuro(given: Given) -> dict[str, Any]:
    """ICE and arousal together, as one assessment; a seizure at the last sample of the event."""
    if given.icans == "not-assessed":
        return {}
    sick = _points(_began(given), _last(given), STEP) if given.icans else []
    well = _after(given) or ([] if given.icans else [1.0])
    arousal = "unarousable" if given.icans == 4 else "alert"
    found: dict[str, Any] = {
        "ice": readings("ice", *((h, ICE[given.icans]) for h in sick), *((h, 10) for h in well)),
        "arousal": charted("arousal", *((h, arousal) for h in sick), *((h, "alert") for h in well)),
    }
    if given.seizures is not None:
        at = _last(given)
        found["seizure"] = charted("seizure", (at, "brief"), *((h, "none") for h in well))
        found["seizure_counts"] = readings("seizures", (at, given.seizures))
    return found


def _doses(given: Given, ingredient: str) -> tuple[Dose, ...]:
    """Oldest first: before an earlier event, those of the case (else one), and tocilizumab."""
    began = _began(given) if given.crs or given.icans else 0.0
    default = began + 10 if given.over is not None or began >= 30 else 30.0
    hours = [default] if given.dosed is None else [float(h) for h in given.dosed]
    if given.earlier is not None:
        hours.append(began + EARLIER["dosed"])
    unit = "" if given.rate is None else given.rate_unit
    given_now = [
        msgspec.structs.replace(dose(ingredient, h), rate=given.rate, rate_unit=unit) for h in hours
    ]
    others = [dose("tocilizumab", float(h), "iv") for h in given.tocilizumab]
    return tuple(sorted([*given_now, *others], key=lambda d: d.start))


def _grades(given: Given) -> tuple[ChartedGrade, ...]:
    """What clinicians charted: an earlier event and its end, this event, its end."""
    return (*_earlier_grades(given), *_present_grades(given))


def _earlier_grades(given: Given) -> list[ChartedGrade]:
    if given.earlier is None:
        return []
    began = _began(given) if given.crs or given.icans else 0.0
    named = {"crs": given.earlier.crs, "icans": given.earlier.icans}
    return [
        graded(name, grade, began + EARLIER[when])
        for name, highest in named.items()
        if highest is not None
        for when, grade in (("event", highest), ("over", 0))
    ]


def _present_grades(given: Given) -> list[ChartedGrade]:
    present: Sequence[str] = [
        name for name, grade in (("crs", given.crs), ("icans", given.icans)) if _is_event(grade)
    ]
    found = []
    if given.charted is not None:
        found += [graded(name, given.charted, _last(given)) for name in present]
    if given.over is not None:
        found += [graded(name, 0, float(given.over)) for name in present]
    return found


def _is_event(grade: object) -> bool:
    return grade not in (0, "not-assessed")
