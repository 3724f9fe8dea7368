"""Numbers and units: a short allow-list with `Decimal` factors; what is not on it is refused.

A general unit library reads `F` as farad and `K/uL` as kelvin, so none is used. A missing unit is
never filled in. Each function answers a `Decimal`, or a `str` that says why there is none.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, NamedTuple

from msgspec import Raw

from fhir_mapping.datatypes import Quantity


UCUM = "http://unitsofmeasure.org"
Kind = Literal[
    "temperature",
    "pressure",
    "saturation",
    "flow",
    "weight",
    "dose",
    "rate",
    "duration",
    "time",
    "volume",
    "volume-rate",
    "creatinine",
    "platelets",
]


class Unit(NamedTuple):
    """canonical = (value - `shift`) * `factor`"""

    factor: Decimal
    shift: Decimal
    name: str


def _unit(name: str, factor: str = "1", shift: str = "0") -> Unit:
    return Unit(Decimal(factor), Decimal(shift), name)


_CEL = _unit("Cel")
_FAHRENHEIT = Unit(Decimal(5) / Decimal(9), Decimal(32), "[degF]")
_MMHG = _unit("mm[Hg]")
_PERCENT = _unit("%")
_RATIO = _unit("1", factor="100")
_FLOW = _unit("L/min")
_KG = _unit("kg")
_LB = _unit("[lb_av]", factor="0.45359237")
_OZ = _unit("[oz_av]", factor="0.028349523125")
_MG = _unit("mg")
_UG = _unit("ug", factor="0.001")
_MG_PER_KG = _unit("mg/kg")
_MIN = _unit("min")
_HOUR = _unit("h", factor="60")
_ML = _unit("mL")
_LITRE = _unit("L", factor="1000")
_ML_HOUR = _unit("mL/h")
_CREATININE_MASS = _unit("mg/dL")
_CREATININE_MOLES = Unit(1 / Decimal("88.4"), Decimal(0), "umol/L")  # 1 mg/dL = 88.4 umol/L
_PER_LITRE = _unit("10*9/L")  # 10*3/uL is the same number
_PER_MICROLITRE = _unit("/uL", factor="0.001")
_MCG_DAY = _unit("mcg/day")

CODES: dict[Kind, dict[str, Unit]] = {
    "temperature": {"Cel": _CEL, "[degF]": _FAHRENHEIT, "K": _unit("K", shift="273.15")},
    "pressure": {"mm[Hg]": _MMHG, "kPa": _unit("kPa", factor="7.50061682704")},
    "saturation": {"%": _PERCENT, "1": _RATIO},
    "flow": {"L/min": _FLOW, "l/min": _FLOW},
    "weight": {"kg": _KG, "g": _unit("g", factor="0.001"), "[lb_av]": _LB, "[oz_av]": _OZ},
    "dose": {"mg": _MG, "ug": _UG, "g": _unit("g", factor="1000"), "mg/kg": _MG_PER_KG},
    "rate": {"ug/d": _MCG_DAY, "ug/h": _unit("ug/h", factor="24")},
    "duration": {"min": _MIN},
    "time": {"min": _MIN, "h": _HOUR},
    "volume": {"mL": _ML, "ml": _ML, "L": _LITRE, "l": _LITRE},
    "volume-rate": {"mL/h": _ML_HOUR, "ml/h": _ML_HOUR},
    "creatinine": {"mg/dL": _CREATININE_MASS, "umol/L": _CREATININE_MOLES},
    "platelets": {
        **dict.fromkeys(("10*9/L", "10*3/uL"), _PER_LITRE),
        **dict.fromkeys(("/uL", "/mm3"), _PER_MICROLITRE),
    },
}
TEXTS: dict[Kind, dict[str, Unit]] = {
    "temperature": {
        **dict.fromkeys(("degc", "°c", "c", "deg c", "celsius", "cel"), _CEL),
        **dict.fromkeys(("degf", "°f", "f", "fahrenheit", "[degf]"), _FAHRENHEIT),
    },
    "pressure": {"mmhg": _MMHG, "mm hg": _MMHG, "mm[hg]": _MMHG},
    "saturation": {"%": _PERCENT, "percent": _PERCENT},
    "flow": dict.fromkeys(("lpm", "liters/min", "l/minute", "l/min"), _FLOW),
    "weight": {
        **dict.fromkeys(("kg", "kgs"), _KG),
        **dict.fromkeys(("lb", "lbs", "[lb_av]"), _LB),
        "g": CODES["weight"]["g"],
        **dict.fromkeys(("ounces", "[oz_av]"), _OZ),
    },
    "dose": {"mg": _MG, "mcg": _UG, "ug": _UG, "g": CODES["dose"]["g"], "mg/kg": _MG_PER_KG},
    "rate": {**dict.fromkeys(("mcg/day", "ug/day", "mcg/d"), _MCG_DAY)},
    "duration": {"min": _MIN},
    "time": {"min": _MIN, "h": _HOUR, "hour": _HOUR},
    "volume": {"ml": _ML, "l": _LITRE},
    "volume-rate": dict.fromkeys(("ml/h", "ml/hr", "ml/hour"), _ML_HOUR),
    "creatinine": {
        "mg/dl": _CREATININE_MASS,
        **dict.fromkeys(("umol/l", "µmol/l", "μmol/l", "mcmol/l"), _CREATININE_MOLES),
    },
    "platelets": {
        **dict.fromkeys(
            ("10*9/l", "10*3/ul", "k/ul", "thou/ul", "x10e3/ul", "thou/cumm"), _PER_LITRE
        ),
        **dict.fromkeys(("/ul", "/mm3"), _PER_MICROLITRE),
    },
}
# Plausible values in the canonical unit, both ends included; outside: refused, never clipped.
LIMITS: dict[Kind, tuple[Decimal, Decimal]] = {
    "temperature": (Decimal(30), Decimal(43)),
    "pressure": (Decimal(20), Decimal(260)),
    "saturation": (Decimal(50), Decimal(100)),
    "flow": (Decimal(0), Decimal(80)),
    "weight": (Decimal(2), Decimal(300)),
    "dose": (Decimal("0.000001"), Decimal(100000)),
    "rate": (Decimal("0.1"), Decimal(1000)),
    "duration": (Decimal(0), Decimal(10080)),
    "time": (Decimal(0), Decimal(10080)),
    "volume": (Decimal(0), Decimal(20000)),
    "volume-rate": (Decimal(0), Decimal(5000)),
    "creatinine": (Decimal("0.1"), Decimal(40)),
    "platelets": (Decimal(1), Decimal(3000)),
}
# Narrower ones for a fact that is one sort of its kind.
FACT_LIMITS: dict[str, tuple[Decimal, Decimal]] = {
    "systolic": (Decimal(40), Decimal(260)),
    "mean-pressure": (Decimal(20), Decimal(200)),
}
_FAHRENHEIT_RANGE = (Decimal(86), Decimal(113))
_FRACTION_RANGES = (
    (Decimal("0.21"), Decimal(1), Decimal(100)),
    (Decimal(21), Decimal(100), Decimal(1)),
)
_HUNDREDTH = Decimal("0.01")
_LARGEST_EXPONENT = 6
_LONGEST_NUMBER = 24  # characters; a clinical number is shorter, and arithmetic stays cheap


def number(raw: Raw | bytes) -> Decimal | None:
    """The JSON number in `raw`, exactly as written; None for a string, a boolean or nothing."""
    data = bytes(raw)
    if not data or len(data) > _LONGEST_NUMBER or data[0] not in b"-0123456789":
        return None
    try:
        return Decimal(data.decode())
    except InvalidOperation:  # an exponent beyond all arithmetic
        return None


def recorded_unit(quantity: Quantity) -> str:
    """The unit as the source system wrote it."""
    return quantity.code or quantity.unit or ""


def oxygen_fraction(quantity: Quantity) -> Decimal | str:
    """The inspired oxygen in percent, or why it is not used.

    Charted as a fraction or as percent whatever the unit says; the two ranges do not meet.
    """
    value = number(quantity.value)
    unit = recorded_unit(quantity).lower()
    if value is None or quantity.comparator or unit not in {"", "1", "%", "percent"}:
        return "inspired oxygen without a plain number in % or as a fraction: not used"
    for low, high, factor in _FRACTION_RANGES:
        if low <= value <= high:
            return value * factor
    return f"inspired oxygen {value} is neither 0.21-1 nor 21-100 %: not used"


@lru_cache(maxsize=512)
def find_unit(kind: Kind, system: str | None, code: str | None, text: str | None) -> Unit | None:
    """The unit meant by code and text, or None: unknown, absent, or the two disagree."""
    by_text = TEXTS[kind].get(" ".join(text.lower().split())) if text else None
    if not code:
        return by_text
    if code == "1" and system != UCUM:
        return None  # a ratio only where the code system says so
    by_code = CODES[kind].get(code)
    if by_code is None and system != UCUM:
        by_code = TEXTS[kind].get(" ".join(code.lower().split())) or by_text
    return by_code if by_text in {None, by_code} else None


def canonical(kind: Kind, quantity: Quantity, fact: str = "") -> Decimal | str:
    """The value in the canonical unit (Cel, mm[Hg], %, L/min, kg, mg, min, mg/dL for
    creatinine, 10*9/L for platelets), or why it is not used.

    A `fact` with limits of its own is held to those. Temperatures are quantised to 0.01 half up,
    which absorbs conversion noise and nothing else.
    """
    if quantity.comparator:
        text = f"{quantity.comparator[:2]} {bytes(quantity.value).decode()[:_LONGEST_NUMBER]}"
        return f"{kind} {text} is not an exact value: not used"
    raw = bytes(quantity.value)
    if len(raw) > _LONGEST_NUMBER:
        return f"{kind} without a plausible number: not used"
    return _converted(kind, raw, quantity.system, quantity.code, quantity.unit, fact)


# Vital signs repeat: the same few hundred values make up thousands of observations.
@lru_cache(maxsize=4096)
def _converted(
    kind: Kind,
    raw: bytes,
    system: str | None,
    code: str | None,
    text: str | None,
    fact: str,
) -> Decimal | str:
    value = number(raw)
    if value is None:
        return f"{kind} without a number: not used"
    written = (code or text or "")[:_LONGEST_NUMBER]
    unit = find_unit(kind, system, code, text)
    if unit is None:
        if not written:
            return f"{kind} {value} without a unit: not used{_inferred(kind, value)}"
        return f"{kind} {value} {written}: unit not accepted, not used"
    low, high = FACT_LIMITS.get(fact) or LIMITS[kind]
    if abs(value.adjusted()) <= _LARGEST_EXPONENT:  # else beyond every limit and costly
        result = (value - unit.shift) * unit.factor if unit.factor != 1 or unit.shift else value
        if kind == "temperature":
            result = result.quantize(_HUNDREDTH, ROUND_HALF_UP)
        if low <= result <= high:
            return result
    likely = "; likely Fahrenheit" if _looks_fahrenheit(kind, unit, value) else ""
    return f"{value} {written} is outside {low}-{high}: not used{likely}"


def _looks_fahrenheit(kind: Kind, unit: Unit, value: Decimal) -> bool:
    low, high = _FAHRENHEIT_RANGE
    return kind == "temperature" and unit is _CEL and low <= value <= high


def _inferred(kind: Kind, value: Decimal) -> str:
    if kind != "temperature":
        return ""
    if LIMITS[kind][0] <= value <= LIMITS[kind][1]:
        return "; possibly Celsius"
    low, high = _FAHRENHEIT_RANGE
    return "; possibly Fahrenheit" if low <= value <= high else ""
