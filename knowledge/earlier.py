"""An event as an earlier decision of this service saw it: a value, kept with that decision."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct


class EarlierEvent(Struct, frozen=True, omit_defaults=True):
    """One event of one toxicity. `at_least`, `at_most`: its maximum grade; `resolved` None: open.

    `hours`: least and most at grade 1, 2 and 3 or above. `basis`: the queries it was seen in, so
    that only an answer to all of these can say otherwise. `confirmed_end`: charted by a clinician.
    """

    toxicity: Literal["crs", "icans"]
    onset: datetime
    last_abnormal: datetime
    at_least: int
    at_most: int
    hours: tuple[tuple[Decimal, Decimal], ...] = ()
    resolved: datetime | None = None
    confirmed_end: bool = False
    agents: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
