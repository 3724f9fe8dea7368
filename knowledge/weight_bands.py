"""Rows that differ by body weight while the weight is unknown: what all bands say is certain.

Whichever band the patient is in, the shared disposition holds; a dose that differs is not shown.
"""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from knowledge.row_model import Row, Then, When
from knowledge.treatment import Medication


Split: TypeAlias = tuple[tuple[Row, ...], tuple[Row, ...]]


def shared_by_bands(
    reached: tuple[Row, ...], possible: tuple[Row, ...], sure: Iterable[Row]
) -> Split:
    """Reached and possible rows, with the bands of unknown weight reached for what they share.

    `sure`: those of the possible for which nothing but the weight is open.
    """
    groups: dict[When, list[Row]] = {}
    for row in sure:
        key = msgspec.structs.replace(row.when, weight_kg=None)
        groups.setdefault(key, []).append(row)
    agreed = [row for rows in groups.values() if len(rows) > 1 for row in _agreed(rows)]
    ids = {row.id for row in agreed}
    return (*reached, *agreed), tuple(row for row in possible if row.id not in ids)


def _agreed(rows: list[Row]) -> Iterable[Row]:
    """Each row with what it shares with the others; treatment stands with the first alone."""
    first = rows[0].then
    others = [row.then for row in rows[1:]]
    outcome = Then(
        action=first.action if all(t.action == first.action for t in others) else None,
        silence=first.silence if all(t.silence == first.silence for t in others) else None,
        until=first.until if all(t.until == first.until for t in others) else "",
    )
    treatment = msgspec.structs.replace(
        outcome,
        next_dose=first.next_dose if all(t.next_dose == first.next_dose for t in others) else None,
        medications=tuple(m for m in first.medications if all(m in t.medications for t in others)),
        statements=(
            *_by_weight(rows),
            *(s for s in first.statements if all(s in t.statements for t in others)),
        ),
    )
    for number, row in enumerate(rows):
        yield msgspec.structs.replace(row, then=outcome if number else treatment)


def _by_weight(rows: list[Row]) -> Iterable[str]:
    """A medicine of every band whose dose differs: named with each dose, none is chosen."""
    for agent in dict.fromkeys(m.agent for m in rows[0].then.medications):
        doses = [_dose(m) for row in rows for m in row.then.medications if m.agent == agent]
        if len(set(doses)) > 1:
            yield f"{agent.capitalize()}: the dose depends on the weight: {' or '.join(doses)}."


def _dose(medicine: Medication) -> str:
    per = {"kg": "/kg", "m2": "/m2", "day": " a day"}.get(medicine.per or "", "")
    most = "" if medicine.max_dose is None else f" (at most {medicine.max_dose:f} {medicine.unit})"
    return f"{medicine.dose} {medicine.unit}{per}{most}"
