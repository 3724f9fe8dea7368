"""How numbers, units, dates and times are written; converts °C and °F for display only."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from cards.escape import markdown
from knowledge.facts import Evidence


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Beyond these a number is no body temperature in either unit and is shown as charted.
_COLDEST, _HOTTEST = Decimal(0), Decimal(200)
_SHOWN = {
    "Cel": "°C",
    "[degF]": "°F",
    "mm[Hg]": "mmHg",
    "{score}": "",
    "1": "",
}


def day(value: date) -> str:
    """A date no reader can mistake: 21 Nov 2026."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def time(value: datetime, zone: ZoneInfo) -> str:
    """A time in the site's zone, with the zone: 21 Nov 2026 02:10 GMT."""
    local = value.astimezone(zone)
    label = local.tzname() or ""
    label = label if label.isalpha() else f"UTC{local:%z}"
    return f"{day(local)} {local.hour:02}:{local.minute:02} {label}"


def number(value: Decimal) -> str:
    """A decimal without trailing zeros and without an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(evidence: Evidence) -> str:
    """Value and unit as charted, escaped; a temperature also in the other unit."""
    value = markdown(evidence.value)
    unit = _SHOWN[evidence.unit] if evidence.unit in _SHOWN else markdown(evidence.unit)
    shown = f"{value} {unit}".strip()
    if unit not in ("°C", "°F"):
        return shown
    try:
        charted = Decimal(evidence.value)
    except InvalidOperation:
        return shown
    if not charted.is_finite() or not _COLDEST < charted < _HOTTEST:
        return shown
    if unit == "°C":
        return f"{shown} ({charted * 9 / 5 + 32:.1f} °F)"
    return f"{shown} ({(charted - 32) * 5 / 9:.1f} °C)"
