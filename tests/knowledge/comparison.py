"""Compares a rule file with the second transcription of its source, row by row and field by field.

Aligns rows with items and puts the first into the words of the second; differences.py judges what
is left. What is no item of its own in the second is one of its `clauses`.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from knowledge.product_model import Product, Protocol
from knowledge.row_model import Row, When
from knowledge.treatment import Medication, NextDose, Restart, Strength


Item = dict[str, Any]
Key = tuple[str, int, str]

UNTIL = {
    "crs-resolved": "resolved",
    "icans-resolved": "resolved",
    "icans-resolved-or-baseline": "baseline",
    "icans-grade-1": "grade-1",
    "icans-grade-1-or-baseline": "grade-1-or-baseline",
}
INFUSION = {"restart-same-rate": "same-rate", "restart-slower": "slower"}

NEXT_DOSE = (
    "resolvedHours",
    "currentInfusion",
    "hospitalize",
    "hospitalizeHours",
    "monitor",
    "monitorHours",
    "premedicate",
    "rate",
    "ratePercent",
    "maxInfusionHours",
    "restart",
    "escalate",
    "doseLevel",
    "nearby",
)
ADVICE = (
    "tocilizumab",
    "tocilizumabCondition",
    "intensiveCare",
    "guidelines",
    "supportive",
    "monitorNeuro",
    "neurologist",
    "antiSeizure",
)
FIELDS = ("action", "until", *NEXT_DOSE, *ADVICE)
MEDICINE_FIELDS = ("agent", "strength", "dose", "max", "route", "every", "duration")

WORD_NUMBERS = {
    "two": "2",
    "three": "3",
    "four": "4",
    "six": "6",
    "twice": "2",
    "bd": "2",
    "tds": "3",
    "qds": "4",
}


class Difference(msgspec.Struct, frozen=True):
    """One thing that the two transcriptions do not say in the same way."""

    where: str
    field: str
    first: Any
    second: Any
    line: tuple[int, ...]
    rendering: str = ""


class Cell(msgspec.Struct, frozen=True):
    """A row of the first with its clauses, beside its item and those the source refers it to.

    `siblings`: other items of the same cell. `others`: items of the grades the cell names.
    """

    where: str
    row: Row
    clauses: tuple[Row, ...]
    medicines: tuple[Medication, ...]
    item: Item
    siblings: tuple[Item, ...]
    others: tuple[Item, ...]


def key(row: Row) -> Key:
    return row.when.toxicity, row.when.grade, condition(row.when)


def condition(when: When) -> str:
    if when.lasting is not None and when.lasting.less_than is not None:
        return f"under {when.lasting.less_than} h"
    if when.lasting is not None and when.lasting.at_least is not None:
        return f"{when.lasting.at_least} h or more"
    if when.weight_kg is not None and when.weight_kg.at_least is not None:
        return f"{when.weight_kg.at_least} kg or more"
    if when.weight_kg is not None:
        return f"under {when.weight_kg.less_than} kg"
    return when.occurrence or "any"


def key_of(item: Item) -> Key:
    return item["toxicity"], item["grade"], item["condition"]


def cells(name: str, file: Product | Protocol, items: list[Item]) -> Iterator[Cell | Difference]:
    """Every row of the first with its item; a `Difference` where the conditions do not match."""
    by_key = {key_of(item): item for item in items}
    rows = {row.id: row for row in file.rows}
    used: set[Key] = set()
    for row in file.rows:
        if row.clause_of:
            continue
        toxicity, grade, said = key(row)
        found = (toxicity, grade, said) if key(row) in by_key else (toxicity, grade, "any")
        item = by_key.get(found)
        where = f"{name} {row.id}"
        if item is None or found != key(row):
            line = tuple(item["line"]) if item else ()
            yield Difference(where, "condition", said, item and "any", line)
        if item is None:
            continue
        used.add(found)
        clauses = tuple(other for other in file.rows if other.clause_of == row.id)
        referred = (rows[other] for other in row.then.medications_of)
        medicines = (*(m for other in referred for m in other.then.medications), *_own(row))
        yield Cell(
            where, row, clauses, medicines, item, _siblings(item, items), _others(item, items)
        )
    for left in by_key.keys() - used:
        line = tuple(by_key[left]["line"])
        yield Difference(f"{name} {left[0]}-{left[1]}", "condition", None, left[2], line)


def _own(row: Row) -> tuple[Medication, ...]:
    return row.then.medications


def _siblings(item: Item, items: list[Item]) -> tuple[Item, ...]:
    """Items of the same cell: its first occurrence, or what is printed across all weights."""
    same = [i for i in items if i is not item and key_of(i)[:2] == key_of(item)[:2]]
    lines = set(item["line"])
    if item["condition"] == "recurrent":
        return tuple(i for i in same if i["condition"] == "first" and lines & set(i["line"]))
    return tuple(i for i in same if i["condition"] == "any")


REFERENCE = re.compile(
    r"(?:in addition to|as per|as instructed for|as for) grade (\d)(?: and (?:grade )?(\d))?"
)


def _others(item: Item, items: list[Item]) -> tuple[Item, ...]:
    """Items of the grades this cell, or a sibling of it, refers to, and those they refer to."""
    found: list[Item] = []
    waiting = [item, *_siblings(item, items)]
    while waiting:
        one = waiting.pop()
        grades = {int(g) for line in one.get("clauses", []) for g in _grades(line)}
        grades |= {one["manageAs"]} if "manageAs" in one else set()
        for other in items:
            named = other["toxicity"] == item["toxicity"] and other["grade"] in grades
            if named and other["condition"] != "recurrent" and other not in found:
                found.append(other)
                waiting.append(other)
    return tuple(found)


def _grades(line: str) -> list[str]:
    return [g for match in REFERENCE.finditer(line.lower()) for g in match.groups() if g]


# --- the first transcription in the words of the second -------------------------------------------


def view(cell: Cell) -> Item:
    """What a row says, field by field, in the words of the second transcription."""
    then = cell.row.then
    statements = [part for text in sentences(cell.row) for part in text.split(";")]
    said: Item = {
        "action": then.action or "none",
        "until": UNTIL.get(then.until),
        **_next_dose(then.next_dose or NextDose()),
        "nearby": _present(statements, "near a healthcare facility"),
        "tocilizumab": then.tocilizumab,
        "tocilizumabCondition": then.tocilizumab_condition or None,
        "intensiveCare": _intensive(statements),
        "guidelines": _present(statements, "practice guidelines"),
        "supportive": _present(statements, "supportive"),
        "monitorNeuro": _present(
            statements, "monitor neuro|monitor the symptoms of neuro|neurological observations"
        ),
        "neurologist": _asked(statements, "a neurologist|neurologic evaluation|by neurology"),
        "antiSeizure": _asked(statements, "anti-seizure") or _levetiracetam(cell.medicines),
    }
    return {name: value for name, value in said.items() if value is not None}


def sentences(row: Row) -> tuple[str, ...]:
    """Everything the row says in words, now and for the time treatment goes on."""
    return (*row.then.statements, *row.then.on_resuming, *row.then.on_infusion)


def _next_dose(said: NextDose) -> Item:
    result: Item = {}
    for name, strength in (
        ("hospitalize", said.hospitalize),
        ("monitor", said.monitor),
        ("premedicate", said.premedicate),
        ("rate", said.rate),
    ):
        if strength is not None:
            result |= _strength(name, strength)
    if said.resolved is not None:
        result["resolvedHours"] = {
            "hours": int(said.resolved.hours),
            "strict": said.resolved.strict,
        }
    if said.current_infusion is not None:
        percent = said.current_infusion.resume_percent
        action = said.current_infusion.action
        result["currentInfusion"] = str(percent) if percent else INFUSION[action]
    if said.max_infusion_hours is not None:
        result["maxInfusionHours"] = int(said.max_infusion_hours)
    result |= {"restart": _restart(said.restart), "escalate": _restart(said.escalate)}
    return result | {"doseLevel": said.dose_level}


def _strength(name: str, said: Strength) -> Item:
    result: Item = {name: said.strength}
    if said.hours is not None and name == "monitor":
        result["monitorHours"] = [int(h) for h in (said.hours, said.hours_to) if h is not None]
    elif said.hours is not None:
        result[f"{name}Hours"] = int(said.hours)
    if said.percent is not None:
        result[f"{name}Percent"] = int(said.percent)
    return result


def _restart(said: Restart | None) -> str | None:
    if said is None:
        return None
    after = "" if said.after_days is None else f" after {said.after_days} days"
    return f"{said.dose} {said.unit}{after}"


def _present(statements: Iterable[str], words: str) -> bool | None:
    return True if any(re.search(words, text.lower()) for text in statements) else None


def _asked(statements: Iterable[str], words: str) -> str | None:
    for text in statements:
        if re.search(words, text.lower()):
            return "consider" if "consider" in text.lower() else "required"
    return None


def _intensive(statements: Iterable[str]) -> str | None:
    """How strongly; a condition or an alternative makes it a possibility."""
    for text in statements:
        if not re.search(r"intensive care|\bicu\b", text.lower()):
            continue
        if re.search(r"where needed|may be part|consider", text.lower()):
            return "may-include"
        if re.search(r"\bor icu\b| if ", text.lower()):
            return "may-include"
        return "recommend" if "recommended" in text.lower() else "required"
    return "may-include" if _present(statements, "inform icu") else None


def _levetiracetam(medicines: Iterable[Medication]) -> str | None:
    return next((m.strength for m in medicines if m.agent == "levetiracetam"), None)


def medicine(said: Medication) -> Item:
    """A medicine of the first in the shape of the second."""
    dose = ""
    if said.dose is not None:
        upper = "" if said.dose_to is None else f"-{said.dose_to}"
        per = "" if said.per is None else f"/{said.per}"
        dose = f"{said.dose}{upper} {said.unit}{per}"
    most = "" if said.max_dose is None else f"{said.max_dose} {said.unit}"
    shape = {
        "agent": said.agent,
        "strength": said.strength,
        "dose": dose,
        "max": most,
        "route": said.route,
        "every": said.every,
        "duration": said.duration,
    }
    return {name: value for name, value in shape.items() if value}


# --- numbers --------------------------------------------------------------------------------------


@cache
def numbers(text: str) -> frozenset[str]:
    """Every number of a text, number words and abbreviations of times daily among them."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower())
    plain = re.sub(r"/m2|m2/|\b\d+(?:st|nd|rd|th)\b|covid-?19", " ", plain)
    found = frozenset(_plain(n) for n in re.findall(r"\d+(?:\.\d+)?", plain))
    return found | {WORD_NUMBERS[w] for w in re.findall(r"[a-z]+", plain) if w in WORD_NUMBERS}


def _plain(number: str) -> str:
    return f"{Decimal(number).normalize():f}"


@cache
def row_numbers(rows: tuple[Row, ...], medicines: tuple[Medication, ...] = ()) -> frozenset[str]:
    """Every number the rows carry: as text, in a field, and hours also as days."""
    found: set[str] = set()
    for row in rows:
        then = row.then
        found.add(str(row.when.grade))
        for text in (*sentences(row), then.tocilizumab_condition):
            found |= numbers(text)
        for part in (row.when, then.next_dose):
            found |= _fields(part)
        for item in (*then.medications, *then.premedication):
            found |= _fields(item)
    for item in medicines:
        found |= _fields(item)
    return frozenset(found)


def _fields(part: Any) -> set[str]:
    """Every number in a structure; hours that make whole days count as days as well."""
    found: set[str] = set()
    for name, value in msgspec.to_builtins(part, builtin_types=(Decimal,)).items() if part else ():
        found |= _values(name, value)
    return found


def _values(name: str, value: Any) -> set[str]:
    if isinstance(value, dict):
        return {n for inner, v in value.items() for n in _values(inner, v)}
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, str):
        return set(numbers(value))
    found = {_plain(str(value))}
    if name in {"hours", "moreThan", "atLeast", "lessThan"} and value % 24 == 0:
        found.add(_plain(str(value / 24)))
    return found
