"""Every difference between a rule file and its second transcription, explained where agreed."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from knowledge.product_model import Product, Protocol
from knowledge.row_model import Lasting, Row, Then
from tests.knowledge.comparison import (
    ADVICE,
    FIELDS,
    MEDICINE_FIELDS,
    NEXT_DOSE,
    REFERENCE,
    Cell,
    Difference,
    Item,
    cells,
    key_of,
    medicine,
    numbers,
    row_numbers,
    sentences,
    view,
)


# What is no difference of content. A name outside this table explains nothing.
RENDERINGS = {
    "plural": "corticosteroids and corticosteroid are the same word.",
    "once": "`every: once` of the first is `duration: once` or `stat` of the second.",
    "times-daily": "BD is twice daily; OD and `every: day` are a dose per day.",
    "per-day": "2 mg/kg/day is 2 mg/kg per day, without saying how the day is divided; 1 g is "
    "1000 mg.",
    "up-to": "'500 mg, or up to 2000 mg' is a range in the first, dose and maximum in the second.",
    "same-number": "A duration, an interval or a condition in other words: the numbers, and "
    "whether it speaks of a taper, are the same.",
    "interval-in-clause": "The first puts the interval into the medicine, the second into a line.",
    "verb": "The second has `recommend`; the first has no such word, writes `administer` and says "
    "recommended in a statement.",
    "conditional": "A medicine with a condition and no verb printed: `consider` in the first, "
    "`as-needed` in the second; the condition is written out in both.",
    "in-words": "A medicine of the second without a place of its own in the first: its name and "
    "its numbers are in one statement of the first.",
    "clause-row": "What the cell makes depend on a condition is a clause row in the first and "
    "part of the item, with the condition as a line, in the second.",
    "same-cell": "The first repeats for this row what the cell says for all its conditions; the "
    "second writes it once, at the other item of the cell.",
    "other-grade": "The cell refers to another grade: the first takes that text over, the second "
    "names the grade.",
    "named-grade": "The cell refers to another grade, and so does a statement of the first.",
    "both-weights": "The source prints two equal cells for the weights, or one across both: the "
    "first has a row a weight, the second one item.",
    "any-grade": "The sentence on recurrence names no grade: the first reads any grade.",
    "stays-held": "The overview leaves out the column on the dose; where another page ends "
    "therapy, the first keeps the hold in a row of its own and says whose page it is.",
    "recurrent-row": "The line is a case of recurrence, which the recurrent row covers.",
    "grading": "A line of the second about presenting symptoms: in the first they are the scale.",
    "pointer": "A decision of this project for an empty cell, marked as such in the first.",
}


def differences(name: str, file: Product | Protocol, items: list[Item]) -> list[Difference]:
    """All of them, each with its rendering; an empty rendering is a real difference."""
    found: list[Difference] = []
    by_grade: dict[tuple[str, int], list[Row]] = {}
    for row in file.rows:
        by_grade.setdefault((row.when.toxicity, row.when.grade), []).append(row)
    for part in cells(name, file, items):
        if isinstance(part, Difference):
            found.append(_condition(part, by_grade))
        else:
            found += [*_fields(part), *_medicines(part), *_lines(part), *_clauses(part, items)]
            found += [*_references(part), *_omitted(part)]
    return found + list(_across(name, items, by_grade))


def _condition(found: Difference, by_grade: dict[tuple[str, int], list[Row]]) -> Difference:
    weight = "kg" in str(found.first)
    if found.second == "any" and not weight:
        toxicity, _, grade = found.where.rpartition(" ")[2].partition("-")
        rows = by_grade.get((toxicity, int(grade[0])), [])
        weight = any(row.when.weight_kg is not None for row in rows)
    return _with(found, "both-weights" if weight and found.second == "any" else "")


def _with(found: Difference, rendering: str) -> Difference:
    assert not rendering or rendering in RENDERINGS
    return msgspec.structs.replace(found, rendering=rendering)


# --- one value a row ------------------------------------------------------------------------------


def _fields(cell: Cell) -> Iterator[Difference]:
    said = view(cell)
    for field in FIELDS:
        first, second = said.get(field), cell.item.get(field)
        if field == "tocilizumab" and (first, second) == ("administer", "recommend"):
            rendering = "verb" if "recommend" in _text(cell) else ""
        elif first == second:
            continue
        elif field == "tocilizumabCondition" and first and second:
            rendering = "same-number" if numbers(first) == numbers(second) else ""
        else:
            rendering = _elsewhere(cell, field, first, second)
        yield _with(_found(cell, field, first, second), rendering)


def _elsewhere(cell: Cell, field: str, first: Any, second: Any) -> str:
    """Where else the second says it, or the first, if the row itself does not."""
    if second in (None, "none"):
        for name, items in _places(cell):
            if any(_same(field, first, item.get(field)) for item in items):
                return name
    clause = [view(msgspec.structs.replace(cell, row=row)).get(field) for row in cell.clauses]
    return "clause-row" if first is None and second in clause else ""


def _places(cell: Cell) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    """Where else the second may say it; an item that names another grade says it there alone."""
    others = ("other-grade", cell.others)
    return (others,) if "manageAs" in cell.item else (("same-cell", cell.siblings), others)


def _same(field: str, first: Any, second: Any) -> bool:
    if first is None or second is None:
        return False
    if field == "tocilizumabCondition":
        return numbers(first) == numbers(second)
    return first == second or (field, first, second) == ("tocilizumab", "administer", "recommend")


def _found(cell: Cell, field: str, first: Any, second: Any) -> Difference:
    return Difference(cell.where, field, first, second, tuple(cell.item["line"]))


def _text(cell: Cell) -> str:
    return " ".join(sentences(cell.row)).lower()


# --- medicines ------------------------------------------------------------------------------------


def _medicines(cell: Cell) -> Iterator[Difference]:
    left = [medicine(item) for item in cell.medicines]
    for second in cell.item.get("medicines", []):
        first = _partner(second, left)
        if first is None:
            rendering = "in-words" if _in_words(cell, second) else ""
            yield _with(_found(cell, "medicine", None, second), rendering)
            continue
        left.remove(first)
        for field in MEDICINE_FIELDS:
            if first.get(field) != second.get(field):
                found = _found(cell, f"medicine {field}", first.get(field), second.get(field))
                yield _with(found, _explain(cell, field, first, second))
    for first in left:
        yield _with(_found(cell, "medicine", first, None), _medicine_elsewhere(cell, first))


def _partner(second: Item, left: list[Item]) -> Item | None:
    """The same agent, with the same dose if there is one; a bare name pairs with a bare name."""
    same = [m for m in left if _agent(m) == _agent(second)]
    same.sort(key=lambda m: m["strength"] != second["strength"])
    exact = [m for m in same if m.get("dose") == second.get("dose")]
    dosed = [m for m in same if "dose" in m and "dose" in second]
    return next(iter([*exact, *dosed]), None)


def _agent(item: Item) -> str:
    return str(item["agent"]).lower().removesuffix("s")


def _explain(cell: Cell, field: str, first: Item, second: Item) -> str:
    rules: dict[str, tuple[Callable[[Cell, Item, Item], str], ...]] = {
        "agent": (lambda _, a, b: "plural" if _agent(a) == _agent(b) else "",),
        "strength": (_conditional,),
        "dose": (_up_to, _per_day),
        "max": (_up_to,),
        "every": (_once, _times, _per_day, _same_numbers("every"), _interval),
        "duration": (_once, _same_numbers("duration")),
    }
    explained = (rule(cell, first, second) for rule in rules.get(field, ()))
    return next((name for name in explained if name), "")


def _conditional(cell: Cell, first: Item, second: Item) -> str:
    pair = (first["strength"], second["strength"]) == ("consider", "as-needed")
    return "conditional" if pair and re.search(rf"\bif\b.*{first['agent']}", _text(cell)) else ""


def _up_to(_: Cell, first: Item, second: Item) -> str:
    low, _, high = first.get("dose", "").partition("-")
    same = low == second.get("dose", "").partition(" ")[0] and high == second.get("max")
    return "up-to" if same else ""


def _per_day(_: Cell, first: Item, second: Item) -> str:
    daily = _daily(first)
    return "per-day" if daily and daily == _daily(second) else ""


def _daily(item: Item) -> str:
    """The dose of a day, or nothing if the dose is not said to be one."""
    dose = str(item.get("dose", "")).replace("1 g", "1000 mg")
    day = dose.endswith("/day") or item.get("every") in {"per day", "OD"}
    return dose.removesuffix("/day") if day else ""


def _once(_: Cell, first: Item, second: Item) -> str:
    single = first.get("every") == "once" and second.get("duration") in {"once", "stat"}
    return "once" if single else ""


def _times(_: Cell, first: Item, second: Item) -> str:
    return (
        "times-daily" if (first.get("every"), second.get("every")) == ("twice daily", "BD") else ""
    )


def _same_numbers(field: str) -> Callable[[Cell, Item, Item], str]:
    def rule(_: Cell, first: Item, second: Item) -> str:
        one, other = first.get(field), second.get(field)
        if not one or not other:
            return ""
        same = numbers(one) == numbers(other) and ("taper" in one) == ("taper" in other)
        return "same-number" if same and ("consider" in one) == ("consider" in other) else ""

    return rule


def _interval(cell: Cell, first: Item, second: Item) -> str:
    said = first.get("every", "")
    lines = [n for n in cell.item.get("clauses", []) if second["agent"] in n.lower()]
    inside = any(numbers(said) <= numbers(line) for line in lines)
    return "interval-in-clause" if numbers(said) and "every" not in second and inside else ""


STRENGTH_WORDS = {
    "consider": r"\bconsider\b",
    "as-needed": r"\bas (?:needed|required)\b",
    "administer": r"^(?!.*\b(?:consider|as needed|as required)\b)",
}


def _in_words(cell: Cell, second: Item) -> bool:
    """In one statement the agent's name, strength, route, taper and every number."""
    words = [w.removesuffix("s") for w in re.findall(r"[a-z]+", second["agent"].lower())]
    wanted = numbers(f"{second.get('dose', '')} {second.get('every', '')}")
    word = "" if wanted else second.get("every", "")
    return any(
        all(w.removeprefix("cortico") in text for w in words)
        and wanted <= numbers(text)
        and second.get("route", "").lower() in text
        and word in text
        and ("taper" in text) == ("taper" in second.get("duration", ""))
        and re.search(STRENGTH_WORDS[second["strength"]], text) is not None
        for text in map(str.lower, sentences(cell.row))
    )


def _medicine_elsewhere(cell: Cell, first: Item) -> str:
    for name, items in _places(cell):
        for second in (m for item in items for m in item.get("medicines", [])):
            if _agent(first) != _agent(second) or first["strength"] != second["strength"]:
                continue
            differing = [f for f in MEDICINE_FIELDS if first.get(f) != second.get(f)]
            if all(_explain(cell, field, first, second) for field in differing):
                return name
    return ""


# --- lines and their numbers ----------------------------------------------------------------------


def _lines(cell: Cell) -> Iterator[Difference]:
    """Numbers of the second that the row does not have, and numbers of the row with no source."""
    have = row_numbers((cell.row, *map(_alone, cell.clauses)), cell.medicines)
    for line in cell.item.get("clauses", []):
        missing = numbers(line) - have
        if missing or line.startswith("Presenting"):
            rendering = "grading" if line.startswith("Presenting") else ""
            yield _with(_found(cell, "number", None, line), rendering)
    told = _item_numbers(cell.item)
    for text in sentences(cell.row):
        extra = numbers(text) - told
        if extra:
            found = _found(cell, "number", text, None)
            yield _with(found, _numbers_elsewhere(cell, extra))


def _alone(row: Row) -> Row:
    """A clause row without what it takes over from the row of another grade."""
    return msgspec.structs.replace(row, then=Then()) if row.then.same_as else row


def _item_numbers(item: Item) -> frozenset[str]:
    found: set[str] = set()
    for name, value in item.items():
        if name != "line":
            found |= numbers(str(value))
    hours = item.get("resolvedHours", {}).get("hours", 0)
    return frozenset(found | ({str(hours // 24)} if hours else set()))


def _numbers_elsewhere(cell: Cell, extra: frozenset[str]) -> str:
    for name, items in _places(cell):
        extra = extra - {n for item in items for n in _item_numbers(item)}
        if not extra:
            return name
    return "pointer" if cell.row.then.silence == "blank" else ""


# --- rules inside a cell --------------------------------------------------------------------------


def _clauses(cell: Cell, items: list[Item]) -> Iterator[Difference]:
    """Every clause row has its line, and every line that ends therapy has its row."""
    same = [i for i in items if key_of(i)[:2] == key_of(cell.item)[:2]]
    lines = [line for item in same for line in item.get("clauses", [])]
    for row in cell.clauses:
        if not any(_says(line, row, cell.row) for line in lines):
            rendering = "any-grade" if row.when.of_grade is not None else ""
            rendering = "stays-held" if row.then.stays_held else rendering
            found = _found(cell, "clause", row.id, None)
            yield _with(msgspec.structs.replace(found, where=f"{cell.where}"), rendering)
    for line in cell.item.get("clauses", []):
        ends = re.search("discontinue permanently|permanently discontinue", line.lower())
        if not ends or cell.row.then.action == "discontinue-permanently":
            continue
        if any(_says(line, row, cell.row) for row in cell.clauses):
            continue
        again = "reoccurs" in line and any(
            i["condition"] == "recurrent" and i["action"] == "discontinue-permanently" for i in same
        )
        yield _with(_found(cell, "clause", None, line), "recurrent-row" if again else "")


def _says(line: str, row: Row, base: Row) -> bool:
    """Whether a line states what a clause row has beyond its base row, and its consequence."""
    text, when = line.lower(), row.when
    facts = [
        when.lasting is None or bool(numbers(line) & _hours(when.lasting)),
        when.lasting is None or bool(re.search("lasting|takes|improvement|persist", text)),
        when.seizures_over is None or "more than one seizure" in text,
        when.at_dose is None or f"at {when.at_dose.rate} {when.at_dose.unit}" in text,
        when.occurrence in (None, "first", base.when.occurrence) or "recurrent" in text,
    ]
    wanted = "permanently"
    if row.then.premedication:
        wanted = "premedication"
    elif row.then.same_as:
        wanted = rf"as grade {row.then.same_as.partition('-')[2]}\b"
    return all(facts) and re.search(wanted, text) is not None and when.of_grade is None


def _hours(lasting: Lasting | None) -> frozenset[str]:
    """The bound of a duration as a number of hours or days."""
    if lasting is None:
        return frozenset()
    bounds = (lasting.less_than, lasting.at_least, lasting.more_than)
    hours = next(bound for bound in bounds if bound is not None)
    return numbers(f"{hours} {hours / 24}")


# --- what a reference brings along ----------------------------------------------------------------


NAMED = re.compile(r"\bas (?:at|for|in) (?:the )?grades? \d|as the grade \d row")


def _references(cell: Cell) -> Iterator[Difference]:
    """A line that refers to another grade needs the same in the first."""
    for line in cell.item.get("clauses", []):
        if REFERENCE.search(line.lower()) and not _named(cell):
            yield _found(cell, "reference", None, line)


def _named(cell: Cell) -> bool:
    then = cell.row.then
    return bool(then.same_as or then.medications_of) or NAMED.search(_text(cell)) is not None


def _omitted(cell: Cell) -> Iterator[Difference]:
    """What a sibling or a grade managed alike says and the row does not."""
    whole = cell.others if "manageAs" in cell.item else cell.siblings
    for field, value in _told(whole):
        if not _kept(cell, field, value):
            yield _with(_found(cell, f"omitted {field}", None, value), _named_by(cell))


def _told(items: tuple[Item, ...]) -> list[tuple[str, Any]]:
    """Every field and medicine of the items, each once. Next-dose conditions only of whole rows."""
    found: list[tuple[str, Any]] = []
    for item in items:
        fields = (*ADVICE, *NEXT_DOSE) if item["condition"] == "any" else ADVICE
        found += [(field, item[field]) for field in fields if field in item]
        found += [("medicine", medicine) for medicine in item.get("medicines", [])]
    return [one for index, one in enumerate(found) if one not in found[:index]]


def _kept(cell: Cell, field: str, value: Any) -> bool:
    if field == "medicine":
        left = [medicine(item) for item in cell.medicines]
        return _partner(value, left) is not None or _in_words(cell, value)
    if field in NEXT_DOSE and cell.row.then.action == "discontinue-permanently":
        return True
    return field in view(cell) or field in cell.item


def _named_by(cell: Cell) -> str:
    return "named-grade" if cell.others and _named(cell) else ""


def _across(
    name: str, items: list[Item], by_grade: dict[tuple[str, int], list[Row]]
) -> Iterator[Difference]:
    """Lines of an item printed across both weights: looked for in all rows of the grade."""
    for item in items:
        rows = by_grade.get(key_of(item)[:2], [])
        split = any(row.when.weight_kg is not None for row in rows)
        if item["condition"] != "any" or not split:
            continue
        where, line = f"{name} {item['toxicity']}-{item['grade']}", tuple(item["line"])
        beside = any(
            "kg" in other["condition"] for other in items if key_of(other)[:2] == key_of(item)[:2]
        )
        if beside and item["action"] != "none":
            yield Difference(where, "action", None, item["action"], line)
        for text in item.get("clauses", []):
            clause = any(row.clause_of and _says(text, row, row) for row in rows)
            if numbers(text) - row_numbers(tuple(rows)) or ("permanently" in text and not clause):
                yield Difference(where, "clause", None, text, line)
