"""The access token of each site: asked for when needed, kept in memory until shortly before it
ends, one request at a time, and after a failure not again before a pause.

SMART Backend Services. Safe to share between threads; each process has its own.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple

from cds.backend.assertion import proof
from cds.backend.discovery import token_endpoint
from cds.backend.exchange import Exchange, Request, exchange
from cds.backend.failure import BackendFailed, BackendKind
from cds.backend.token_answer import Token, read_token
from cds.clock import Clock
from cds.config import Backend, Site


SECONDS = 5.0
ENDPOINT_SECONDS = 3600.0  # how long a discovered endpoint is used
YOUNG_SECONDS = 10.0  # a token refused so soon is not at fault: another one would be refused too
LONGEST_PAUSE = 600.0
_FIRST_PAUSE = 2.0
# What only a person can put right: asked seldom, so that no account gets locked.
_STANDING: frozenset[BackendKind] = frozenset(
    {"token-client-refused", "token-refused", "token-no-endpoint", "token-unusable"}
)
_STANDING_PAUSE = 60.0


class BackendTokens:
    """Tokens by the id of the site."""

    def __init__(
        self,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        exchange: Exchange = exchange,
    ) -> None:
        """`clock`: for the end of an assertion. `monotonic`: seconds."""
        self._clock = clock
        self._monotonic = monotonic
        self._exchange = exchange
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def token(self, site: Site, *, seconds: float = SECONDS) -> Token | None:
        """A token for `site`; None: its server asks for none. Raises `BackendFailed`.

        `seconds`: for all of it, waiting for another thread's request included.
        """
        backend = _backend(site)
        if backend.auth == "none":
            return None
        held, start = self._of(site), self._monotonic()
        token = held.token
        if token is not None and start < token.renew_at:
            return token
        if not held.lock.acquire(timeout=max(0.0, seconds)):
            raise BackendFailed("token-timeout")
        try:
            return self._renewed(site, backend, held, start + seconds)
        finally:
            held.lock.release()

    def instead_of(self, refused: Token, site: Site, *, seconds: float = SECONDS) -> Token | None:
        """Another token after the FHIR server answered 401 to `refused`; None: there is no better.

        A token that was got a moment ago is not replaced.
        """
        held = self._of(site)
        if self._monotonic() - refused.got_at < YOUNG_SECONDS:
            return None
        with self._lock:
            if held.token is refused:
                held.token = None
        return self.token(site, seconds=seconds)

    def _of(self, site: Site) -> "_Held":
        with self._lock:
            return self._held.setdefault(site.id, _Held())

    def _renewed(self, site: Site, backend: Backend, held: "_Held", until: float) -> Token:
        now, token = self._monotonic(), held.token
        if token is not None and now < token.renew_at:  # another thread was quicker
            return token
        usable = token if token is not None and now < token.ends_at else None
        if held.failed is not None and now < held.failed.until:
            if usable is not None:
                return usable
            raise BackendFailed(held.failed.kind, retry_after=held.failed.until - now)
        try:
            token = self._asked(site, backend, held, until)
        except BackendFailed as error:
            held.fail(error, self._monotonic())
            if usable is not None:
                return usable
            raise
        held.token, held.failed = token, None
        return token

    def _asked(self, site: Site, backend: Backend, held: "_Held", until: float) -> Token:
        endpoint = backend.token_url or self._endpoint(site, held, until)
        by = proof(backend, endpoint, self._clock())
        form = {"grant_type": "client_credentials", "scope": backend.scope, **by.form}
        before = self._monotonic()
        reply = self._exchange(Request(endpoint, by.headers, form), until - before)
        return read_token(reply, asked=backend.scope, now=before)

    def _endpoint(self, site: Site, held: "_Held", until: float) -> str:
        now = self._monotonic()
        if held.endpoint is None or now >= held.endpoint_until:
            held.endpoint = token_endpoint(site.fhir_base or "", self._exchange, until - now)
            held.endpoint_until = self._monotonic() + ENDPOINT_SECONDS
        return held.endpoint


class _Pause(NamedTuple):
    """After a failure of this kind nothing is asked until then; the next pause is longer."""

    kind: BackendKind
    until: float
    seconds: float


class _Held:
    """What is known of one site."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.token: Token | None = None
        self.failed: _Pause | None = None
        self.endpoint: str | None = None
        self.endpoint_until = 0.0

    def fail(self, error: BackendFailed, now: float) -> None:
        """Pause, twice as long each time; look for the endpoint anew after that."""
        first = _STANDING_PAUSE if error.kind in _STANDING else _FIRST_PAUSE
        doubled = 0.0 if self.failed is None else 2 * self.failed.seconds
        pause = min(max(first, doubled), LONGEST_PAUSE)
        self.failed = _Pause(error.kind, now + max(pause, error.retry_after or 0.0), pause)
        self.endpoint = None


def _backend(site: Site) -> Backend:
    if site.backend is None or site.fhir_base is None:
        raise BackendFailed("token-no-endpoint")
    return site.backend
