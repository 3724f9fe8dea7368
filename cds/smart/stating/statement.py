"""One statement: how it is named, kept, and read back as the resource it is.

Pure; it asks no store and no server.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from cds.smart.parts import Bedside
from cds.smart.stating.sent_answer import named
from cds.store.statements_kept import StatementRow
from fhir_mapping.answers import Resource


KEPT = "btce-cds-kept-"  # how the id begins of what is not in the chart
_WHEN = frozenset({"effectiveDateTime", "authored", "issued"})
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)  # no number is rounded


class AlreadyStated(Exception):
    """The same answers of the same form were confirmed before, at `at`: they are not stated anew.

    Whoever measured the same again states it with a form that is loaded anew.
    """

    def __init__(self, at: datetime) -> None:
        super().__init__("confirmed before")
        self.at = at


def row_of(
    here: Bedside, key: str, place: int, stated: tuple[str, Resource], now: datetime
) -> StatementRow:
    """The statement number `place` of the submission `key`, as it will be sent."""
    kind, resource = stated
    row = StatementRow(
        site=here.site.id,
        patient=here.context.patient,
        submission=key,
        position=place,
        kind=kind,
        resource="",
        charted_at=now,
    )
    text = _ENCODER.encode(named(resource, name_of(row))).decode()
    return msgspec.structs.replace(row, resource=text)


def key_of(submission: str, resources: Sequence[tuple[str, Resource]]) -> str:
    """Of the form and its answers: a form that was gone back to and changed states more."""
    answers = [
        [kind, {name: value for name, value in one.items() if name not in _WHEN}]
        for kind, one in resources
    ]
    return sha256(_ENCODER.encode([submission, answers])).hexdigest()


def name_of(row: StatementRow) -> str:
    """The value of its identifier."""
    return sha256(
        _ENCODER.encode([row.site, row.patient, row.submission, row.position])
    ).hexdigest()


def as_stated(rows: Iterable[StatementRow], now: datetime) -> list[Resource]:
    """The Observations of `rows` charted by `now`, for `assessed`.

    One that is in the chart has its id there, so that it is the same as the one that is read;
    another has an id of its own.
    """
    resources = ((row, resource_of(row)) for row in rows if row.charted_at <= now)
    return [
        {**one, "id": row.ref.rpartition("/")[2] or f"{KEPT}{name_of(row)[:32]}"}
        for row, one in resources
        if one["resourceType"] == "Observation"
    ]


def resource_of(row: StatementRow) -> Resource:
    """The resource as it is sent; numbers are as they were charted."""
    return _DECODER.decode(row.resource)
