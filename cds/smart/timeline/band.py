"""The grades over time: what the pipeline says of each moment, from the record as it is now.

Each moment is evaluated like a hook call at that time: what was charted of later times changes
nothing, what was charted late of earlier times does. Nothing is stored.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from cards import terms
from knowledge.assessment import Assessment, Grade, ToxicityState
from knowledge.facts import ToxicityName


MOST = 40  # moments of one page, so that it stays below about a second
_FEWEST = 8
_VALUES = 8000  # values read for all moments together
_SHARE = 4  # one moment in so many is no time of charting: what was charted gets old


class Level(Struct, frozen=True):
    """One scale at one moment. `grade` None: not assessed. `words`: the same, to read."""

    grade: Grade | None
    words: str


class Sample(Struct, frozen=True):
    """Both scales at one moment."""

    at: datetime
    crs: Level
    icans: Level


class Moments(Struct, frozen=True):
    """The moments that are evaluated, oldest first, of `charted` times something was charted at."""

    at: tuple[datetime, ...]
    charted: int
    shown: int

    @property
    def thinned(self) -> bool:
        """Whether some times of charting are left out."""
        return self.shown < self.charted


def moments(charted: Sequence[datetime], since: datetime, now: datetime, values: int) -> Moments:
    """At most `MOST`, fewer where the record is large: times of charting, evenly thinned, and
    evenly between them, because a grade also changes when nothing is charted.

    `charted`: ascending, from `since` to `now`. `values`: how many the record holds.
    """
    most = max(_FEWEST, min(MOST, _VALUES // max(1, values)))
    grid = most // _SHARE
    chosen = thinned(charted, most - grid - 1)
    step = (now - since) / (grid + 1)
    between = [_whole(since + step * place) for place in range(1, grid + 1)] if charted else []
    start = charted[0] if charted else now
    every = {*chosen, *(at for at in between if start < at < now), now}
    return Moments(tuple(sorted(every)), len(charted), len(chosen))


def thinned(times: Sequence[datetime], most: int) -> tuple[datetime, ...]:
    """At most `most` of them, the first and the last among them, evenly by their number."""
    if len(times) <= most:
        return tuple(times)
    last = len(times) - 1
    return tuple(dict.fromkeys(times[round(place * last / (most - 1))] for place in range(most)))


def _whole(at: datetime) -> datetime:
    return at - timedelta(seconds=at.second, microseconds=at.microsecond)


def band(at: Sequence[datetime], assess: Callable[[datetime], Assessment]) -> tuple[Sample, ...]:
    """A sample for each moment. `assess`: what the pipeline says of a time."""
    return tuple(sample_of(one, assess(one)) for one in at)


def sample_of(at: datetime, assessment: Assessment) -> Sample:
    """The grades an assessment acts on."""
    return Sample(at, _level("crs", assessment.crs), _level("icans", assessment.icans))


def _level(code: ToxicityName, state: ToxicityState) -> Level:
    words = terms.grade(code, state)
    why = terms.reason(state.reason) if state.reason and not state.assessed else ""
    if why and not words.endswith(why):
        words = f"{words}: {why}"
    return Level(terms.shown_grade(state), words)
