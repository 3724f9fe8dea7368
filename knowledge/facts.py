"""The clinical vocabulary every stage shares: what was observed, when, and by which evidence.

Mapping fills these values, grading reads them. Nothing here decides anything. Times are
timezone-aware UTC; numbers are `Decimal` in the unit named by the field. Series are oldest first.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from knowledge.earlier import EarlierEvent


ToxicityName = Literal["crs", "icans"]
OrderKind = Literal["btce", "tocilizumab", "anakinra", "corticosteroid", "antipyretic", "other"]
Route = Literal["iv", "sc", "po", "other"]
MaskingKind = Literal["antipyretic", "steroid", "anticytokine"]
QueryName = Literal[
    "patient",
    "vitals",
    "oxygen",
    "assessments",
    "labs",
    "administrations",
    "orders",
    "conditions",
    "procedures",
    "encounter",
]


class Evidence(Struct, frozen=True, omit_defaults=True):
    """Where a fact comes from, as the source system wrote it: resource, code, value, unit, time."""

    ref: str
    code: str = ""
    value: str = ""
    unit: str = ""
    at: datetime | None = None
    note: str = ""


class Reading(Struct, frozen=True):
    """One number at one time. `preliminary` can raise a grade and never resolve an event."""

    at: datetime
    value: Decimal
    evidence: Evidence
    preliminary: bool = False


class Charted(Struct, frozen=True):
    """One charted state at one time; several `levels` mean the record cannot tell them apart.

    Levels are the words of the scale file's axis (for oxygen: none, low-flow, high-flow,
    positive-pressure). An empty tuple means charted as not assessable (sedated, not performed).
    `flow`: L/min, for oxygen.
    """

    at: datetime
    levels: tuple[str, ...]
    evidence: Evidence
    preliminary: bool = False
    flow: Decimal | None = None


class Infusion(Struct, frozen=True):
    """One vasoactive infusion interval; `end` None means still running at the evaluation time.

    `uncounted`: raises the pressure and the scale does not count it (midodrine, ephedrine).
    `doubt`: a push has no duration to speak of; an end that is not charted may be any time since
    `start`; an uncertain interval may not have been running at all.
    """

    agent: str
    kind: Literal["vasopressor", "vasopressin", "inotrope", "uncounted"]
    start: datetime
    end: datetime | None
    evidence: Evidence
    doubt: Literal["", "push", "end-not-charted", "uncertain"] = ""


class Bolus(Struct, frozen=True):
    """Intravenous fluid given as resuscitation; `certain` False: it may have been maintenance."""

    at: datetime
    evidence: Evidence
    certain: bool = True


class Masking(Struct, frozen=True):
    """A drug that may hide fever: antipyretic, systemic steroid or anti-cytokine therapy."""

    at: datetime
    kind: MaskingKind
    agent: str
    evidence: Evidence


class Baseline(Struct, frozen=True):
    """Support the patient has at home or for another reason: by itself no sign of this toxicity."""

    kind: Literal["oxygen", "positive-pressure"]
    evidence: Evidence
    since: datetime | None = None
    until: datetime | None = None


class Unusable(Struct, frozen=True):
    """A value that was charted and cannot be used: what it hides may be anything.

    `at`: the latest time it can mean. `value`: its number where only the time is in doubt.
    """

    fact: Literal["temperature", "systolic", "mean-pressure", "saturation", "oxygen-device"]
    at: datetime
    evidence: Evidence
    value: Decimal | None = None


class ChartedGrade(Struct, frozen=True):
    """A clinician's grade. `usable`: final, amended or corrected, performed by a practitioner."""

    toxicity: ToxicityName
    grade: int
    at: datetime
    usable: bool
    evidence: Evidence


class Consciousness(Struct, frozen=True):
    """A consciousness scale that is no part of ICANS: shown beside the grade, never in it.

    `depressed`: below the best of its scale; None where the value is a text nobody listed.
    """

    at: datetime
    scale: Literal["GCS", "AVPU", "RASS"]
    value: str
    depressed: bool | None
    evidence: Evidence


class Sedative(Struct, frozen=True):
    """A sedative that was given; `end` None: one dose, or still running."""

    agent: str
    start: datetime
    end: datetime | None
    evidence: Evidence


class Background(Struct, frozen=True):
    """A charted neurological condition that a reader of the ICANS grade must know of."""

    kind: Literal["haemorrhage", "stroke", "speech", "seizure-disorder", "functional-seizure"]
    evidence: Evidence


class Diagnosis(Struct, frozen=True):
    """A coded diagnosis of a toxicity: history and maximum only, never a live grade.

    `day`: the earliest and latest moment it may have begun, where only the date is charted, or
    only when it was recorded.
    """

    toxicity: ToxicityName
    at_least: int
    at_most: int
    onset: datetime | None
    abated: datetime | None
    evidence: Evidence
    contradictory: bool = False
    day: tuple[datetime, datetime] | None = None


class Attribution(Struct, frozen=True):
    """A clinician's statement about the cause of one toxicity's findings."""

    toxicity: ToxicityName
    cause: Literal["btce", "other-cause", "undetermined"]
    at: datetime
    evidence: Evidence


class Dose(Struct, frozen=True):
    """One administration that happened, wholly or partly. `end` None: instant or still running.

    `rate`: the rate of an infusion as charted, in `rate_unit` (mcg/day or mcg/m2/day). `running`:
    charted as in progress over a period without an end.
    """

    ingredient: str
    start: datetime
    end: datetime | None
    evidence: Evidence
    route: Route | None = None
    mg: Decimal | None = None
    rate: Decimal | None = None
    rate_unit: str = ""
    running: bool = False


class Order(Struct, frozen=True, omit_defaults=True):
    """One draft order, or one of the medicines of a regimen: those share their `ref`.

    `subcutaneous_product` marks tocilizumab forms that are not for CRS. `by_name`: recognised by
    words alone.
    """

    ref: str
    kind: OrderKind
    ingredient: str
    display: str
    route: Route | None = None
    subcutaneous_product: bool = False
    dose_mg: Decimal | None = None
    dose_mg_per_kg: Decimal | None = None
    planned_start: datetime | None = None
    selected: bool = True
    by_name: bool = False


class ActiveOrder(Struct, frozen=True):
    """An active (signed) order for a supportive drug, seen in prefetch; not an administration."""

    ref: str
    ingredient: str


class Allergy(Struct, frozen=True):
    """An AllergyIntolerance that names one of the drugs this service speaks about."""

    ingredient: str
    evidence: Evidence


class Missing(Struct, frozen=True):
    """A fact that could not be used or found, and why, in words a clinician can act on."""

    fact: str
    reason: str


class Notice(Struct, frozen=True):
    """Something the reader must know beside the grade; `code` is stable, `text` is for people."""

    code: str
    text: str


class Unreadable(Struct, frozen=True):
    """A part of the request that was not used, by its place in the request, and why."""

    at: str
    reason: str


class Facts(Struct, frozen=True, omit_defaults=True):
    """Everything the record says about one patient at `evaluated_at`, with evidence for each.

    `answered` holds the prefetch queries that were answered (a Bundle, even empty, or null): only
    for these does silence mean "none charted". `in_hospital`: ED or inpatient; None is unknown.
    Units: temperatures Cel, pressures mm[Hg], saturations %, weights kg, creatinine mg/dL,
    platelets 10*9/L. `ice_doubts`: ICE assessments without one certain total; `levels` are the
    totals each allows, none where it was not performed or contradicts itself. `read_back_to`: how
    far the answer to a query reaches of which only the newest part is there. `earlier`: events that
    earlier decisions of this service saw.
    """

    patient: str
    evaluated_at: datetime
    answered: frozenset[str] = frozenset()
    read_back_to: dict[str, datetime] = {}
    age_years: int | None = None
    sex: str | None = None
    in_hospital: bool | None = None
    temperatures: tuple[Reading, ...] = ()
    systolic: tuple[Reading, ...] = ()
    mean_pressure: tuple[Reading, ...] = ()
    saturations: tuple[Reading, ...] = ()
    oxygen: tuple[Charted, ...] = ()
    infusions: tuple[Infusion, ...] = ()
    boluses: tuple[Bolus, ...] = ()
    support: tuple[Charted, ...] = ()
    masking: tuple[Masking, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    ice: tuple[Reading, ...] = ()
    capd: tuple[Reading, ...] = ()
    arousal: tuple[Charted, ...] = ()
    seizure: tuple[Charted, ...] = ()
    motor: tuple[Charted, ...] = ()
    raised_icp: tuple[Charted, ...] = ()
    grades: tuple[ChartedGrade, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    doses: tuple[Dose, ...] = ()
    seizure_counts: tuple[Reading, ...] = ()
    weights: tuple[Reading, ...] = ()
    creatinine: tuple[Reading, ...] = ()
    platelets: tuple[Reading, ...] = ()
    ice_doubts: tuple[Charted, ...] = ()
    consciousness: tuple[Consciousness, ...] = ()
    sedatives: tuple[Sedative, ...] = ()
    background: tuple[Background, ...] = ()
    orders: tuple[Order, ...] = ()
    active_orders: tuple[ActiveOrder, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    missing: tuple[Missing, ...] = ()
    notices: tuple[Notice, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    unread_orders: tuple[Unreadable, ...] = ()
    earlier: tuple[EarlierEvent, ...] = ()


BISPECIFICS = frozenset(
    {
        "blinatumomab",
        "elranatamab",
        "epcoritamab",
        "glofitamab",
        "linvoseltamab",
        "mosunetuzumab",
        "talquetamab",
        "tarlatamab",
        "tebentafusp",
        "teclistamab",
    }
)


def bispecific_doses(facts: Facts) -> tuple[Dose, ...]:
    """The administrations of a bispecific T-cell engager, oldest first."""
    return tuple(d for d in facts.doses if d.ingredient in BISPECIFICS)
