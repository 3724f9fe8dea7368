"""How a charted value is written: as charted, a temperature in the other unit as well."""

from decimal import Decimal

from cards.escape import plain
from cards.units import number
from knowledge.facts import Evidence


_UNITS = {"Cel": "°C", "[degF]": "°F", "mm[Hg]": "mmHg", "{score}": "", "1": ""}
_HUNDREDTH = Decimal("0.01")


def value_of(evidence: Evidence) -> str:
    """Value and unit as charted; empty where there is neither."""
    unit = _UNITS[evidence.unit] if evidence.unit in _UNITS else plain(evidence.unit)
    return f"{plain(evidence.value)} {unit}".strip()


def temperature(evidence: Evidence, celsius: Decimal) -> str:
    """As charted and in the other unit. `celsius`: the value that is used, in Cel."""
    both = f"{degrees(celsius)} °C ({fahrenheit(celsius)} °F)"
    return f"{value_of(evidence)} ({degrees(celsius)} °C)" if evidence.unit == "[degF]" else both


def degrees(celsius: Decimal) -> str:
    """To a hundredth: a tenth would hide on which side of a threshold it is."""
    return number(celsius.quantize(_HUNDREDTH))


def fahrenheit(celsius: Decimal) -> str:
    """The same temperature in degrees Fahrenheit, for display."""
    return number((celsius * 9 / 5 + 32).quantize(_HUNDREDTH))


def said(note: str) -> tuple[str, ...]:
    """A note of the evidence as a mark, where there is one."""
    text = plain(note)
    return (text,) if text else ()
