"""The product file against a second transcription of its tables, made without looking at it."""

from pathlib import Path
from typing import Any

from knowledge.library import Library
from knowledge.model import Row, When
from knowledge.reading import parse
from knowledge.treatment import Medication, NextDose


SECOND = Path(__file__).parent / "transcription_teclistamab.yaml"


def test_both_transcriptions_of_teclistamab_agree(library: Library) -> None:
    second = parse(SECOND.read_bytes(), SECOND.name)
    first = [flat(row) for row in library.products["teclistamab"].rows]

    assert [fill(item) for item in second] == first


def fill(item: dict[str, Any]) -> dict[str, Any]:
    """The second transcription with what its cells leave unsaid written out."""
    unsaid = {
        "until": "",
        "premedicate": False,
        "hospitalizeHours": None,
        "intensiveCare": False,
        "medicines": [],
        "advice": [],
    }
    return {**unsaid, **item}


def flat(row: Row) -> dict[str, Any]:
    """One row of the product file in the shape of the second transcription."""
    then = row.then
    conditions = then.next_dose or NextDose()
    for strength in (conditions.hospitalize, conditions.premedicate):
        assert strength is None or strength.strength == "required"
    assert then.tocilizumab is None
    words = " ".join(then.statements).lower()
    advice = {"monitor": "monitor neuro", "neurologist": "neurologist", "anti-seizure": "seizure"}
    return {
        "toxicity": row.when.toxicity,
        "grade": row.when.grade,
        "condition": condition(row.when),
        "action": then.action,
        "until": then.until.removesuffix("-resolved"),
        "premedicate": conditions.premedicate is not None,
        "hospitalizeHours": conditions.hospitalize and conditions.hospitalize.hours,
        "intensiveCare": "intensive care" in words,
        "medicines": [medicine(item) for item in then.medications],
        "advice": [name for name, sign in advice.items() if sign in words],
    }


def condition(when: When) -> str:
    bound = when.hours_at_grade3
    if bound is not None and bound.less_than is not None:
        return f"under {bound.less_than} h"
    if bound is not None:
        return f"{bound.at_least} h or more"
    return when.occurrence or "any"


def medicine(item: Medication) -> dict[str, Any]:
    stop = "grade 1" if item.duration == "until grade 1 or less, then taper" else item.duration
    return {
        "agent": item.agent,
        "strength": item.strength,
        "dose": f"{item.dose} {item.unit}",
        "route": item.route,
        "every": item.every or item.per,
        "stop": stop,
    }
