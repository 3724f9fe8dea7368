"""One commit for all who wait: each returns after its own is kept, and nobody waits for ever."""

import threading
from collections.abc import Callable, Sequence

import pytest

from cds.store.errors import StoreDown, StoreRefused
from cds.store.inbox_commit import MOST, GroupCommit


WAIT = 20.0  # seconds; a test that needs them has failed


class Kept:
    """Keeps numbers, the first time only after `go`; `fault`: what it raises for which number."""

    def __init__(self, fault: Exception | None = None, of: int = -1) -> None:
        self.commits: list[list[int]] = []
        self.started = threading.Event()
        self.go = threading.Event()
        self._fault = fault
        self._of = of

    def __call__(self, groups: Sequence[Sequence[int]]) -> list[int]:
        numbers = [number for group in groups for number in group]
        self.started.set()
        assert self.go.wait(WAIT)
        if self._fault is not None and self._of in numbers:
            raise self._fault
        self.commits.append(numbers)
        return [len(group) for group in groups]


class Putting:
    """One thread for each group; what became of each."""

    def __init__(self, put: Callable[[Sequence[int]], int]) -> None:
        self.outcomes: dict[int, object] = {}
        self._put = put
        self._threads: list[threading.Thread] = []

    def start(self, *numbers: int) -> None:
        self._threads.append(threading.Thread(target=self._run, args=(numbers,)))
        self._threads[-1].start()

    def end(self) -> dict[int, object]:
        for one in self._threads:
            one.join(WAIT)
            assert not one.is_alive()
        return self.outcomes

    def _run(self, numbers: tuple[int, ...]) -> None:
        try:
            self.outcomes[numbers[0]] = self._put(numbers)
        except (StoreDown, StoreRefused) as error:
            self.outcomes[numbers[0]] = type(error)
        except ArithmeticError:
            self.outcomes[numbers[0]] = ArithmeticError


def while_the_first_is_kept(kept: Kept, *others: Sequence[int]) -> dict[int, object]:
    """Put 0; as soon as that is under way put the others, then let it go on."""
    commits = GroupCommit(kept)
    putting = Putting(commits.put)
    putting.start(0)
    assert kept.started.wait(WAIT)
    for numbers in others:
        putting.start(*numbers)
    while commits.waiting < len(others):
        threading.Event().wait(0.001)
    kept.go.set()
    return putting.end()


def test_those_who_come_during_a_commit_share_the_next_one() -> None:
    kept = Kept()

    outcomes = while_the_first_is_kept(kept, [1, 11], [2], [3])

    assert outcomes == {0: 1, 1: 2, 2: 1, 3: 1}
    assert kept.commits[0] == [0]
    assert [sorted(commit) for commit in kept.commits[1:]] == [[1, 2, 3, 11]]


def test_a_store_that_is_down_is_down_for_each_of_them() -> None:
    kept = Kept(StoreDown("locked"), of=2)

    outcomes = while_the_first_is_kept(kept, [1], [2], [3])

    assert outcomes == {0: 1, 1: StoreDown, 2: StoreDown, 3: StoreDown}
    assert kept.commits == [[0]]


def test_what_is_refused_is_refused_alone() -> None:
    kept = Kept(StoreRefused("not fit"), of=2)

    outcomes = while_the_first_is_kept(kept, [1], [2], [3])

    assert outcomes == {0: 1, 1: 1, 2: StoreRefused, 3: 1}
    assert sorted(kept.commits) == [[0], [1], [3]]


def test_a_fault_in_one_thread_leaves_no_other_waiting() -> None:
    kept = Kept(ArithmeticError(), of=2)

    outcomes = while_the_first_is_kept(kept, [1], [2], [3])

    assert outcomes.pop(0) == 1
    assert sorted(outcomes) == [1, 2, 3]
    assert list(outcomes.values()).count(ArithmeticError) == 1
    assert list(outcomes.values()).count(StoreDown) == 2


def test_a_commit_is_bounded_and_the_rest_goes_with_the_next() -> None:
    kept = Kept()
    many = MOST - 1

    outcomes = while_the_first_is_kept(kept, [1] * many, [2] * many, [3] * 3 * MOST)

    assert outcomes == {0: 1, 1: many, 2: many, 3: 3 * MOST}
    assert [len(set(commit)) for commit in kept.commits] == [1, 1, 1, 1]


@pytest.mark.parametrize("error", [StoreDown("full"), StoreRefused("no")])
def test_after_an_error_the_next_one_is_kept(error: Exception) -> None:
    kept = Kept(error, of=7)
    kept.go.set()
    commits = GroupCommit(kept)

    with pytest.raises(type(error)):
        commits.put([7])

    assert commits.put([8]) == 1
