"""Whether a new decision says anything that the last one did not; compares, decides nothing."""

from typing import Any

import msgspec

from cds.store import DecisionRow
from cds.store.latest import Kept


WHEN = "evaluatedAt"
# Grows with every minute of an open event. What follows from it, a row that is met after so many
# hours, is in the rest of the assessment.
_GROWS = "hoursAtGrade3"
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=str)  # no number is rounded


def unchanged(last: Kept | None, new: DecisionRow) -> bool:
    """Same assessment but for the passing of time, from the same versions of the same resources."""
    return (
        last is not None
        and last.inputs == new.inputs
        and timeless(last.assessment) == timeless(new.assessment)
    )


def timeless(assessment: str) -> dict[str, Any]:
    """The assessment without when it was made and how long grade 3 has lasted by then; what was
    observed, and events, keep their own times."""
    found = _DECODER.decode(assessment)
    found.pop(WHEN, None)
    for toxicity in ("crs", "icans"):
        event = found.get(toxicity, {}).get("event", {})
        event.pop(_GROWS, None)
    return found
