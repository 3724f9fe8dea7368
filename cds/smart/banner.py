"""Whose page this is: name, age, identifiers, drug and hours since its last dose."""

from datetime import date, datetime

import msgspec
from msgspec import Struct

from cds.config import Site
from cds.pipeline import Evaluation
from cds.smart.at_hand import PatientRecord


class Banner(Struct, frozen=True, kw_only=True):
    """Texts of the record as they are; templates escape them. `hours`: since the last dose."""

    name: str
    born: date | None
    age: int | None
    sex: str
    identifiers: tuple[str, ...]
    agent: str
    last_dose: datetime | None
    hours: float | None


class _Type(Struct, frozen=True):
    text: str = ""


class _Identifier(Struct, frozen=True):
    value: str = ""
    type: _Type = _Type()


class _Name(Struct, frozen=True):
    text: str = ""
    family: str = ""
    given: tuple[str, ...] = ()
    use: str = ""


class _Patient(Struct, frozen=True, rename="camel"):
    name: tuple[_Name, ...] = ()
    identifier: tuple[_Identifier, ...] = ()
    gender: str = ""
    birth_date: str = ""


def banner_of(record: PatientRecord, evaluation: Evaluation, site: Site) -> Banner:
    """Of the Patient as it was read; what cannot be read there is shown as not stated."""
    patient = _patient(record)
    agent = evaluation.decision.assessment.agent
    last = agent.last_dose if agent is not None else None
    now = evaluation.decision.assessment.evaluated_at
    return Banner(
        name=_name(patient),
        born=_day(patient.birth_date),
        age=evaluation.facts.age_years,
        sex=patient.gender,
        identifiers=tuple(one.value for one in patient.identifier if one.value),
        agent=agent.ingredient if agent is not None else "",
        last_dose=last,
        hours=None if last is None else (now - last).total_seconds() / 3600,
    )


def _patient(record: PatientRecord) -> _Patient:
    try:
        return msgspec.json.decode(record.request.prefetch["patient"], type=_Patient)
    except (msgspec.DecodeError, KeyError):
        return _Patient()


def _name(patient: _Patient) -> str:
    official = sorted(patient.name, key=lambda one: one.use != "official")
    for one in official:
        shown = one.text or " ".join((*one.given, one.family)).strip()
        if shown:
            return shown
    return ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
