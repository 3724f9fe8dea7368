"""All patients, one after the other, and the two calls that must be refused; prints nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from cds.canary.calling import Answer, Caller
from cds.canary.charted import PREFIX
from cds.canary.expected import WANTED, Wanted
from cds.canary.judging import Asked, Made, Problem, problems
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
    problems: tuple[Problem, ...] = ()
    in_part: bool = False

    def __str__(self) -> str:
        state = "FAIL" if self.problems else "ok"
        told = f": {'; '.join(one.wrong for one in self.problems)}" if self.problems else ""
        return f"{state:4} {self.name:18} {self.seconds * 1000:6.0f} ms  {self.what}{told}"


class Canary(Struct, frozen=True, kw_only=True):
    """`knowledge`: the digest every answer must name. `slowest`: seconds a call may take."""

    target: Target
    knowledge: str
    slowest: float

    @property
    def made(self) -> Made:
        """What every answer must have been made with."""
        site = self.target.site
        return Made(
            knowledge=self.knowledge,
            site=site.id,
            protocol=site.protocol,
            live=site.mode == "live",
        )


def sing(canary: Canary, caller: Caller, now: datetime) -> Iterator[Outcome]:
    """An outcome for each patient, as it comes; raises `Unreachable` after the first one.

    `now`: of the first call; a later one is sent as much later as those before it took.
    """
    at = now
    for number, (name, wanted) in enumerate(WANTED.items()):
        outcome, answer = _one(canary, caller, name, wanted, at)
        if number == 0 and not answer.reached:
            raise Unreachable(f"the service {answer.trouble}: check --url, and that it runs.")
        yield outcome
        at += timedelta(seconds=answer.seconds)
    if canary.target.signed:
        yield _refused(canary, caller, "without-token", _UNSIGNED, at)
        if canary.target.signing is not None:
            yield _refused(canary, caller, "expired-token", _EXPIRED, at)


def _one(
    canary: Canary, caller: Caller, name: str, wanted: Wanted, at: datetime
) -> tuple[Outcome, Answer]:
    body = request(name, at)
    path = f"/cds-services/{SERVICES[body['hook']]}"
    signing, made = canary.target.signing, canary.made
    token = canary.target.token if signing is None else signing.token(path, at)
    answer = caller.post(path, body, token)
    found = list(problems(wanted, answer, made, Asked(f"{PREFIX}{name}", at)))
    if not found and answer.seconds > canary.slowest:
        wrong = f"took {answer.seconds:.1f} s, longer than {canary.slowest:g} s"
        found.append(Problem(wrong, "look at the service's load, or allow more with --slowest"))
    in_part = not made.live and bool(wanted.topic or wanted.no_cards)
    return Outcome(name, wanted.what, answer.seconds, tuple(found), in_part), answer


def _refused(canary: Canary, caller: Caller, name: str, wanted: Wanted, at: datetime) -> Outcome:
    path = f"/cds-services/{SERVICES['order-sign']}"
    signing = canary.target.signing
    token = signing.expired(path, at) if signing is not None and wanted is _EXPIRED else ""
    answer = caller.post(path, request("crs-2", at), token)
    found = problems(wanted, answer, canary.made, Asked(f"{PREFIX}crs-2", at))
    return Outcome(name, wanted.what, answer.seconds, tuple(found))
