"""What is wrong with a subscription, and what was done about it: closed lists, no patient."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from cds.backend import REASONS, BackendFailed, BackendKind


Problem = Literal[
    "not-created",  # kept here, not at the server, or its id there is not known
    "missing",  # the server does not have it any more
    "changed",  # its address, secret, criteria or content are not what we ask for
    "error",
    "off",
    "ended",
    "requested",  # the server has not taken it up for too long
    "gap",  # an event number did not come
    "undelivered",  # the server counts more events than came
    "silent",  # longer than its heartbeat
    "ends-soon",
    "unwatched",  # its patient is not watched any more
]
Done = Literal[
    "created",
    "adopted",  # it was at the server already
    "renewed",
    "reactivated",
    "caught-up",  # its patients are read again
    "removed",
    "nothing",
    "failed",
]

PROBLEMS: Mapping[Problem, str] = {
    "not-created": "is not at the server",
    "missing": "is not at the server any more",
    "changed": "is not as it was asked for",
    "error": "has failed",
    "off": "is switched off",
    "ended": "is over",
    "requested": "has not been taken up by the server",
    "gap": "has lost events",
    "undelivered": "has events that did not arrive",
    "silent": "has been silent for longer than its heartbeat",
    "ends-soon": "ends soon",
    "unwatched": "is of a patient who is not watched any more",
}


class Outcome(Struct, frozen=True, kw_only=True):
    """About one subscription, by its id of ours and the type of resource it is about.

    `kind`, `retry_after`: why and how long the server could not be asked, where it could not.
    """

    id: str
    type: str
    problem: Problem | None = None
    done: Done = "nothing"
    kind: BackendKind | None = None
    retry_after: float | None = None

    def __str__(self) -> str:
        said = [] if self.problem is None else [PROBLEMS[self.problem]]
        if self.kind is not None:
            said.append(REASONS[self.kind])
        elif self.done != "nothing":
            said.append(self.done)
        return f"{self.id} {self.type}: {', '.join(said) or 'in order'}"

    @property
    def ends_the_run(self) -> bool:
        """Whether the next request would most likely fail in the same way."""
        return self.kind is not None and (
            self.kind.startswith("token-") or self.kind in _OF_THE_SERVER
        )


_OF_THE_SERVER = frozenset(
    {"unreachable", "timeout", "too-many-requests", "not-authorised", "redirect", "refused"}
)


def failed(outcome: Outcome, error: BackendFailed) -> Outcome:
    """`outcome` as it is when the server could not be asked."""
    return Outcome(
        id=outcome.id,
        type=outcome.type,
        problem=outcome.problem,
        done="failed",
        kind=error.kind,
        retry_after=error.retry_after,
    )
