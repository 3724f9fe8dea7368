"""The public keys of every issuer, kept in memory and read again when they change.

A flood of unknown `kid`s costs one read in `reread_seconds`; a key server that is down costs
nothing until the keys are `stale_seconds` old; a slow one never holds up a call that needs no new
key, nor any other call for longer than `wait_seconds`.
"""

import threading
from collections.abc import Callable, Mapping

from msgspec import Struct

from cds.config import Issuer
from cds.trust.key_set import PublicKey, UnfitKeySet, read_key_set
from cds.trust.key_source import KeysUnread, read_source


class Limits(Struct, frozen=True, kw_only=True):
    """How long keys are good for and how often they are read, in seconds."""

    reread_seconds: float = 30
    fresh_seconds: float = 600
    stale_seconds: float = 24 * 3600
    wait_seconds: float = 1


_LIMITS = Limits()


def in_thread(work: Callable[[], None]) -> None:
    """Do `work` beside the call that needs it."""
    threading.Thread(target=work, name="read-keys", daemon=True).start()


class Keys:
    """Keys by issuer and `kid`. Safe to share between threads; each process has its own."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        read: Callable[[Issuer], bytes] = read_source,
        start: Callable[[Callable[[], None]], None] = in_thread,
        limits: Limits = _LIMITS,
    ) -> None:
        """`monotonic`: seconds. `read`: a JWK Set or `KeysUnread`. `start`: does the reading."""
        self._monotonic = monotonic
        self._read = read
        self._start = start
        self._limits = limits
        self._lock = threading.Lock()
        self._sources: dict[str, _Source] = {}

    def find(self, issuer: Issuer, kid: str) -> PublicKey | None:
        """The key `kid` of this issuer, or None. Reads at most once, and only if it must."""
        source = self._source(issuer)
        age = source.age(self._monotonic())
        key = self._held(source, kid)
        if key is not None and age is not None and age < self._limits.fresh_seconds:
            return key
        reading = self._begin(issuer, source)
        if key is None:
            if reading is not None:
                reading.wait(self._limits.wait_seconds)
            key = self._held(source, kid)
        return key

    def age(self, issuer: Issuer) -> float | None:
        """Seconds since this issuer's keys were last read well; None: never."""
        return self._source(issuer).age(self._monotonic())

    def _source(self, issuer: Issuer) -> "_Source":
        with self._lock:
            return self._sources.setdefault(issuer.jwks_url or str(issuer.jwks_file), _Source())

    def _held(self, source: "_Source", kid: str) -> PublicKey | None:
        age = source.age(self._monotonic())
        return (
            source.keys.get(kid) if age is not None and age < self._limits.stale_seconds else None
        )

    def _begin(self, issuer: Issuer, source: "_Source") -> threading.Event | None:
        """The read that is under way, started if none is and the last is long enough ago."""
        with self._lock:
            now = self._monotonic()
            if source.reading is not None:
                return source.reading
            if source.tried_at is not None and now - source.tried_at < self._limits.reread_seconds:
                return None
            source.tried_at, source.reading = now, threading.Event()
            reading = source.reading
        try:
            self._start(lambda: self._renew(issuer, source))
        except RuntimeError:  # the system has no thread left: the keys stay as they are
            self._end(source)
        return reading

    def _renew(self, issuer: Issuer, source: "_Source") -> None:
        try:
            keys = read_key_set(self._read(issuer)).keys
            with self._lock:
                source.keys, source.read_at = keys, self._monotonic()
        except (KeysUnread, UnfitKeySet):
            pass  # what was read before stays, until it is too old
        finally:
            self._end(source)

    def _end(self, source: "_Source") -> None:
        with self._lock:
            reading, source.reading = source.reading, None
        if reading is not None:
            reading.set()


class _Source:
    """One file or URL and what was last read from it."""

    def __init__(self) -> None:
        self.keys: Mapping[str, PublicKey] = {}
        self.read_at: float | None = None
        self.tried_at: float | None = None
        self.reading: threading.Event | None = None

    def age(self, now: float) -> float | None:
        return None if self.read_at is None else now - self.read_at
