"""What a knowledge file may contain: the one strict model behind the YAML and its JSON Schemas.

Keys are spelled as on the wire (camelCase). Unknown keys fail. Nothing is optional that a reader
would need: every row carries the place in its source.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct


class Strict(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Base of every authored value: frozen, unknown keys refused."""


class SourceRef(Strict, frozen=True):
    """Which document (an id in references.yaml) and which place in it."""

    ref: str
    at: str


class Review(Strict, frozen=True):
    """When the file was last checked and by which clinical role; `none` until one has."""

    on: date
    by: str


class Header(Strict, frozen=True, kw_only=True):
    """What every knowledge file starts with."""

    id: str
    version: int
    status: Literal["draft", "active", "retired"]
    title: str
    source: SourceRef
    effective: date
    reviewed: Review
    replaces: str | None = None


class Reference(Strict, frozen=True, kw_only=True):
    """One document a reader can find."""

    title: str
    publisher: str
    published: date | None = None
    url: str = ""
    note: str = ""


class References(Header, frozen=True, kw_only=True):
    """All documents, by id."""

    references: dict[str, Reference]


class SiteRules(Header, frozen=True, kw_only=True):
    """Numbers a site may set: look-back, freshness, thresholds. Project decisions, not a source's.

    Hours unless named otherwise. `rems_stale_days`: after more days than this the status of a REMS
    is to be confirmed; `knowledge_stale_days`: after more than this a file is due for review.
    """

    crs_lookback_days: int
    icans_lookback_days: int
    vitals_hours_in_hospital: int
    vitals_hours_after_grade2: int
    vitals_hours_elsewhere: int
    ice_hours: int
    bolus_hours: int
    antipyretic_hours: int
    steroid_hours: int
    anticytokine_days: int
    resolved_free_hours: int
    systolic_below: Decimal
    mean_pressure_below: Decimal
    saturation_below: Decimal
    adult_years: int
    oxygen_absent_means: Literal["unknown", "room-air"]
    dose_tolerance_percent: Decimal
    switch_minutes: int
    rems_stale_days: int
    knowledge_stale_days: int
