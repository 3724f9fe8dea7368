"""One commit for all who wait to put something: each returns after the commit that holds its own.

Knows no table. Who arrives while a commit is under way goes with the next one. Who is alone waits
for nobody else; among many, a moment is given to those who have just been let go.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from cds.store.errors import StoreDown, StoreRefused


T = TypeVar("T")

MOST = 1000  # items of one commit
GATHER_SECONDS = 0.0005  # for those whom the commit before has just let go


class _Waiting(Generic[T]):
    """What one caller brought, and what came of it: how many were kept, or why none was."""

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items
        self.outcome: int | StoreDown | StoreRefused | None = None


class GroupCommit(Generic[T]):
    """`commit` keeps several callers' items in one transaction: for each caller, how many."""

    def __init__(self, commit: Callable[[Sequence[Sequence[T]]], Sequence[int]]) -> None:
        self._commit = commit
        self._changed = threading.Condition()
        self._queue: list[_Waiting[T]] = []
        self._busy = False
        self._crowded = False

    @property
    def waiting(self) -> int:
        """How many callers go with the next commit."""
        return len(self._queue)

    def put(self, items: Sequence[T]) -> int:
        """Keep them; returns once they are committed. Raises what `commit` raised for them."""
        mine = _Waiting(items)
        with self._changed:
            self._queue.append(mine)
        while mine.outcome is None:
            if group := self._next_group(mine):
                self._keep_and_tell(group)
        if isinstance(mine.outcome, int):
            return mine.outcome
        raise mine.outcome

    def _next_group(self, mine: _Waiting[T]) -> list[_Waiting[T]]:
        """Those whom the caller is to commit for; nobody once it was done for him."""
        with self._changed:
            while self._busy and mine.outcome is None:
                self._changed.wait()
            if mine.outcome is not None:
                return []
            self._busy = True
            if self._crowded:
                self._changed.wait(GATHER_SECONDS)
            sizes = accumulate(len(one.items) for one in self._queue)
            count = max(1, sum(1 for size in sizes if size <= MOST))
            group, self._queue = self._queue[:count], self._queue[count:]
            self._crowded = len(group) > 1
            return group

    def _keep_and_tell(self, group: Sequence[_Waiting[T]]) -> None:
        try:
            self._keep(group)
        finally:
            with self._changed:
                for one in group:
                    if one.outcome is None:  # whatever ended this thread's work kept none of it
                        one.outcome = StoreDown("unreachable")
                self._busy = False
                self._changed.notify_all()

    def _keep(self, group: Sequence[_Waiting[T]]) -> None:
        try:
            kept = self._commit([one.items for one in group])
        except StoreDown as down:
            for one in group:
                one.outcome = StoreDown(down.cause)
        except StoreRefused as refused:
            if len(group) == 1:
                group[0].outcome = StoreRefused(refused.message)
                return
            for one in group:  # one of them is not fit to be kept; the others shall not suffer
                self._keep([one])
        else:
            for one, count in zip(group, kept, strict=True):
                one.outcome = count
