"""What a dosing file may contain: one number, one place, and whose limit it is."""

from decimal import Decimal

from knowledge.model import Header, SourceRef, Strict


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


class Stated(Strict, frozen=True):
    """One sentence in our words with the place it comes from."""

    text: str
    source: SourceRef


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
    remarks: tuple[Stated, ...] = ()


class Clearance(Strict, frozen=True, kw_only=True):
    """Creatinine clearance in mL/min: its limits, how old a creatinine may be, and the formula.

    (ageFrom - years) * kg * femaleFactor / (divisor * mg/dL), from `fromYears` on.
    """

    caution_below: Limit
    alternate_days_below: Limit
    creatinine_max_age_hours: Limit
    from_years: Limit
    age_from: Limit
    divisor: Limit
    female_factor: Limit


class AnakinraLimits(Header, frozen=True, kw_only=True):
    """Anakinra: what one protocol states; the others are silent and nothing is computed for them.

    `platelets_below`: 10*9/L. `tocilizumab_doses`: given in the CRS event before it.
    """

    stated_by: str
    silent: dict[str, SourceRef]
    start_mg: Limit
    step_mg: Limit
    mg_per_kg_per_day: Limit
    continuous_mg_per_day: Limit
    platelets_below: Limit
    platelets_max_age_hours: Limit
    tocilizumab_doses: Limit
    corticosteroid_from_grade: Limit
    icans_over_hours: Limit
    clearance: Clearance
    statements: tuple[Stated, ...]
    administration: tuple[Stated, ...]
    not_checked: tuple[str, ...]


class Spacing(Strict, frozen=True, kw_only=True):
    """Hours between two doses as one protocol prints them; `hours_to` where it prints a range."""

    hours: Limit
    hours_to: Decimal | None = None
    note: str = ""


class DailyTotal(Strict, frozen=True, kw_only=True):
    """The most in a day as one protocol prints it: a dose of mg, `times` to `times_to` times."""

    stated_by: str
    dose_mg: Limit
    times: Limit
    times_to: Limit
    window_hours: Limit


class AntipyreticLimits(Header, frozen=True, kw_only=True):
    """One antipyretic under all its names: spacing per protocol and the total in a day."""

    ingredients: tuple[str, ...]
    spacing: dict[str, Spacing]
    daily: DailyTotal
