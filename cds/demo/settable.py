"""The clock of the demo: real, and for one hook call the hour that its workbench asks for.

Only the demo has this. A service that is put together elsewhere reads no time from a caller.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING

from cds.clock import Clock


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "BTCE-Demo-Now"
_VARIABLE = "HTTP_BTCE_DEMO_NOW"
_HOOKS = "/cds-services"


class SettableClock:
    """A clock that shows the asked time while a call is answered that asked for one."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._asked: ContextVar[datetime | None] = ContextVar("asked", default=None)

    def __call__(self) -> datetime:
        """The time in UTC."""
        return self._asked.get() or self._real()

    def honouring(self, service: "WSGIApplication") -> "WSGIApplication":
        """The service, whose hook calls may name their time; nothing else of it may.

        A time that cannot be read, or is still to come, is 400.
        """

        def timed(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
            told = environ.get(_VARIABLE)
            path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            if told is None or _HOOKS not in path:
                return service(environ, start)
            at = _moment(str(told))
            if at is None or at > self._real():
                start("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
                return [f"{HEADER}: a time with its zone, not later than now\n".encode()]
            before = self._asked.set(at)
            try:
                return service(environ, start)
            finally:
                self._asked.reset(before)

        return timed


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
