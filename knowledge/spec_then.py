"""What must follow in a case, in words a clinician reads; what is not looked at is left out."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec import UNSET

from knowledge.case_model import Expect, plainly
from knowledge.plain import plain
from knowledge.treatment import CurrentInfusion, Resolved, Restart, Strength


NEXT_DOSE = {
    "hospitalize": "hospital stay",
    "monitor": "monitoring",
    "premedicate": "premedication",
    "rate": "slower infusion",
    "resolved": "resolved for",
    "restart": "restart at",
    "escalate": "escalate to",
    "dose_level": "dose level",
    "max_infusion_hours": "infusion of at most",
    "current_infusion": "present infusion",
}
ABSENT = {
    "until": "until when",
    "reason": "why",
    "medications": "medicines",
    "tocilizumab": "tocilizumab",
    **NEXT_DOSE,
    "resolved": "how long resolved",
    "restart": "restart dose",
    "escalate": "escalation",
    "max_infusion_hours": "length of the infusion",
}


def then(expect: Expect) -> str:
    """The expectation, its lines divided by `<br>`."""
    lines = [
        _action(expect),
        _next_dose(expect),
        *_medicines(expect),
        _quoted("says", expect.says),
        _quoted("never says", expect.never_says),
        _listed("notice", expect.notices),
        _listed("no notice", expect.not_notices),
        _listed("nothing on:", _absent(expect)),
    ]
    return "<br>".join(line for line in lines if line)


def _action(expect: Expect) -> str:
    action = f"**{expect.action.replace('-', ' ')}**"
    if expect.confirmed is not UNSET and expect.action == "discontinue-permanently":
        action += ", confirmed" if expect.confirmed else ", to be confirmed"
    if isinstance(expect.until, str):
        until = expect.until.replace("icans", "ICANS").replace("crs", "CRS").replace("-", " ")
        action += f" until {until}"
    if isinstance(expect.reason, str):
        action += f" (“{expect.reason}”)"
    return action


def _next_dose(expect: Expect) -> str:
    stated = [
        f"{name} {_value(value)}"
        for field, name in NEXT_DOSE.items()
        if (value := getattr(expect, field)) is not UNSET and value is not None
    ]
    return f"next dose: {'; '.join(stated)}" if stated else ""


def _value(value: Any) -> str:
    """One condition of the next dose."""
    match value:
        case Strength():
            return _strength(value)
        case Resolved():
            return f"{'more than' if value.strict else 'at least'} {plain(value.hours)} h"
        case Restart():
            after = "" if value.after_days is None else f" after {value.after_days} days"
            return f"{plain(value.dose)} {value.unit}{after}"
        case CurrentInfusion():
            percent = value.resume_percent
            words = value.action.replace("-", " ")
            return words if percent is None else f"{words}, {plain(percent)} %"
        case Decimal():
            return f"{plain(value)} h"
        case _:
            return str(value)


def _strength(value: Strength) -> str:
    words = "to be considered" if value.strength == "consider" else value.strength
    hours = "" if value.hours is None else f", {plain(value.hours)}"
    hours += "" if value.hours_to is None else f"-{plain(value.hours_to)}"
    percent = "" if value.percent is None else f", {plain(value.percent)} %"
    return f"{words}{hours}{' h' if hours else ''}{percent}"


def _medicines(expect: Expect) -> Iterable[str]:
    if isinstance(expect.medications, tuple):
        yield from (plainly(text) for text in expect.medications)
    if isinstance(expect.tocilizumab, str):
        yield f"tocilizumab: {expect.tocilizumab.replace('-', ' ').replace('icans', 'ICANS')}"
    if isinstance(expect.tocilizumab_status, str):
        yield f"limits of tocilizumab: {expect.tocilizumab_status.replace('-', ' ')}"


def _absent(expect: Expect) -> list[str]:
    return [name for field, name in ABSENT.items() if getattr(expect, field) in (None, ())]


def _quoted(word: str, texts: tuple[str, ...]) -> str:
    return _listed(word, [f"“{text}”" for text in texts])


def _listed(word: str, items: Iterable[str]) -> str:
    found = ", ".join(items)
    return f"{word} {found}" if found else ""
