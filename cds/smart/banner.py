"""Whose page this is: name, age, identifiers, drug and hours since its last dose."""

from datetime import date, datetime
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from cds.pipeline import Evaluation
from cds.smart.at_hand import PatientRecord


T = TypeVar("T")


class Banner(Struct, frozen=True, kw_only=True):
    """Texts of the record as they are; templates escape them. `hours`: since the last dose.

    `doses_read`: whether the administrations were read, so that none means none charted.
    """

    name: str
    born: date | None
    age: int | None
    sex: str
    identifiers: tuple[str, ...]
    agent: str
    last_dose: datetime | None
    hours: float | None
    doses_read: bool


class _Patient(Struct, frozen=True, rename="camel"):
    """Each member is read for itself: one that is malformed hides no other."""

    name: Raw = Raw(b"null")  # msgspec reads `Raw | None` as null alone
    identifier: Raw = Raw(b"null")
    gender: Raw = Raw(b"null")
    birth_date: Raw = Raw(b"null")


class _Name(Struct, frozen=True):
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] | None = None
    use: str | None = None


class _Identifier(Struct, frozen=True):
    value: str | None = None


def banner_of(record: PatientRecord, evaluation: Evaluation) -> Banner:
    """Of the Patient as it was read; what cannot be read there is shown as not stated."""
    patient = _patient(record)
    agent = evaluation.decision.assessment.agent
    last = agent.last_dose if agent is not None else None
    now = evaluation.decision.assessment.evaluated_at
    return Banner(
        name=_name(patient),
        born=_day(_read(patient.birth_date, str) or ""),
        age=evaluation.facts.age_years,
        sex=_read(patient.gender, str) or "",
        identifiers=_identifiers(patient),
        agent=agent.ingredient if agent is not None else "",
        last_dose=last,
        hours=None if last is None else (now - last).total_seconds() / 3600,
        doses_read="administrations" in evaluation.facts.answered,
    )


def _patient(record: PatientRecord) -> _Patient:
    return _read(record.request.prefetch.get("patient"), _Patient) or _Patient()


def _read(raw: Raw | None, kind: type[T]) -> T | None:
    """None where it is absent or not of this kind."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError:
        return None


def _list(raw: Raw) -> tuple[Raw, ...]:
    return _read(raw, tuple[Raw, ...]) or ()


def _name(patient: _Patient) -> str:
    names = [one for raw in _list(patient.name) if (one := _read(raw, _Name)) is not None]
    for one in sorted(names, key=lambda found: found.use != "official"):
        parts = (*(one.given or ()), one.family)
        shown = one.text or " ".join(part for part in parts if part)
        if shown.strip():
            return shown.strip()
    return ""


def _identifiers(patient: _Patient) -> tuple[str, ...]:
    found = (_read(raw, _Identifier) for raw in _list(patient.identifier))
    return tuple(one.value for one in found if one is not None and one.value)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
