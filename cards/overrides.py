"""The override reasons offered with a card; sites map their codes to their own."""

from cards.model import Coding


SYSTEM = "https://btce-cds.org/fhir/CodeSystem/override-reason"

OVERRIDE_REASONS = (
    Coding("already-held", SYSTEM, "The drug is already held or will not be given now"),
    Coding("grade-differs", SYSTEM, "The grade at the bedside differs and is charted"),
    Coding("other-cause", SYSTEM, "The findings have another cause"),
    Coding("specialist-decision", SYSTEM, "Decided with the treating specialist"),
    Coding("data-not-current", SYSTEM, "The data shown are not current"),
)
# Acknowledges the programme, so that its duties are not shown again for this patient.
REMS_REASONS = (Coding("duties-read", SYSTEM, "The duties of the programme have been read"),)
