"""What a case is given, in words a clinician reads; what is as in every case is left out."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from knowledge.case_model import Earlier, Given
from knowledge.plain import plain


USUAL = Given()


def given(what: Given, protocol: str, product: str) -> str:
    """The course in one line; `protocol` and `product` are those of the file."""
    parts = [_toxicities(what), *_course(what), *_patient(what)]
    if what.protocol != protocol:
        parts.append(f"protocol {what.protocol}")
    if what.drafted not in ("", product):
        parts.append(f"{what.drafted} ordered")
    if what.product not in ("", what.drafted or product):
        parts.append(f"{what.product} given before")
    return "; ".join(parts)


def _toxicities(what: Given) -> str:
    named = [
        f"{name} grade {str(grade).replace('-', ' or ')}"
        for name, grade in (("CRS", what.crs), ("ICANS", what.icans))
        if grade not in (0, "not-assessed")
    ]
    if not named:
        return "no toxicity now"
    lasted = "" if what.lasted == USUAL.lasted else f" for {plain(what.lasted)} h"
    over = "" if what.over is None else f", over for {plain(what.over)} h"
    return f"{' and '.join(named)}{lasted}{over}"


def _course(what: Given) -> Iterable[str]:
    if what.icans == "not-assessed":
        yield "ICANS not assessed"
    if what.charted is not None:
        yield f"grade {what.charted} charted by a clinician"
    if what.earlier is not None:
        yield f"earlier event of {_earlier(what.earlier)}, then a later dose"
    if what.seizures is not None:
        yield f"seizures charted: {what.seizures}"
    if what.tocilizumab:
        yield f"tocilizumab given {_ago(what.tocilizumab)}"
    if what.dosed is not None:
        yield f"doses {_ago(what.dosed)}" if what.dosed else "no dose given yet"


def _earlier(event: Earlier) -> str:
    named = (("CRS", event.crs), ("ICANS", event.icans))
    return " and ".join(f"{name} grade {grade}" for name, grade in named if grade is not None)


def _ago(hours: Sequence[Decimal]) -> str:
    return f"{', '.join(plain(value) for value in hours)} h ago"


def _patient(what: Given) -> Iterable[str]:
    if what.weight is None:
        yield "weight unknown"
    elif what.weight != USUAL.weight:
        yield f"{plain(what.weight)} kg"
    if what.age != USUAL.age:
        yield f"{what.age} years"
    if what.rate is not None:
        yield f"infusion at {plain(what.rate)} {what.rate_unit}"
    if what.route is not None:
        yield f"ordered {what.route.upper()}"
