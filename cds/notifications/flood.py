"""How many notifications of one subscription are read: a token bucket each, in this process.

What is refused must not be lost: while a flood lasts, one reason to read everybody of the
subscription is due each second, and one more with the first notification that is let in again.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from msgspec import Struct
from msgspec.structs import replace


MOST_BUCKETS = 10_000
TELL_SECONDS = 1.0


class Limits(Struct, frozen=True):
    """`burst` notifications at once, `per_second` in the long run."""

    per_second: float = 20.0
    burst: int = 200


class Bucket(Struct, frozen=True):
    """`tokens` left at the second `at`. `owed`: something was refused that nobody was told of."""

    tokens: float
    at: float
    owed: bool = False
    told_at: float = -math.inf


class Verdict(Struct, frozen=True):
    """`wait`: seconds until one will be let in, 0: this one is. `tell`: everybody must be read."""

    wait: int = 0
    tell: bool = False


def take(bucket: Bucket | None, now: float, limits: Limits) -> tuple[Bucket, Verdict]:
    """One more notification at the monotonic second `now`; pure."""
    one = bucket or Bucket(float(limits.burst), now)
    passed = max(0.0, now - one.at)
    tokens = min(float(limits.burst), one.tokens + passed * limits.per_second)
    if tokens >= 1:
        after = replace(one, tokens=tokens - 1, at=now, owed=False)
        return after, Verdict(tell=one.owed)
    wait = max(1, math.ceil((1 - tokens) / limits.per_second))
    due = now - one.told_at >= TELL_SECONDS
    told_at = now if due else one.told_at
    return Bucket(tokens, now, owed=not due, told_at=told_at), Verdict(wait, tell=due)


class Buckets:
    """The buckets of this process; the one not used for longest is forgotten first."""

    def __init__(self, monotonic: Callable[[], float], limits: Limits | None = None) -> None:
        self._monotonic = monotonic
        self._limits = limits or Limits()
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = Lock()

    def admit(self, which: str) -> Verdict:
        """Whether the next notification of `which` is read."""
        with self._lock:
            found = self._buckets.pop(which, None)
            self._buckets[which], verdict = take(found, self._monotonic(), self._limits)
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
            return verdict

    def owe(self, which: str) -> None:
        """What `admit` wanted told could not be kept: it is due with the next one."""
        with self._lock:
            found = self._buckets.get(which)
            if found is not None:
                self._buckets[which] = replace(found, owed=True, told_at=-math.inf)
