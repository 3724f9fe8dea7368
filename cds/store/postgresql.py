"""Connections to PostgreSQL that keep nobody waiting: limits on both sides, and a breaker.

The server ends a statement that takes too long. A server that says nothing at all (paused, or its
host gone) is left a little later by this side, and for a while nobody waits for it again.
"""

import threading
from collections.abc import Callable, Generator
from queue import Empty, Queue
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event

from cds.store.errors import StoreDown


Monotonic = Callable[[], float]
PAUSE_SECONDS = 2.0  # after somebody waited in vain
_IN_VAIN_SECONDS = 0.1  # a refusal that comes sooner has held nobody up
_SLACK_SECONDS = 0.25  # for the server to end a statement first, and to say so
_TCP = {  # a host that is gone is noticed, also where nothing is being asked
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 2000,  # milliseconds
}

T = TypeVar("T")


class Breaker:
    """Refuses for `pause` seconds after somebody waited in vain, then lets one try for all."""

    def __init__(self, monotonic: Monotonic, pause: float = PAUSE_SECONDS) -> None:
        self._monotonic = monotonic
        self._pause = pause
        self._until: float | None = None
        self._lock = threading.Lock()

    def refuses(self) -> bool:
        """Whether not to ask now. No: whoever asks here first tries, others wait for the result."""
        with self._lock:
            if self._until is None:
                return False
            if self._monotonic() < self._until:
                return True
            self._until = self._monotonic() + self._pause
            return False

    def open(self) -> None:
        """Somebody waited in vain."""
        with self._lock:
            self._until = self._monotonic() + self._pause

    def close(self) -> None:
        """Somebody was answered."""
        with self._lock:
            self._until = None


def postgresql_engine(
    url: URL, pool: dict[str, Any], *, wait: float, monotonic: Monotonic
) -> Engine:
    """`wait`: seconds for a lock; twice that for a statement or a connection."""
    limit = int(wait * 1000)
    engine = create_engine(
        url,
        connect_args=_TCP
        | {
            "connect_timeout": max(2, int(2 * wait)),  # 2 is the least that libpq keeps to
            "options": f"-c lock_timeout={limit} -c statement_timeout={2 * limit} -c timezone=UTC",
        },
        use_native_hstore=False,  # looked up on each new connection otherwise
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=wait,
        **pool,
    )
    breaker = Breaker(monotonic)
    kind = _impatient(2 * wait + _SLACK_SECONDS, breaker, monotonic)

    @event.listens_for(engine, "do_connect")
    def connect(_: Any, __: Any, arguments: Any, named: Any) -> psycopg.Connection:
        if breaker.refuses():
            raise StoreDown("unreachable")
        began = monotonic()
        try:
            connection = _within(2 * wait, lambda: kind.connect(*arguments, **named))
        except psycopg.OperationalError:
            if monotonic() - began > _IN_VAIN_SECONDS:
                breaker.open()
            raise
        breaker.close()
        return connection

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        less = connection.get_execution_options().get("wait")
        if less is not None and less < wait:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(less * 1000)}")

    return engine


def _impatient(seconds: float, breaker: Breaker, monotonic: Monotonic) -> type[psycopg.Connection]:
    """Connections that end themselves when an answer takes longer than `seconds`."""

    class Impatient(psycopg.Connection):
        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().wait(_limited(gen, seconds, monotonic), *args, **kwargs)
            except _Silent:
                self.pgconn.finish()  # nothing that is still to come belongs to anybody
                breaker.open()
                raise psycopg.OperationalError("the server did not answer in time") from None

    return Impatient


class _Silent(Exception):
    """No answer within the limit."""


def _limited(
    steps: Generator[Any, Any, T], seconds: float, monotonic: Monotonic
) -> Generator[Any, Any, T]:
    """The same steps of the driver; what waits for the socket looks in several times a second."""
    until = monotonic() + seconds
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if not ready and monotonic() > until:
                raise _Silent
            # Looking in without news leaves what is waited for as it is.
            wanted = steps.send(ready)
    except StopIteration as done:
        found: T = done.value
        return found


def _within(seconds: float, connect: Callable[[], psycopg.Connection]) -> psycopg.Connection:
    """libpq counts in whole seconds, from 2 on, for each host: it does so in a thread."""
    answer: Queue[psycopg.Connection | Exception] = Queue(1)
    lock = threading.Lock()
    gone = False

    def attempt() -> None:
        found: psycopg.Connection | Exception
        try:
            found = connect()
        except (psycopg.Error, OSError) as error:
            found = error
        with lock:
            if gone:
                if isinstance(found, psycopg.Connection):
                    found.close()
            else:
                answer.put(found)

    threading.Thread(target=attempt, daemon=True, name="store-connect").start()
    try:
        found = answer.get(timeout=seconds)
    except Empty:
        with lock:
            gone = answer.empty()
        if gone:
            raise psycopg.OperationalError("the server did not answer in time") from None
        found = answer.get()
    if isinstance(found, Exception):
        raise found
    return found
