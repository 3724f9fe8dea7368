"""The controls of the grading form, in the order they are shown; nothing has a value beforehand.

Questions and answers are those of the Questionnaire. Its own are only the labels of vital signs,
which the Questionnaire does not ask. It reads no answer.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cards.terms import syndrome
from fhir_mapping.definitions import form, ice_items, questions
from fhir_mapping.units import Kind
from knowledge.facts import ToxicityName


TOXICITIES: tuple[ToxicityName, ...] = ("crs", "icans")
NOT_PERFORMED = "ice-not-performed"
TEMPERATURES = {"temperature-cel": "Cel", "temperature-degf": "[degF]"}
_SHOWN = {"Cel": "°C", "[degF]": "°F", "mm[Hg]": "mmHg"}


class Choice(Struct, frozen=True):
    """One answer: the code that is sent, and its words."""

    code: str
    text: str


class Field(Struct, frozen=True, kw_only=True):
    """One control. `measure` and `unit` (UCUM) of a decimal; `limits` of a whole number."""

    name: str
    label: str
    kind: Literal["choice", "whole", "decimal", "text"]
    choices: tuple[Choice, ...] = ()
    limits: tuple[int, int] = (0, 0)
    measure: Kind | None = None
    unit: str = ""

    @property
    def shown_unit(self) -> str:
        """The unit as people write it."""
        return _SHOWN.get(self.unit, self.unit)

    @property
    def title(self) -> str:
        """The label with what an answer is written in: its unit, or the limits of a number."""
        if self.kind == "whole":
            return f"{self.label} ({self.limits[0]} to {self.limits[1]})"
        return f"{self.label} ({self.shown_unit})" if self.unit else self.label


class Section(Struct, frozen=True):
    """Fields under one heading of the Questionnaire."""

    name: str
    title: str
    fields: tuple[Field, ...]


class Asked(Struct, frozen=True, kw_only=True):
    """Which parts are asked of whom. `statements`: attribution and a grade of the user's own."""

    ice: bool
    capd: bool
    statements: bool


def asked(age: int | None, capd_under: int, *, may_chart: bool) -> Asked:
    """CAPD under the age the scale names, ICE from it on, both where the age is not known."""
    return Asked(
        ice=age is None or age >= capd_under,
        capd=age is None or age < capd_under,
        statements=may_chart,
    )


def sections(of: Asked) -> tuple[Section, ...]:
    """Vital signs and support first, then neurology, then what only a clinician can state."""
    titles = {one.link_id: one.text for one in form().item}
    found = [Section("support", titles["group-support"], (*_vital_signs(), *_support()))]
    if of.ice:
        found.append(Section("ice", titles["group-ice"], tuple(_ice())))
    if of.capd:
        found.append(Section("capd", titles["group-capd"], (_whole("capd-total"),)))
    found.append(Section("neurology", titles["group-neurology"], tuple(_neurology())))
    if of.statements:
        causes = tuple(_attribution(one) for one in TOXICITIES)
        grades = tuple(_points(f"{one}-grade") for one in TOXICITIES)
        found.append(Section("attribution", titles["group-attribution"], causes))
        found.append(Section("grades", titles["group-grades"], grades))
    return tuple(found)


def _vital_signs() -> Iterator[Field]:
    for name, unit in TEMPERATURES.items():
        yield _decimal(name, "Temperature", "temperature", unit)
    yield _decimal("systolic", "Systolic blood pressure", "pressure", "mm[Hg]")
    yield _decimal("diastolic", "Diastolic blood pressure", "pressure", "mm[Hg]")
    yield _decimal("saturation", "SpO2", "saturation", "%")


def _support() -> Iterator[Field]:
    yield _choice("oxygen-device")
    yield _decimal("oxygen-flow", questions()["oxygen-flow"].text, "flow", "L/min")
    yield _choice("hypotension-support")


def _ice() -> Iterator[Field]:
    order = [link for link in questions() if link in ice_items()]
    yield from map(_points, order)
    yield Field(name=NOT_PERFORMED, label="ICE not able to be performed: reason", kind="text")


def _neurology() -> Iterator[Field]:
    yield _choice("arousal")
    yield _choice("seizure")
    duration = questions()["seizure-duration"].text
    yield _decimal("seizure-duration", duration, "duration", "min")
    yield _whole("seizure-count")
    yield _choice("motor")
    yield _choice("raised-icp")


def _attribution(toxicity: ToxicityName) -> Field:
    item = questions()["attribution"]
    return Field(
        name=f"attribution-{toxicity}",
        label=f"{item.text}: {syndrome(toxicity)}",
        kind="choice",
        choices=_answers("attribution"),
    )


def _choice(link: str) -> Field:
    return Field(name=link, label=questions()[link].text, kind="choice", choices=_answers(link))


def _answers(link: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(code or "", coding.display or code or "")
        for code, coding in questions()[link].answers.items()
    )


def _points(link: str) -> Field:
    """A whole number of few values: one tile each."""
    low, high = questions()[link].limits
    points = tuple(Choice(str(one), str(one)) for one in range(low, high + 1))
    return Field(name=link, label=questions()[link].text, kind="choice", choices=points)


def _whole(link: str) -> Field:
    item = questions()[link]
    return Field(name=link, label=item.text, kind="whole", limits=item.limits)


def _decimal(name: str, label: str, measure: Kind, unit: str) -> Field:
    return Field(name=name, label=label, kind="decimal", measure=measure, unit=unit)
