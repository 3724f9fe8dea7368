"""What a source asks for: conditions of the next dose and medicines, in the shape of the wire.

The knowledge files use the same values; absent members are what the source does not state.
"""

from decimal import Decimal
from typing import Literal

from knowledge.wire import Wire


class Strength(Wire, frozen=True):
    """How strongly the source asks for a next-dose condition, with its hours or percent."""

    strength: Literal["required", "consider"]
    hours: Decimal | None = None
    hours_to: Decimal | None = None
    percent: Decimal | None = None


class Resolved(Wire, frozen=True):
    """How long the toxicity must have been resolved; `strict` means more than, not at least."""

    hours: Decimal
    strict: bool


class Restart(Wire, frozen=True):
    """A restart or escalation dose as the source prints it."""

    dose: Decimal
    unit: str
    after_days: int | None = None


class CurrentInfusion(Wire, frozen=True):
    """What happens to the infusion that is running now."""

    action: str
    resume_percent: Decimal | None = None


class NextDose(Wire, frozen=True):
    """Conditions the source puts on the next dose of the same product."""

    hospitalize: Strength | None = None
    monitor: Strength | None = None
    premedicate: Strength | None = None
    rate: Strength | None = None
    max_infusion_hours: Decimal | None = None
    resolved: Resolved | None = None
    restart: Restart | None = None
    escalate: Restart | None = None
    dose_level: Literal["same", "reduced"] | None = None
    current_infusion: CurrentInfusion | None = None


class Medication(Wire, frozen=True):
    """One medicine a row names; a dose only where the source prints one."""

    agent: str
    strength: Literal["administer", "consider", "as-needed"]
    dose: Decimal | None = None
    dose_to: Decimal | None = None
    unit: str = ""
    per: Literal["kg", "m2", "day"] | None = None
    computed: Decimal | None = None
    max_dose: Decimal | None = None
    route: str = ""
    every: str = ""
    duration: str = ""
    rule: str = ""
