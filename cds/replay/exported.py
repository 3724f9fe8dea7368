"""The NDJSON files of the folder together: one export, read once, then patient by patient."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from cds.hook_request import HookRequest
from cds.replay.as_of import Item
from cds.replay.errors import CannotReplay
from cds.replay.export import Answered, Reader, read_file
from cds.replay.index import Index
from cds.replay.ledger import Source
from cds.replay.moments import Found, draft_bundle, moments, products_of
from cds.replay.patients import Chart, item_of, shared_by
from cds.replay.state import State
from cds.replay.tally import Origin
from cds.replay.values import Row
from knowledge.assessment import Assessment


_CALLS = UUID("6f1c9a3e-5d0b-4f3c-9a55-0e6f2f6f7f11")  # name space of calls made from exports
_HOOK = "order-sign"


def read_exports(files: Sequence[Source], state: State) -> None:
    """Every line filed, then each patient who may have a moment evaluated.

    Raises `CannotReplay` where the temporary database cannot be kept.
    """
    try:
        _read_exports(files, state)
    except sqlite3.Error as error:
        raise CannotReplay(
            f"the temporary database cannot be kept ({error}): free space in the folder for"
            " temporary files, or name another one with TMPDIR"
        ) from None


def _read_exports(files: Sequence[Source], state: State) -> None:
    setup = state.setup
    answered = Answered()
    with Index({file.number: file.path for file in files}) as index:
        reader = Reader(
            index=index,
            ledger=state.ledger,
            answered=answered,
            codes=setup.codes,
            base=setup.site.fhir_base,
            updates=setup.updates,
        )
        for file in files:
            read_file(file.number, file.path, reader)
        index.finish()
        for number, line, count in index.unknown():
            state.ledger.not_used(number, "patient-not-in-export", line, count)
        state.patients = index.count()
        for patient in index.patients():
            _patient(patient, index, answered, state)


def _patient(patient: str, index: Index, answered: Answered, state: State) -> None:
    setup = state.setup

    def items_of(*, orders: bool) -> tuple[Item, ...]:
        lines = index.lines(patient, orders=orders)
        return tuple(
            item_of(place, raw, setup.codes, updates=setup.updates) for place, raw in lines
        )

    events = items_of(orders=True)
    products = products_of(shared_by((item.raw for item in events), index))
    found: list[Found] = []
    for one in moments(events, products, setup.codes):
        if isinstance(one, Found):
            found.append(one)
        else:
            state.tally.refused[one] += 1
    if not found:
        return
    items = (*events, *items_of(orders=False))
    chart = Chart(
        patient=patient,
        items=tuple(sorted(items, key=lambda item: (item.file, item.line))),
        shared=tuple(shared_by((item.raw for item in items), index)),
        answered=answered,
    )
    state.evaluated_patients += 1
    state.evaluated_lines += len(items)
    for one in found:
        _moment(one, chart, state)
    _compare(chart, state)


def _moment(found: Found, chart: Chart, state: State) -> None:
    item = found.item
    request = HookRequest(
        hook=_HOOK,
        hook_instance=str(uuid5(_CALLS, f"{item.file}:{item.line}")),
        patient_id=chart.patient,
        fhir_server=None,
        draft_orders=draft_bundle(found),
        selections=None,
        prefetch=chart.prefetch(found.at, without=found, left=state.tally.left),
    )
    origin = Origin(found.source, _HOOK, ordered=True)
    state.judge.moment(origin, Row(item.file, item.line), request, found.at)


def _compare(chart: Chart, state: State) -> None:
    def assess(at: datetime, known_by: datetime) -> Assessment | None:
        request = HookRequest(
            hook="patient-view",
            hook_instance=str(uuid5(_CALLS, "grades")),
            patient_id=chart.patient,
            fhir_server=None,
            draft_orders=None,
            selections=None,
            prefetch=chart.prefetch(at, known_by=known_by, grades=False),
        )
        return state.judge.assess(request, at)

    grades = tuple(item for item in chart.items if item.grade)
    state.compare_grades(grades, chart.patient, state.setup.site.fhir_base, assess)
