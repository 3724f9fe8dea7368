"""The course of one toxicity over time, from graded samples to events.

A sample is a grade at a time. An event starts with the first abnormal sample after a bispecific
dose and ends when it was observed free long enough, or a clinician charted it as over. A later
onset within 72 hours, without a dose in between, belongs to the same event; one after a dose that
was given when nothing had been abnormal for long enough is a new one.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, takewhile

import msgspec
from msgspec import Struct

from knowledge.assessment import Grade, Hours


REJOIN = timedelta(hours=72)
ONE_ROUND = timedelta(hours=1)  # a project decision: no source says how long a round takes
Period = tuple[datetime, datetime]


class Sample(Struct, frozen=True):
    """The grade at one time. `complete`: the set of inputs needed to call it free was there.

    `onset`: certain enough to start an event. `settles`: a clinician charted grade 0 or an end.
    `whole`: temperature, pressure and saturation were all there. `window`: how long this sample may
    stand for what came after it. `ends`: an end that was observed before.
    """

    at: datetime
    grade: Grade
    abnormal: bool
    complete: bool
    onset: bool
    window: timedelta
    settles: bool = False
    whole: bool = True
    ends: bool = False


class Course(Struct, frozen=True):
    """One event. `resolved` None: open. `confirmed_end`: a clinician charted the end.

    `hours`: without interruption at grade 1, 2 and 3 or above. `free_since`: the first complete
    normal set after the last abnormal value and treatment. `mild_since`: the first sample after the
    last one that may have been above grade 1. `agents`: the bispecifics it is attributed to.
    `measured`: the maximum by data and charted grades, where a coded diagnosis says otherwise.
    """

    onset: datetime
    last_abnormal: datetime
    maximum: Grade
    hours: tuple[Hours, Hours, Hours]
    resolved: datetime | None
    confirmed_end: bool = False
    free_since: datetime | None = None
    mild_since: datetime | None = None
    agents: tuple[str, ...] = ()
    measured: Grade | None = None

    @property
    def hours_at_grade3(self) -> Hours:
        """Hours at grade 3 or above."""
        return self.hours[2]


class Recorder:
    """Collects ascending samples into events. Holds the open event while samples come in."""

    def __init__(
        self,
        doses: Sequence[datetime],
        free: timedelta,
        covered: Sequence[Period] = (),
        treated: Sequence[Period] = (),
        before: Sample | None = None,
    ) -> None:
        """`doses`: times of bispecific doses. `free`: how long free of signs ends an event.

        `covered`: periods observed without a gap, such as a charted infusion. `treated`: periods
        of a treatment that may have kept a sign away. `before`: what is known of the time before
        the samples: `free_at` the last look, or `unread_since`.
        """
        self._doses = doses
        self._free = free
        self._covered = covered
        self._treated = sorted(treated)
        self._ends = sorted(end for _, end in treated)
        self._before = before
        self._lead: Sample | None = None
        self._after: list[Sample] = []
        self._part: list[Sample] = []
        self._last_abnormal = datetime.min.replace(tzinfo=UTC)
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
                self._begin(sample)
            else:
                self._before = free_at(sample.at)
        elif self._end is not None:
            if sample.onset:
                self._start_or_rejoin(sample, self._end)
            else:
                self._after.append(sample)
        elif sample.onset and (over := self._over_before_a_dose(sample)) is not None:
            self._close(over)
            self._begin(sample)
        else:
            self._take(sample)
            if self._is_end(sample):
                self._end = sample

    def _begin(self, sample: Sample) -> None:
        self._lead = self._before
        self._take(sample)

    def _take(self, sample: Sample) -> None:
        self._part.append(sample)
        self._highest = max(self._highest, sample.grade.at_least)
        if sample.abnormal or sample.onset:
            self._last_abnormal = sample.at

    def _is_end(self, sample: Sample) -> bool:
        if sample.settles or sample.ends:
            return True
        free = sample.at - self._sign_before(sample.at) >= self._free
        return sample.complete and not sample.abnormal and free

    def _sign_before(self, at: datetime) -> datetime:
        """The last abnormal value of the event, or the end of a later treatment before `at`."""
        return _later(self._last_abnormal, self._ends, at)

    def _over_before_a_dose(self, sample: Sample) -> datetime | None:
        """When an event without an observed end was over, if a dose came long after its signs."""
        held = _held(self._last_abnormal, self._treated, sample.at, self._free)
        over = held + self._free
        return over if any(over < dose <= sample.at for dose in self._doses) else None

    def _close(self, over: datetime) -> None:
        """Put the open event away as over at `over`."""
        self._before = free_at(self._part[-1].at)
        self._done.append(self._course(over, settled=False))
        self._part, self._highest = [], 0

    def _start_or_rejoin(self, sample: Sample, end: Sample) -> None:
        dosed = any(end.at < dose <= sample.at for dose in self._doses)
        between, self._after, self._end = self._after, [], None
        if dosed or sample.at - end.at > REJOIN:
            self._done.append(self._course(end.at, settled=end.settles))
            self._before = free_at(between[-1].at if between else end.at)
            self._part, self._highest = [], 0
            self._begin(sample)
        else:
            self._part += between
            self._take(sample)

    def courses(self) -> tuple[Course, ...]:
        """All events so far, the last one open or over."""
        if not self._part:
            return tuple(self._done)
        end = self._end
        last = self._course(None if end is None else end.at, settled=bool(end and end.settles))
        return (*self._done, last)

    def _course(self, over: datetime | None, *, settled: bool) -> Course:
        kept = [s for s in self._part if over is None or s.at <= over]
        certain = [s for s in kept if s.abnormal or s.onset]
        bounded = kept if self._lead is None else [self._lead, *kept]
        possible = [] if self._lead is None else [self._lead.grade.at_most]
        last = certain[-1].at
        treated = _later(last, self._ends, kept[-1].at)
        return Course(
            onset=kept[0].at,
            last_abnormal=last,
            maximum=Grade(
                max(s.grade.at_least for s in kept),
                max([*possible, *(_upper(s, kept) for s in certain)]),
            ),
            hours=(
                _hours(bounded, self._covered, 1),
                _hours(bounded, self._covered, 2),
                _hours(bounded, self._covered, 3),
            ),
            resolved=over,
            confirmed_end=settled,
            free_since=next((s.at for s in kept if _is_free(s, last, treated)), None),
            mild_since=_since(kept, lambda s: s.grade.at_most <= 1),
        )


def _later(sign: datetime, ends: Sequence[datetime], at: datetime) -> datetime:
    """The last sign, or the end of a treatment between it and `at`."""
    place = bisect_right(ends, at)
    return max(sign, ends[place - 1]) if place else sign


def _held(sign: datetime, treated: Sequence[Period], at: datetime, free: timedelta) -> datetime:
    """How long signs, and treatment without a free stretch in between, went on up to `at`.

    What was given once the patient had been free of both for long enough, such as the premedication
    of the next dose, is of no event that was over by then.
    """
    for start, end in treated:
        if start > at or start - sign >= free:
            break
        sign = max(sign, min(end, at))
    return sign


def _is_free(sample: Sample, sign: datetime, treated: datetime) -> bool:
    """A clinician's word counts after the last sign; a normal set after the treatment too."""
    calm = sample.complete and not sample.abnormal and sample.at > treated
    return sample.at > sign and (sample.settles or calm)


def free_at(at: datetime) -> Sample:
    """The last look before an event: it may have begun right after."""
    return Sample(at, Grade(0, 0), False, False, False, timedelta(0))


def unread_since(at: datetime) -> Sample:
    """From here to the first sample nobody read: any grade, as long as that, is possible."""
    return Sample(at, Grade(0, 4), False, False, False, timedelta(0))


def _upper(sample: Sample, part: Sequence[Sample]) -> int:
    """The highest grade possible at a sample. One round of vital signs is charted value by value:
    before it is whole, what it comes to soon after is what was possible."""
    if sample.whole:
        return sample.grade.at_most
    end = sample.at + ONE_ROUND
    soon = next((s for s in part if s.whole and sample.at < s.at <= end), sample)
    return max(sample.grade.at_least, soon.grade.at_most)


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
    apart = grade.at_least > most.at_most or grade.at_most < most.at_least
    measured = course.measured or (most if apart else None)
    return msgspec.structs.replace(course, maximum=lifted, measured=measured)
