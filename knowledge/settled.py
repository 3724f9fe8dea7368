"""The newest word on one axis: what is preliminary can raise it and never lower or resolve it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from knowledge.series import upto


class Statement(Protocol):
    """Anything charted at one time that may be preliminary."""

    @property
    def at(self) -> datetime: ...

    @property
    def preliminary(self) -> bool: ...


S = TypeVar("S", bound=Statement)


def standing(
    series: Sequence[S], at: datetime, window: timedelta, worst: Callable[[S], int]
) -> S | None:
    """The newest settled value in the window that ends at `at`, or a preliminary worse one.

    `worst`: the highest grade a value may mean. A preliminary normal value alone is none.
    """
    settled: S | None = None
    since: list[S] = []
    for one in reversed(upto(series, at)):
        if one.at < at - window:
            break
        if not one.preliminary:
            settled = one
            break
        since.append(one)
    kept = settled
    for one in reversed(since):
        if worst(one) > (0 if kept is None else worst(kept)):
            kept = one
    return kept
