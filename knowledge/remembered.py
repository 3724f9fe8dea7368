"""Events this service saw before and the data at hand no longer reach; a project decision.

A page is bounded and an answer may be missing, so what an earlier decision saw stays until the
same queries are answered again for the time it began: then the data alone decide, and what was
retracted is gone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from knowledge.assessment import Grade, Hours
from knowledge.course import Course, Sample
from knowledge.earlier import EarlierEvent
from knowledge.facts import Facts, ToxicityName
from knowledge.model import SiteRules


# What an event of each toxicity can be seen in.
_QUERIES: Mapping[ToxicityName, tuple[str, ...]] = {
    "crs": ("vitals", "oxygen", "assessments", "administrations", "conditions", "procedures"),
    "icans": ("assessments", "administrations", "conditions", "procedures"),
}


def remembered(facts: Facts, toxicity: ToxicityName, rules: SiteRules) -> tuple[EarlierEvent, ...]:
    """The earlier events that the data at hand do not speak of, oldest first."""
    found = (e for e in facts.earlier if e.toxicity == toxicity and e.onset <= facts.evaluated_at)
    return tuple(
        sorted(
            (e for e in found if any(e.onset < _reach(q, facts, rules) for q in _basis(e))),
            key=lambda e: e.onset,
        )
    )


def seeds(events: Iterable[EarlierEvent]) -> dict[datetime, tuple[Sample, ...]]:
    """What the earlier events add to the samples of the data, by time; of one time in this order.

    An event may end at the time it began: a code tells no duration.
    """
    found: dict[datetime, tuple[Sample, ...]] = {}
    for event in events:
        sign = Sample(
            at=event.onset,
            grade=Grade(event.at_least, event.at_most),
            abnormal=True,
            complete=False,
            onset=True,
            window=timedelta(0),
        )
        _put(found, sign)
        if event.last_abnormal != event.onset:
            _put(found, msgspec.structs.replace(sign, at=event.last_abnormal))
        if event.resolved is not None:
            end = Sample(
                at=event.resolved,
                grade=Grade(0, 0),
                abnormal=False,
                complete=True,
                onset=False,
                window=timedelta(0),
                ends=True,
                settles=event.confirmed_end,
            )
            _put(found, end)
    return found


def completed(courses: Iterable[Course], events: tuple[EarlierEvent, ...]) -> tuple[Course, ...]:
    """The courses with what only the earlier events tell: their products and their hours."""
    return tuple(_completed(course, events) for course in courses)


def to_remember(
    courses: Iterable[Course], facts: Facts, toxicity: ToxicityName, rules: SiteRules
) -> tuple[EarlierEvent, ...]:
    """The courses as the next decisions are to find them."""
    before = remembered(facts, toxicity, rules)
    return tuple(
        EarlierEvent(
            toxicity=toxicity,
            onset=course.onset,
            last_abnormal=course.last_abnormal,
            at_least=course.maximum.at_least,
            at_most=course.maximum.at_most,
            hours=tuple((h.at_least, h.at_most) for h in course.hours),
            resolved=course.resolved,
            confirmed_end=course.confirmed_end,
            agents=course.agents,
            basis=_seen_in(course, facts, toxicity, rules, before),
        )
        for course in courses
    )


def is_remembered(course: Course, events: Iterable[EarlierEvent]) -> bool:
    """Whether the course began with an earlier event."""
    return any(event.onset == course.onset for event in events)


def answers_any(facts: Facts, toxicity: ToxicityName) -> bool:
    """Whether the data at hand tell anything of a toxicity; if not, nothing new is remembered."""
    return any(q in facts.answered or q in facts.read_back_to for q in _QUERIES[toxicity])


def _put(found: dict[datetime, tuple[Sample, ...]], sample: Sample) -> None:
    found[sample.at] = (*found.get(sample.at, ()), sample)


def _basis(event: EarlierEvent) -> tuple[str, ...]:
    return event.basis or _QUERIES[event.toxicity][:1]


def _reach(query: str, facts: Facts, rules: SiteRules) -> datetime:
    """From when on the answer to a query is whole; the evaluation time where there is none."""
    if query in facts.answered:
        return facts.evaluated_at - timedelta(days=rules.icans_lookback_days)
    return facts.read_back_to.get(query, facts.evaluated_at)


def _seen_in(
    course: Course,
    facts: Facts,
    toxicity: ToxicityName,
    rules: SiteRules,
    before: tuple[EarlierEvent, ...],
) -> tuple[str, ...]:
    now = {q for q in _QUERIES[toxicity] if _reach(q, facts, rules) <= course.onset}
    kept = {q for event in _of(course, before) for q in event.basis}
    return tuple(sorted(now | kept))


def _of(course: Course, events: Iterable[EarlierEvent]) -> list[EarlierEvent]:
    """The earlier events that are part of a course."""
    return [
        event
        for event in events
        if course.onset <= event.onset
        and (course.resolved is None or event.onset <= course.resolved)
    ]


def _completed(course: Course, events: tuple[EarlierEvent, ...]) -> Course:
    own = _of(course, events)
    if not own:
        return course
    named = [agent for event in own for agent in event.agents]
    hours = tuple(_longer(span, place, own) for place, span in enumerate(course.hours))
    one, two, three = hours
    return msgspec.structs.replace(
        course,
        agents=tuple(dict.fromkeys((*named, *course.agents))),
        hours=(one, two, three),
    )


def _longer(span: Hours, place: int, events: Iterable[EarlierEvent]) -> Hours:
    known = [event.hours[place] for event in events if place < len(event.hours)]
    least = max((span.at_least, *(low for low, _ in known)))
    return Hours(least, max((span.at_most, least, *(high for _, high in known))))
