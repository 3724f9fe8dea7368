"""Laboratory values doses depend on: creatinine in mg/dL and platelets in 10*9/L."""

from fhir_mapping.readings import Scope, number_series
from fhir_mapping.record import Record
from knowledge.facts import Reading


def read_creatinine(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """Every usable creatinine of the blood in the window, oldest first."""
    items = record.observations.get("creatinine", ())
    return number_series(items, "creatinine", "creatinine", scope)


def read_platelets(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """Every usable platelet count of whole blood in the window, oldest first."""
    items = record.observations.get("platelets", ())
    return number_series(items, "platelets", "platelets", scope)
