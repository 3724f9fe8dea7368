"""All patients, one after the other, and the two calls that must be refused; prints nothing."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from cds.canary.calling import Answer, Caller
from cds.canary.expected import WANTED, Wanted
from cds.canary.judging import problems
from cds.canary.patients import SERVICES, request
from cds.canary.target import Target


_UNSIGNED = Wanted(what="a call without a token: refused", refused=401)
_EXPIRED = Wanted(what="a call with an expired token: refused", refused=401)


class Unreachable(Exception):
    """Not one call was answered: one sentence, with the next step."""


class Outcome(Struct, frozen=True):
    """One call. `problems` empty: what must come came. `in_part`: cards could not be looked at."""

    name: str
    what: str
    seconds: float
    problems: tuple[str, ...] = ()
    in_part: bool = False

    def __str__(self) -> str:
        state = "FAIL" if self.problems else "ok"
        told = f": {'; '.join(self.problems)}" if self.problems else ""
        return f"{state:4} {self.name:18} {self.seconds * 1000:6.0f} ms  {self.what}{told}"


class Canary(Struct, frozen=True, kw_only=True):
    """`knowledge`: the digest every answer must name. `slowest`: seconds a call may take."""

    target: Target
    knowledge: str
    slowest: float

    @property
    def live(self) -> bool:
        """Whether the configuration lets the site show cards."""
        return self.target.site.mode == "live"


def sing(canary: Canary, caller: Caller, now: datetime) -> Iterator[Outcome]:
    """An outcome for each patient, as it comes; raises `Unreachable` after the first one."""
    for number, (name, wanted) in enumerate(WANTED.items()):
        outcome, answer = _one(canary, caller, name, wanted, now)
        if number == 0 and not answer.status and answer.trouble != "no answer in time":
            raise Unreachable(f"the service {answer.trouble}: check --url, and that it runs")
        yield outcome
    if canary.target.signed:
        yield _refused(canary, caller, "without-token", _UNSIGNED, now)
        if canary.target.signing is not None:
            yield _refused(canary, caller, "expired-token", _EXPIRED, now)


def _one(
    canary: Canary, caller: Caller, name: str, wanted: Wanted, now: datetime
) -> tuple[Outcome, Answer]:
    body = request(name, now)
    path = f"/cds-services/{SERVICES[body['hook']]}"
    signing = canary.target.signing
    token = canary.target.token if signing is None else signing.token(path, now)
    answer = caller.post(path, body, token)
    found = list(problems(wanted, answer, knowledge=canary.knowledge, live=canary.live))
    if not found and answer.seconds > canary.slowest:
        found.append(f"took {answer.seconds:.1f} s, longer than {canary.slowest:g} s")
    in_part = not canary.live and bool(wanted.topic or wanted.no_cards)
    return Outcome(name, wanted.what, answer.seconds, tuple(found), in_part), answer


def _refused(canary: Canary, caller: Caller, name: str, wanted: Wanted, now: datetime) -> Outcome:
    path = f"/cds-services/{SERVICES['order-sign']}"
    signing = canary.target.signing
    token = signing.expired(path, now) if signing is not None and wanted is _EXPIRED else ""
    answer = caller.post(path, request("crs-2", now), token)
    found = problems(wanted, answer, knowledge=canary.knowledge, live=canary.live)
    return Outcome(name, wanted.what, answer.seconds, tuple(found))
