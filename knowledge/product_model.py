"""What the files of products, protocols and REMS programmes may contain."""

from datetime import date
from typing import Literal

from knowledge.dosing_model import Limit
from knowledge.facts import ToxicityName
from knowledge.model import Header, SourceRef, Strict
from knowledge.row_model import Row


class StepUp(Strict, frozen=True, kw_only=True):
    """Days allowed between step-up doses; doses are counted from the first ever given."""

    min_days: int
    max_days: int
    doses: int
    source: SourceRef


class Frequency(Strict, frozen=True, kw_only=True):
    """How often, how early and how long a toxicity occurs, as printed; never used for grading.

    `discrepancy`: what another source prints, where the printed figure is doubtful.
    """

    rate: str
    onset: str
    duration: str
    at: str
    discrepancy: str = ""


class Incidence(Strict, frozen=True):
    """The printed frequencies of both toxicities."""

    crs: Frequency
    icans: Frequency


class Change(Strict, frozen=True, kw_only=True):
    """What changed after the label transcribed here: shown as a dated notice, never as a rule."""

    on: date
    text: str
    source: SourceRef


class Product(Header, frozen=True, kw_only=True):
    """One bispecific: identity, CRS and ICANS rows, step-up interval, known silences.

    `highFlowFrom`: L/min from which its label calls oxygen high flow, where that differs from the
    scale. `intravenousOnly`: its rows are of the intravenous product alone. `disease`: the heading
    under which the source prints it. `openQuestions`: what could not be verified.
    """

    ingredient: str
    brand: str
    target: str
    disease: str
    rows: tuple[Row, ...]
    incidence: Incidence | None = None
    step_up: StepUp | None = None
    high_flow_from: Limit | None = None
    intravenous_only: bool = False
    changes: tuple[Change, ...] = ()
    gaps: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()


class Principle(Strict, frozen=True, kw_only=True):
    """A general sentence of a document, cited where its tables say nothing."""

    id: str
    text: str
    at: str


class Remark(Strict, frozen=True, kw_only=True):
    """Something to say beside a product or a rule of the scale, from a document of its own."""

    about: str
    text: str
    source: SourceRef


class Guidance(Strict, frozen=True, kw_only=True):
    """A statement of a protocol outside its grade rows, by topic, with its place.

    `grades`: 0 means while this toxicity is absent and the other one active. `products`: for these
    alone.
    """

    id: str
    topic: Literal[
        "workup",
        "differential",
        "monitoring",
        "baseline",
        "stock",
        "funding",
        "escalation",
        "outpatient",
        "call-back",
        "administration",
        "audit",
        "responsibility",
    ]
    toxicity: ToxicityName | None = None
    grades: tuple[int, ...] = ()
    products: tuple[str, ...] = ()
    text: str
    at: str


class Protocol(Header, frozen=True, kw_only=True):
    """One site protocol: its own rows, and what it leaves to the label.

    `lowFlowUnder`: L/min below which it grades oxygen as low flow whatever the device.
    `onProducts`: what another document says of a product (`about`: its ingredient). `onScale`:
    where it is silent and the scale's own rule was applied (`about`: masked-fever, vasopressin).
    """

    rows: tuple[Row, ...] = ()
    principles: tuple[Principle, ...] = ()
    guidance: tuple[Guidance, ...] = ()
    names_products: tuple[str, ...] = ()
    low_flow_under: Limit | None = None
    on_products: tuple[Remark, ...] = ()
    on_scale: tuple[Remark, ...] = ()
    falls_back_to: str | None = None
    fallback_scope: tuple[ToxicityName | Literal["disposition"], ...] = ()
    rems_applies: bool
    expires: date | None = None
    gaps: tuple[str, ...] = ()


class Duty(Strict, frozen=True, kw_only=True):
    """One REMS duty of one role, in our words, with its place in the source.

    `ref`: the document it is from, where that is another than the programme's own.
    """

    role: Literal["prescriber", "pharmacy-and-setting", "patient"]
    text: str
    at: str
    ref: str | None = None


class RemsProgram(Header, frozen=True, kw_only=True):
    """One REMS programme: products, duties and the day its status was last verified."""

    program: str
    products: tuple[str, ...]
    verified_on: date
    duties: tuple[Duty, ...]
