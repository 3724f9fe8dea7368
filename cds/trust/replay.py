"""A token is good for one call: the shared store says so, this process's memory where it is down.

A service that falls silent because its database does harms more than a token repeated at another
replica in that minute; within one process a repeat is refused all the same.
"""

import threading
from collections.abc import Callable
from datetime import datetime


class FirstUse:
    """`(iss, jti, until, now)` -> whether this id was never seen; remembers it until `until`."""

    def __init__(
        self, shared: Callable[[str, str, datetime, datetime], bool], *, down: type[Exception]
    ) -> None:
        """`shared`: the same question to the store, raising `down` where that cannot be asked."""
        self._shared = shared
        self._down = down
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], datetime] = {}
        self._swept: datetime | None = None

    def __call__(self, iss: str, jti: str, until: datetime, now: datetime) -> bool:
        """True once for each id, whichever process is asked, as long as the store can be used."""
        with self._lock:
            self._sweep(now)
            if (iss, jti) in self._seen:
                return False
            self._seen[iss, jti] = until
        try:
            return self._shared(iss, jti, until, now)
        except self._down:
            return True

    def _sweep(self, now: datetime) -> None:
        """Forget what has expired, once a minute at most."""
        if self._swept is not None and 0 <= (now - self._swept).total_seconds() < 60:
            return
        self._swept = now
        self._seen = {key: until for key, until in self._seen.items() if until > now}
