"""Which bispecific doses there were, how far each reaches, and which ones an event belongs to.

The look-back limits only how long after a dose an onset is attributed to it.
"""

from datetime import datetime, timedelta

from knowledge.facts import Dose, Facts, ToxicityName, bispecific_doses
from knowledge.model import SiteRules


BAG_CHANGE = timedelta(hours=1)  # a project decision: no source says how long changing a bag takes


def lookback(toxicity: ToxicityName, rules: SiteRules) -> timedelta:
    """How long after a dose an onset is still attributed to it."""
    days = rules.crs_lookback_days if toxicity == "crs" else rules.icans_lookback_days
    return timedelta(days=days)


def exposed(facts: Facts, at: datetime, span: timedelta) -> bool:
    """Whether a bispecific was, or may have been, given within `span` before `at`."""
    if "administrations" not in facts.answered and not bispecific_doses(facts):
        return True
    return bool(exposures(facts, at, span))


def exposures(facts: Facts, at: datetime, span: timedelta) -> tuple[Dose, ...]:
    """The bispecific doses within `span` before `at`, oldest first; an infusion counts to its end,
    one that is still running to now."""
    return tuple(
        dose
        for dose in bispecific_doses(facts)
        if dose.start <= at and (_running(dose) or at <= (dose.end or dose.start) + span)
    )


def _running(dose: Dose) -> bool:
    """An infusion in progress, or with a rate and no end; a dose without either was a moment."""
    return dose.end is None and (dose.running or dose.rate is not None)


def separate_doses(facts: Facts) -> tuple[datetime, ...]:
    """When bispecific doses began: the next bag of an infusion that goes on is not a new dose."""
    found: list[datetime] = []
    ends: dict[str, datetime | None] = {}
    for dose in bispecific_doses(facts):
        end = ends.get(dose.ingredient)
        if end is None or dose.start > end + BAG_CHANGE:
            found.append(dose.start)
        ends[dose.ingredient] = dose.end
    return tuple(found)


def attributed_to(onset: datetime, facts: Facts, span: timedelta) -> tuple[str, ...]:
    """The bispecifics an event is attributed to: all within the look-back, else the one before;
    the one given last is named first."""
    given = exposures(facts, onset, span)
    if not given:
        given = tuple(d for d in bispecific_doses(facts) if d.start <= onset)[-1:]
    return tuple(dict.fromkeys(d.ingredient for d in reversed(given)))
