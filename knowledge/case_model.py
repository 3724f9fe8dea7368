"""What a case file may contain, and reading one: a course, the row it reaches, what is expected.

The cases are the specification: the tests run them, `knowledge.spec` prints them.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from knowledge.assessment import Action, Indication, TocilizumabStatus
from knowledge.errors import KnowledgeError
from knowledge.facts import Route
from knowledge.model import Strict
from knowledge.reading import parse
from knowledge.treatment import CurrentInfusion, Resolved, Restart, Strength


class Earlier(Strict, frozen=True, kw_only=True):
    """The grade an earlier separate event reached, before a later dose."""

    crs: Literal[1, 2, 3, 4] | None = None
    icans: Literal[1, 2, 3, 4] | None = None


class Given(Strict, frozen=True, kw_only=True):
    """One patient's course. Times are hours: `lasted` at the present grade, the others ago.

    `icans` absent: assessed and normal. `weight` None: none known. `over`: the event has been over
    for so long. `drafted`, `product` (the one given) absent: the product of the file.
    """

    protocol: str = "us-label"
    crs: Literal[0, 1, 2, 3, 4, "2-3"] = 0
    icans: Literal[0, 1, 2, 3, 4, "not-assessed"] = 0
    lasted: Decimal = Decimal(3)
    earlier: Earlier | None = None
    over: Decimal | None = None
    charted: Literal[1, 2, 3, 4] | None = None
    weight: Decimal | None = Decimal(70)
    rate: Decimal | None = None
    rate_unit: Literal["mcg/day", "mcg/m2/day"] = "mcg/day"
    seizures: int | None = None
    route: Route | None = None
    tocilizumab: tuple[Decimal, ...] = ()
    drafted: str = ""
    product: str = ""
    dosed: tuple[Decimal, ...] | None = None
    age: int = 60


class Expect(Strict, frozen=True, kw_only=True):
    """What must come out. UNSET is not looked at; None must be absent (`none` in the file)."""

    action: Action
    confirmed: bool | UnsetType = UNSET
    until: str | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET
    hospitalize: Strength | UnsetType | None = UNSET
    monitor: Strength | UnsetType | None = UNSET
    premedicate: Strength | UnsetType | None = UNSET
    rate: Strength | UnsetType | None = UNSET
    resolved: Resolved | UnsetType | None = UNSET
    restart: Restart | UnsetType | None = UNSET
    escalate: Restart | UnsetType | None = UNSET
    dose_level: Literal["same", "reduced"] | UnsetType | None = UNSET
    max_infusion_hours: Decimal | UnsetType | None = UNSET
    current_infusion: CurrentInfusion | UnsetType | None = UNSET
    medications: tuple[str, ...] | UnsetType | None = UNSET
    tocilizumab: Indication | UnsetType | None = UNSET
    tocilizumab_status: TocilizumabStatus | UnsetType = UNSET
    notices: tuple[str, ...] = ()
    not_notices: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()


class Case(Strict, frozen=True, kw_only=True):
    """One case. `rule`: the row it reaches. `possible`: the row only the upper bound reaches.

    `notRule`: rows it must not reach, at a boundary.
    """

    id: str
    says: str
    given: Given
    expect: Expect
    rule: str = ""
    possible: str = ""
    not_rule: tuple[str, ...] = ()


def read_cases(folder: Path) -> dict[str, tuple[Case, ...]]:
    """The cases of every file in `folder`, by the file's name without its ending."""
    return {path.stem: read_file(path) for path in sorted(folder.glob("*.yaml"))}


def read_file(path: Path) -> tuple[Case, ...]:
    """The cases of one file. Raises `KnowledgeError` naming the file and the case."""
    found = parse(path.read_bytes(), path.name)
    if not isinstance(found, list):
        raise KnowledgeError(path.name, "", "a list of cases")
    cases = tuple(_case(path.name, item, place) for place, item in enumerate(found))
    names = [case.id for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise KnowledgeError(path.name, twice[0], "each case id once")
    return cases


def plainly(text: str) -> str:
    """A medicine in words: `every once` and `once` are the same, `every 6 h` keeps its `every`."""
    words = text.split()
    return " ".join(
        word
        for word, following in zip(words, [*words[1:], ""], strict=True)
        if word != "every" or following[:1].isdigit()
    )


def _case(name: str, item: Any, place: int) -> Case:
    case_id = item.get("id", place) if isinstance(item, dict) else place
    try:
        return msgspec.convert(_with_absences(item), Case, strict=True)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$")
        inside = where.strip("`")
        raise KnowledgeError(name, f"{case_id}{inside}", text) from error


def _with_absences(item: Any) -> Any:
    """The case with `none` and `unknown` as what they stand for: a value that is not there."""
    if not isinstance(item, dict):
        return item
    return {
        key: _absences(part) if key in {"given", "expect"} else part for key, part in item.items()
    }


def _absences(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return {key: None if value in ("none", "unknown") else value for key, value in part.items()}
