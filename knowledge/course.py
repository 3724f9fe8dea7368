"""The course of one toxicity over time, from graded samples to events.

A sample is a grade at a time. An event starts with the first abnormal sample after a bispecific
dose and ends when it was observed free long enough, or a clinician charted it as over. A later
onset within 72 hours, without a dose in between, belongs to the same event.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise, takewhile

import msgspec
from msgspec import Struct

from knowledge.assessment import Grade, Hours


REJOIN = timedelta(hours=72)
Period = tuple[datetime, datetime]


class Sample(Struct, frozen=True):
    """The grade at one time. `complete`: the set of inputs needed to call it free was there.

    `onset`: certain enough to start an event. `settles`: a clinician charted grade 0 or an end.
    `window`: how long this sample may stand for what came after it.
    """

    at: datetime
    grade: Grade
    abnormal: bool
    complete: bool
    onset: bool
    window: timedelta
    settles: bool = False


class Course(Struct, frozen=True):
    """One event. `resolved` None: open. `confirmed_end`: a clinician charted the end.

    `hours`: without interruption at grade 1, 2 and 3 or above. `free_since`: the first complete
    normal set after the last abnormal value. `mild_since`: the first sample after the last one
    that may have been above grade 1.
    """

    onset: datetime
    last_abnormal: datetime
    maximum: Grade
    hours: tuple[Hours, Hours, Hours]
    resolved: datetime | None
    confirmed_end: bool = False
    free_since: datetime | None = None
    mild_since: datetime | None = None

    @property
    def hours_at_grade3(self) -> Hours:
        """Hours at grade 3 or above."""
        return self.hours[2]


class Recorder:
    """Collects ascending samples into events. Holds the open event while samples come in."""

    def __init__(
        self, doses: Sequence[datetime], free: timedelta, covered: Sequence[Period] = ()
    ) -> None:
        """`doses`: times of bispecific doses. `free`: how long free of signs ends an event.

        `covered`: periods observed without a gap, such as a charted infusion.
        """
        self._doses = doses
        self._free = free
        self._covered = covered
        self._part: list[Sample] = []
        self._last_abnormal: datetime | None = None
        self._highest = 0
        self._end: Sample | None = None
        self._done: list[Course] = []

    @property
    def open(self) -> bool:
        """Whether an event is going on after the samples so far."""
        return bool(self._part) and self._end is None

    def reached(self, grade: int) -> bool:
        """Whether the open event has surely reached this grade."""
        return self.open and self._highest >= grade

    def add(self, sample: Sample) -> None:
        """Take the next sample in time."""
        if not self._part:
            if sample.onset:
                self._take(sample)
        elif self._end is None:
            self._take(sample)
            if self._is_end(sample):
                self._end = sample
        elif sample.onset:
            self._start_or_rejoin(sample, self._end)

    def _take(self, sample: Sample) -> None:
        self._part.append(sample)
        self._highest = max(self._highest, sample.grade.at_least)
        if sample.abnormal or sample.onset:
            self._last_abnormal = sample.at

    def _is_end(self, sample: Sample) -> bool:
        if sample.settles:
            return True
        free = self._last_abnormal is None or sample.at - self._last_abnormal >= self._free
        return sample.complete and not sample.abnormal and free

    def _start_or_rejoin(self, sample: Sample, end: Sample) -> None:
        dosed = any(end.at < dose <= sample.at for dose in self._doses)
        self._end = None
        if dosed or sample.at - end.at > REJOIN:
            self._done.append(_course(self._part, end, self._covered))
            self._part, self._highest = [], 0
        self._take(sample)

    def courses(self) -> tuple[Course, ...]:
        """All events so far, the last one open or over."""
        last = [_course(self._part, self._end, self._covered)] if self._part else []
        return (*self._done, *last)


def _last_abnormal(part: Sequence[Sample]) -> datetime:
    return max(s.at for s in part if s.abnormal or s.onset)


def _course(
    part: Sequence[Sample],
    end: Sample | None,
    covered: Sequence[Period],
) -> Course:
    kept = [s for s in part if end is None or s.at <= end.at]
    certain = [s for s in kept if s.abnormal or s.onset] or kept
    return Course(
        onset=kept[0].at,
        last_abnormal=_last_abnormal(kept),
        maximum=Grade(max(s.grade.at_least for s in kept), max(s.grade.at_most for s in certain)),
        hours=(_hours(kept, covered, 1), _hours(kept, covered, 2), _hours(kept, covered, 3)),
        resolved=None if end is None else end.at,
        confirmed_end=end is not None and end.settles,
        free_since=_since(kept, lambda s: s.settles or (s.complete and not s.abnormal)),
        mild_since=_since(kept, lambda s: s.grade.at_most <= 1),
    )


def _since(part: Sequence[Sample], calm: Callable[[Sample], bool]) -> datetime | None:
    """The start of the unbroken run of calm samples at the end; None where the last is not calm."""
    run = list(takewhile(calm, reversed(part)))
    return run[-1].at if run else None


def _hours(part: Sequence[Sample], covered: Sequence[Period], grade: int) -> Hours:
    """The longest stretch at `grade` or more: without a gap (least), with gaps and edges (most)."""
    least = most = run_least = run_most = timedelta(0)
    for before, after in pairwise(part):
        step = after.at - before.at
        seen = step <= before.window or any(s <= before.at and after.at <= e for s, e in covered)
        certain = before.grade.at_least >= grade and after.grade.at_least >= grade
        run_least = run_least + step if certain and seen else timedelta(0)
        possible = before.grade.at_most >= grade or after.grade.at_most >= grade
        run_most = run_most + step if possible else timedelta(0)
        if after.grade.at_most < grade:
            most, run_most = max(most, run_most), timedelta(0)
        least, most = max(least, run_least), max(most, run_most)
    return Hours(in_hours(least), in_hours(max(least, most)))


def in_hours(span: timedelta) -> Decimal:
    """A duration in hours with two decimals."""
    seconds = Decimal(int(span.total_seconds()))
    return (seconds / 3600).quantize(Decimal("0.01")).normalize() + Decimal(0)


def raise_maximum(course: Course, grade: Grade) -> Course:
    """The same event with a maximum that a charted grade or a diagnosis lifts."""
    most = course.maximum
    lifted = Grade(max(most.at_least, grade.at_least), max(most.at_most, grade.at_most))
    return msgspec.structs.replace(course, maximum=lifted)
