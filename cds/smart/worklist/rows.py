"""The rows of the worklist: what each evaluation says, worst first; unknown is not put last.

Decides nothing: grades, missing facts and times are those of the evaluation.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct

from cards import terms
from cards.escape import plain
from cds.pipeline import Evaluation
from cds.smart.at_hand import PatientRecord
from cds.smart.banner import banner_of
from cds.smart.timeline.series import series_of
from cds.smart.worklist.direction import Change, change
from cds.smart.worklist.reading import Seen
from cds.smart.worklist.units import Unit, units_of
from cds.store.recent import Decided
from knowledge.assessment import Assessment
from knowledge.toxicity import ANY_GRADE


_CHARTED_WITHIN = timedelta(days=14)


class Row(Struct, frozen=True, kw_only=True):
    """One patient who could be read. `key`: stands for the patient where an id is not to be seen.

    `hours`: since the last dose. `toci`: the earliest time of the next tocilizumab, if one is set.
    `worst`: the lower and the upper bound of the worse scale; 0 to 4 where one is not assessed.
    `notes`: what the reader must know of statements that are kept here.
    """

    patient: str
    key: str
    name: str
    identifiers: tuple[str, ...]
    agent: str
    hours: float | None
    crs: str
    icans: str
    crs_change: Change
    icans_change: Change
    toci: datetime | None
    missing: tuple[str, ...]
    charted: datetime | None
    units: tuple[Unit, ...]
    worst: tuple[int, int]
    notes: tuple[str, ...] = ()


class Listed(Struct, frozen=True, kw_only=True):
    """All that is shown. `failed`: why each of those who could not be read could not.

    `hidden`: how many the user may not read. `untreated`: how many are on no bispecific.
    """

    rows: tuple[Row, ...]
    failed: tuple[str, ...]
    hidden: int
    untreated: int
    units: tuple[Unit, ...]


def listed(seen: Sequence[Seen], earlier: Mapping[str, Decided]) -> Listed:
    """Of everybody who was read or could not be read. `earlier`: by patient, to compare with."""
    rows, untreated = [], 0
    for one in seen:
        if one.record is None or one.evaluation is None:
            continue
        if _on_none(one.evaluation):
            untreated += 1
        else:
            found = row_of(one.patient, one.record, one.evaluation, earlier)
            rows.append(msgspec.structs.replace(found, notes=one.notes))
    return Listed(
        rows=in_order(rows),
        failed=tuple(one.reason for one in seen if one.why not in ("", "hidden")),
        hidden=sum(1 for one in seen if one.why == "hidden"),
        untreated=untreated,
        units=_each_once(rows),
    )


def in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Worst first: by what is certain, then by what is possible; then by name."""
    return tuple(sorted(rows, key=_order))


def within(unit: Unit | None, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Those in the unit; and those of whom it is not known where they are."""
    return tuple(
        row
        for row in rows
        if unit is None or not row.units or unit.key in {one.key for one in row.units}
    )


def _each_once(rows: Iterable[Row]) -> tuple[Unit, ...]:
    """Every unit once, under the first of its names where it has several."""
    found: dict[str, Unit] = {}
    for unit in sorted(unit for row in rows for unit in row.units):
        found.setdefault(unit.key, unit)
    return tuple(sorted(found.values()))


def row_of(
    patient: str,
    record: PatientRecord,
    evaluation: Evaluation,
    earlier: Mapping[str, Decided],
) -> Row:
    """Of one patient."""
    assessment = evaluation.decision.assessment
    banner = banner_of(record, evaluation)
    before = earlier.get(patient)
    toci = assessment.tocilizumab
    return Row(
        patient=patient,
        key=sha256(patient.encode()).hexdigest()[:16],
        name=plain(banner.name),
        identifiers=tuple(plain(one) for one in banner.identifiers[:2]),
        agent=banner.agent,
        hours=banner.hours,
        crs=terms.grade("crs", assessment.crs),
        icans=terms.grade("icans", assessment.icans),
        crs_change=change("crs", assessment.crs, before),
        icans_change=change("icans", assessment.icans, before),
        toci=None if toci is None else toci.earliest,
        missing=_missing(assessment, record),
        charted=_last_charted(evaluation),
        units=units_of(record.request.prefetch.get("encounter")),
        worst=_worst(assessment),
    )


def _on_none(evaluation: Evaluation) -> bool:
    """Surely on no bispecific: an unanswered query leaves it open."""
    known = "administrations" in evaluation.facts.answered
    return known and evaluation.decision.assessment.agent is None


def _missing(assessment: Assessment, record: PatientRecord) -> tuple[str, ...]:
    named = [
        f"{terms.syndrome(code)}: {terms.fact(one.fact)}"
        for code, state in terms.states(assessment)
        for one in state.missing
    ]
    return tuple(dict.fromkeys((*named, *(f"not read: {one}" for one in record.failed))))


def _last_charted(evaluation: Evaluation) -> datetime | None:
    now = evaluation.facts.evaluated_at
    items = series_of(evaluation.facts, {}, now - _CHARTED_WITHIN).items
    return max((one.at for one in items), default=None)


def _worst(assessment: Assessment) -> tuple[int, int]:
    grades = [terms.shown_grade(state) or ANY_GRADE for state in (assessment.crs, assessment.icans)]
    return max(one.at_least for one in grades), max(one.at_most for one in grades)


def _order(row: Row) -> tuple[int, int, str, str]:
    return -row.worst[0], -row.worst[1], row.name, row.patient
