"""Where one toxicity stands now: assessed or not, the grade, what acts, the event, the attribution.

`grade` is what the data say; `charted` what a clinician said; `acting` what drives advice: a fresh
charted grade replaces data no newer than itself, newer data can only raise it.
"""

from datetime import timedelta

import msgspec
from msgspec import Struct

from knowledge.assessment import AxisState, ChartedAt, Event, Grade, ToxicityState
from knowledge.beside_icans import evidence_beside, is_depressed, notices_beside
from knowledge.charted_notices import charted_notices
from knowledge.cognition import baseline_notices
from knowledge.course import Course
from knowledge.crs_state import CrsState, crs_state, freshness, state_missing, state_notices
from knowledge.earlier import EarlierEvent
from knowledge.exposure import exposed, lookback
from knowledge.facts import ChartedGrade, Facts, Notice, ToxicityName, bispecific_doses
from knowledge.grading import FEVER_LEVELS
from knowledge.history import crs_events, icans_events, recurrent_at
from knowledge.hypotension import ORDER as SUPPORT
from knowledge.hypoxia import ORDER as OXYGEN
from knowledge.icans_state import IcansState, icans_missing, icans_notices, icans_state
from knowledge.levels import Axis, axis_state
from knowledge.model import SiteRules
from knowledge.newer_data import newer_crs, newer_icans
from knowledge.remembered import is_remembered, remembered
from knowledge.scale_model import CrsScale, IcansScale


ANY_GRADE = Grade(0, 4)


class Standing(Struct, frozen=True):
    """One toxicity now. `active`: an open event, or something abnormal that may be one.

    `unassessed_sign`: not assessed, and another scale shows something its scale would grade.
    """

    toxicity: ToxicityName
    state: ToxicityState
    events: tuple[Course, ...] = ()
    active: bool = False
    abnormal: bool = False
    other_cause: bool = False
    exposed: bool = True
    unassessed_sign: bool = False
    notices: tuple[Notice, ...] = ()

    @property
    def event(self) -> Course | None:
        """The newest event, open or over."""
        return self.events[-1] if self.events else None

    @property
    def open(self) -> bool:
        """Whether an event is going on."""
        return self.event is not None and self.event.resolved is None

    @property
    def maximum(self) -> Grade:
        """The event's maximum, or the acting grade where there is no event."""
        if self.event is not None:
            return self.event.maximum
        return self.state.acting or Grade(0, 0)


def crs_standing(facts: Facts, scale: CrsScale, rules: SiteRules) -> Standing:
    """CRS at the evaluation time."""
    now = facts.evaluated_at
    events = crs_events(facts, scale, rules)
    is_open = bool(events) and events[-1].resolved is None
    window = freshness(facts, rules, is_open and events[-1].maximum.at_least >= 2)
    state = crs_state(facts, now, scale=scale, rules=rules, established=is_open, window=window)
    charted = _charted(facts, "crs", window)
    newer = None
    if charted is not None:
        newer = newer_crs(facts, charted, scale, rules, window)
    axes = {
        "fever": axis_state(state.fever, _fever_order(state.fever)),
        "hypotension": axis_state(state.hypotension, SUPPORT),
        "hypoxia": axis_state(state.hypoxia, OXYGEN),
    }
    shell = ToxicityState(scale.id, assessed=True, axes=axes, missing=state_missing(state))
    standing = _standing(facts, "crs", rules, events, state, shell, newer, charted)
    notices = _used_notices(standing, state_notices(state))
    return msgspec.structs.replace(standing, notices=notices)


def icans_standing(facts: Facts, scale: IcansScale, rules: SiteRules) -> Standing:
    """ICANS at the evaluation time."""
    now = facts.evaluated_at
    events = icans_events(facts, scale, rules)
    state = icans_state(facts, now, scale=scale, rules=rules, since=None)
    charted = _charted(facts, "icans", timedelta(hours=rules.ice_hours))
    newer = None if charted is None else newer_icans(facts, charted, scale, rules)
    orders = {
        "ice": tuple(str(grade) for grade in range(4)),
        "arousal": tuple(scale.arousal.levels),
        "seizure": tuple(scale.seizure.levels),
        "motor": tuple(scale.motor.levels),
        "raised-icp": tuple(scale.raised_icp.levels),
    }
    axes = {name: axis_state(axis, orders[name]) for name, axis in state.axes.items()}
    window = timedelta(hours=rules.ice_hours)
    beside = evidence_beside(facts, now, window)
    axes["arousal"] = AxisState(axes["arousal"].level, (*axes["arousal"].evidence, *beside))
    score = msgspec.structs.replace(axes.pop("ice"), level=_ice_level(state.axes["ice"]))
    limit = int(scale.capd_under_age.value)
    child = facts.age_years is not None and facts.age_years < limit
    axes = {"capd" if child else "ice": score, **axes}
    shell = ToxicityState(scale.id, assessed=True, axes=axes, missing=icans_missing(state))
    standing = _standing(facts, "icans", rules, events, state, shell, newer, charted)
    notices = _used_notices(standing, icans_notices(state))
    if standing.exposed:
        notices += notices_beside(facts, now, window) + baseline_notices(facts, now, window)
    unassessed = not standing.state.assessed and is_depressed(facts, now, window)
    return msgspec.structs.replace(standing, notices=notices, unassessed_sign=unassessed)


def _standing(
    facts: Facts,
    toxicity: ToxicityName,
    rules: SiteRules,
    events: tuple[Course, ...],
    state: CrsState | IcansState,
    shell: ToxicityState,
    newer: Grade | None,
    charted: ChartedGrade | None,
) -> Standing:
    now = facts.evaluated_at
    known = remembered(facts, toxicity, rules)
    is_open = bool(events) and events[-1].resolved is None
    if not is_open and not exposed(facts, now, lookback(toxicity, rules)):
        axes = shell.axes if state.abnormal else {}
        closed = ToxicityState(shell.scale, assessed=False, reason="not-exposed", axes=axes)
        return Standing(
            toxicity,
            _with_event(closed, facts, events, known),
            events,
            abnormal=state.abnormal,
            exposed=False,
        )
    usable = state.usable or charted is not None
    if not usable and not is_open:
        bare = msgspec.structs.replace(shell, assessed=False, reason="not-assessed", axes={})
        return Standing(toxicity, _with_event(bare, facts, events, known), events)
    grade = state.grade if state.usable else ANY_GRADE
    acting = grade
    notices: tuple[Notice, ...] = ()
    if charted is not None and newer is not None:
        acting = Grade(max(charted.grade, newer.at_least), max(charted.grade, newer.at_most))
        if not grade.at_least <= charted.grade <= grade.at_most:
            span = f"{grade.at_least}-{grade.at_most}"
            text = f"Charted {toxicity.upper()} grade {charted.grade}; the data give {span}."
            notices = (Notice(f"{toxicity}-charted-differs", text),)
    notices += charted_notices(facts, toxicity, events)
    filled = msgspec.structs.replace(
        shell,
        grade=grade,
        acting=acting,
        charted=None
        if charted is None
        else ChartedAt(charted.grade, charted.at, charted.evidence.ref),
    )
    attributed = _attributed_elsewhere(facts, toxicity, rules)
    doubtful = state.abnormal and acting.at_most > 0
    return Standing(
        toxicity,
        _with_event(filled, facts, events, known),
        events,
        active=is_open or acting.at_least > 0 or doubtful,
        abnormal=state.abnormal,
        other_cause=attributed,
        notices=notices,
    )


def _with_event(
    state: ToxicityState,
    facts: Facts,
    events: tuple[Course, ...],
    known: tuple[EarlierEvent, ...],
) -> ToxicityState:
    if not events:
        return state
    event = events[-1]
    times = [d.start for d in bispecific_doses(facts) if d.ingredient in event.agents]
    earlier = [e for e in events[:-1] if not {*e.agents}.isdisjoint(event.agents)]
    hours = event.hours_at_grade3 if state.scale.startswith("astct-crs") else None
    if event.maximum.at_most < 3:
        hours = None
    wire = Event(
        source="store" if is_remembered(event, known) else "request",
        onset=event.onset,
        max_grade=event.maximum,
        recurrent=recurrent_at(earlier, event, times, max(event.maximum.at_least, 1)),
        hours_at_grade3=hours,
        resolved_at=event.resolved,
        resolved_confirmed=event.confirmed_end,
        agent=event.agents[0] if event.agents else "",
    )
    return msgspec.structs.replace(state, event=wire)


def _charted(facts: Facts, toxicity: ToxicityName, window: timedelta) -> ChartedGrade | None:
    now = facts.evaluated_at
    fresh = [
        g
        for g in facts.grades
        if g.toxicity == toxicity and g.usable and timedelta(0) <= now - g.at <= window
    ]
    return max(fresh, key=lambda g: (g.at, g.grade)) if fresh else None


def _attributed_elsewhere(facts: Facts, toxicity: ToxicityName, rules: SiteRules) -> bool:
    """The newest attribution in the window; `btce` or `undetermined` ends an earlier one."""
    if toxicity == "crs":
        window = freshness(facts, rules, reached_grade_2=False)
    else:
        window = timedelta(hours=rules.ice_hours)
    fresh = [
        a
        for a in facts.attributions
        if a.toxicity == toxicity and timedelta(0) <= facts.evaluated_at - a.at <= window
    ]
    newest = max((a.at for a in fresh), default=None)
    return bool(fresh) and all(a.cause == "other-cause" for a in fresh if a.at == newest)


def _fever_order(axis: Axis) -> tuple[str, ...]:
    """Masked is one of the levels only where treatment may hide a fever."""
    if "masked" in axis.levels:
        return FEVER_LEVELS
    return tuple(level for level in FEVER_LEVELS if level != "masked")


def _ice_level(axis: Axis) -> str:
    if not axis.observed:
        return "unknown"
    return axis.evidence[-1].value


def _used_notices(standing: Standing, found: tuple[Notice, ...]) -> tuple[Notice, ...]:
    """Notices of the axes matter only where the scale was assessed."""
    return standing.notices + (found if standing.state.assessed else ())
