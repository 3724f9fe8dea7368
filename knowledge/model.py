"""What a knowledge file may contain: the one strict model behind the YAML and its JSON Schemas.

Keys are spelled as on the wire (camelCase). Unknown keys fail. Nothing is optional that a reader
would need: every row carries the place in its source.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from knowledge.assessment import Action
from knowledge.facts import ToxicityName
from knowledge.treatment import Medication, NextDose


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


class Bound(Strict, frozen=True):
    """Hours: exactly one of the two is given."""

    less_than: Decimal | None = None
    at_least: Decimal | None = None


class When(Strict, frozen=True, kw_only=True):
    """The facts a row applies to. `occurrence` and `hoursAtGrade3` absent: any."""

    toxicity: ToxicityName
    grade: Literal[1, 2, 3, 4]
    occurrence: Literal["first", "recurrent"] | None = None
    hours_at_grade3: Bound | None = None


class Then(Strict, frozen=True, kw_only=True):
    """What the source says. `action` absent: the source does not state a disposition."""

    action: Action | None = None
    until: str = ""
    next_dose: NextDose | None = None
    medications: tuple[Medication, ...] = ()
    tocilizumab: Literal["administer", "consider"] | None = None
    tocilizumab_condition: str = ""
    statements: tuple[str, ...] = ()


class Row(Strict, frozen=True, kw_only=True):
    """One rule: facts, advice, place in the source, and what a reader must know about it."""

    id: str
    when: When
    then: Then
    at: str
    note: str = ""


class StepUp(Strict, frozen=True, kw_only=True):
    """Days allowed between step-up doses; doses are counted from the first ever given."""

    min_days: int
    max_days: int
    doses: int
    source: SourceRef


class Product(Header, frozen=True, kw_only=True):
    """One bispecific: identity, CRS and ICANS rows, step-up interval, known silences."""

    ingredient: str
    brand: str
    target: str
    rows: tuple[Row, ...]
    step_up: StepUp | None = None
    gaps: tuple[str, ...] = ()


class Protocol(Header, frozen=True, kw_only=True):
    """One site protocol: its own rows, and what it leaves to the label."""

    rows: tuple[Row, ...] = ()
    names_products: tuple[str, ...] = ()
    falls_back_to: str | None = None
    fallback_scope: tuple[ToxicityName | Literal["disposition"], ...] = ()
    rems_applies: bool
    expires: date | None = None
    gaps: tuple[str, ...] = ()


class Duty(Strict, frozen=True, kw_only=True):
    """One REMS duty of one role, in our words, with its place in the source."""

    role: Literal["prescriber", "pharmacy-and-setting", "patient"]
    text: str
    at: str


class RemsProgram(Header, frozen=True, kw_only=True):
    """One REMS programme: products, duties and the day its status was last verified."""

    program: str
    products: tuple[str, ...]
    verified_on: date
    duties: tuple[Duty, ...]


class Limit(Strict, frozen=True, kw_only=True):
    """One number with the place it is printed at."""

    value: Decimal
    source: SourceRef


class Count(Strict, frozen=True, kw_only=True):
    """The most doses one protocol allows per event, and in a window of days."""

    per_event: Limit | None = None
    in_window: Limit | None = None
    window_days: int | None = None
    note: str = ""


class TocilizumabLimits(Header, frozen=True, kw_only=True):
    """Tocilizumab for CRS: dose per kg, hard limits under every protocol, counts per protocol."""

    mg_per_kg: dict[str, Limit]
    cap_mg: Limit
    weight_over_kg: Limit
    interval_hours: Limit
    weight_max_age_days: Limit
    counts: dict[str, Count]
    silent: dict[str, SourceRef]
    not_checked: tuple[str, ...]


class AxisScale(Strict, frozen=True, kw_only=True):
    """One axis of a scale: each level's word and grade, mildest first, and where it is defined."""

    levels: dict[str, int]
    at: str


class ScoreBand(Strict, frozen=True, kw_only=True):
    """A band of a score and the grade it means; both ends included."""

    low: int
    high: int
    grade: int


class CrsScale(Header, frozen=True, kw_only=True):
    """ASTCT CRS: fever gate, two axes, oxygen flow boundary."""

    fever_cel: Limit
    low_flow_max: Limit
    hypotension: AxisScale
    hypoxia: AxisScale
    exclusions: tuple[str, ...] = ()


class IcansScale(Header, frozen=True, kw_only=True):
    """ASTCT ICANS: ICE and CAPD bands and four sign axes."""

    ice: tuple[ScoreBand, ...]
    capd: tuple[ScoreBand, ...]
    capd_under_age: Limit
    seizure_minutes: Limit
    arousal: AxisScale
    seizure: AxisScale
    motor: AxisScale
    raised_icp: AxisScale
    exclusions: tuple[str, ...] = ()


class SiteRules(Header, frozen=True, kw_only=True):
    """Numbers a site may set: look-back, freshness, thresholds. Project decisions, not a source's.

    Hours unless named otherwise.
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
