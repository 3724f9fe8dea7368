"""What one tab of the workbench has done so far: patient, protocol, clock, drafts, answers.

Kept in memory by an id that stands in the address, so that two tabs never mix. Nothing of the
patient is in the address.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Literal
from uuid import uuid4

import msgspec
from msgspec import Struct

from cds.demo.answer import Answer
from cds.demo.faults import Fault


View = Literal["full", "epic", "oracle", "beside"]
Ehr = Literal["plain", "epic", "oracle"]
Json = dict[str, Any]
MOST = 60


class Draft(Struct, frozen=True, kw_only=True):
    """One unsigned order. `note`: what a card made of it. `from_card`: a card ordered it."""

    resource: Json
    note: str = ""
    removed: bool = False
    from_card: bool = False

    @property
    def id(self) -> str:
        """The id of the draft."""
        return str(self.resource["id"])

    @property
    def ref(self) -> str:
        """As `selections` and suggestions name it."""
        return f"{self.resource['resourceType']}/{self.id}"

    @property
    def state(self) -> str:
        """The word for the list."""
        return "removed" if self.removed else str(self.resource.get("status", "draft"))


class Told(Struct, frozen=True, kw_only=True):
    """One item of feedback and what the service answered to it."""

    card: str
    outcome: str
    status: int
    said: str = ""
    problem: str = ""


class Visit(Struct, frozen=True, kw_only=True):
    """`ehr`: as which system requests are made; `view`: as which cards are shown.

    `hour`: of the story, 0 or less; None: the real clock. `fault`: what is wrong with requests.
    `answers`: the newest of each hook, of which `shown` is looked at. `made`: how many drafts there
    were so far, `steps`: how many buttons were pressed. `said`, `wrong`: what the last step did,
    and why it did not.
    """

    id: str
    story: str
    protocol: str
    chosen: str
    view: View = "full"
    ehr: Ehr = "plain"
    hour: float | None = None
    fault: Fault = "none"
    drafts: tuple[Draft, ...] = ()
    made: int = 0
    steps: int = 0
    answers: dict[str, Answer] = {}
    shown: str = ""
    told: tuple[Told, ...] = ()
    said: str = ""
    wrong: tuple[str, ...] = ()

    def but(self, **changes: Any) -> "Visit":
        """The same with these changes."""
        return msgspec.structs.replace(self, **changes)

    @property
    def unsigned(self) -> tuple[Draft, ...]:
        """The drafts that are still there."""
        return tuple(one for one in self.drafts if not one.removed)

    @property
    def answer(self) -> Answer | None:
        """The one to look at now."""
        return self.answers.get(self.shown)


class Visits:
    """The newest of them; an older one is forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[str, Visit] = OrderedDict()
        self._turns: dict[str, Lock] = {}

    def begin(self, visit: Visit) -> Visit:
        """A new one, with an id that nobody can guess."""
        visit = visit.but(id=uuid4().hex)
        self.keep(visit)
        return visit

    def get(self, which: str) -> Visit | None:
        """As it was left; None: never made, or forgotten."""
        with self._lock:
            return self._kept.get(which)

    def keep(self, visit: Visit) -> None:
        """In the place of what it was."""
        with self._lock:
            self._kept[visit.id] = visit
            self._kept.move_to_end(visit.id)
            self._turns.setdefault(visit.id, Lock())
            while len(self._kept) > self._most:
                oldest, _ = self._kept.popitem(last=False)
                del self._turns[oldest]

    def change(self, which: str, work: Callable[[Visit], Visit]) -> Visit | None:
        """Keep what `work` makes of it, one change after the other; None: it is not there."""
        with self._lock:
            turn = self._turns.get(which)
        if turn is None:
            return None
        with turn:
            visit = self.get(which)
            if visit is None:
                return None
            after = work(visit)
            self.keep(after)
            return after
