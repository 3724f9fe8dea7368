"""What the check, the order and the sentences on anakinra share: reasons, ceiling, platelets."""

from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from knowledge.crs_state import age_in_hours
from knowledge.dosing_model import AnakinraLimits
from knowledge.facts import Facts, Reading
from knowledge.plain import plain
from knowledge.series import any_within


SILENT = "protocol-silent"
NO_DOSE_IN = "no-dose-in-"  # followed by the protocol
FOR_INFORMATION = "ceilings-for-information"
NO_TOCILIZUMAB = "tocilizumab-doses-not-given"
NO_CORTICOSTEROID = "corticosteroid-not-given"
TOO_SHORT = "icans-too-short"
NO_ONSET = "icans-onset-not-known"
UNANSWERED = "administrations-not-available"


def unmet_words(limits: AnakinraLimits) -> dict[str, str]:
    """The sentence for each condition that is not met."""
    doses, hours = plain(limits.tocilizumab_doses.value), plain(limits.icans_over_hours.value)
    grade = plain(limits.corticosteroid_from_grade.value)
    return {
        NO_TOCILIZUMAB: f"fewer than {doses} tocilizumab doses given in this CRS event",
        NO_CORTICOSTEROID: f"CRS grade {grade} or above without recent corticosteroid",
        TOO_SHORT: f"ICANS has not lasted more than {hours} h",
        NO_ONSET: "the onset of ICANS is not known",
        UNANSWERED: "earlier tocilizumab and corticosteroid doses were not available",
    }


def ceiling_mg(limits: AnakinraLimits, weight: Reading) -> Decimal:
    """The most in a day by weight in whole milligrams, rounded down."""
    most = limits.mg_per_kg_per_day.value * weight.value
    return most.quantize(Decimal(1), rounding=ROUND_DOWN)


def recent_platelets(facts: Facts, limits: AnakinraLimits) -> Reading | None:
    """The newest platelet count that is young enough to judge the route by."""
    span = timedelta(hours=int(limits.platelets_max_age_hours.value))
    return any_within(facts.platelets, facts.evaluated_at, span)


def too_low(platelets: Reading, limits: AnakinraLimits) -> bool:
    """Whether the count makes the subcutaneous route unsuitable."""
    return platelets.value < limits.platelets_below.value


def platelets_words(platelets: Reading, facts: Facts) -> str:
    """The count with its unit and age."""
    settled = ", preliminary" if platelets.preliminary else ""
    hours = age_in_hours(platelets.at, facts.evaluated_at)
    return f"platelets {plain(platelets.value)} x10*9/L {hours} h ago{settled}"
