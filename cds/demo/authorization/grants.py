"""Everything the authorization server remembers, in memory, safe to share between threads.

Values and their ends; decides nothing about who may have them. Every secret is random and opaque.
"""

from datetime import datetime
from secrets import token_urlsafe
from threading import Lock
from typing import Generic, TypeVar

from msgspec import Struct

from cds.demo.authorization.refusal import Back


T = TypeVar("T")


class Context(Struct, frozen=True, kw_only=True):
    """What was open when the app was launched. Ids without a type; `user`: Type/id; "": none."""

    patient: str = ""
    encounter: str = ""
    user: str = ""
    app_context: str | None = None


class Launch(Struct, frozen=True):
    """The EHR opens an app. `launch_url` "": whichever app comes."""

    context: Context
    launch_url: str


class Asking(Struct, frozen=True, kw_only=True):
    """An authorization request that is in order; `launch` "": the person chooses the patient."""

    client_id: str
    back: Back
    scopes: tuple[str, ...]
    challenge: str
    nonce: str
    launch: str


class Grant(Struct, frozen=True):
    """What was agreed to; every token that comes of it is revoked together."""

    id: str
    client_id: str
    scopes: tuple[str, ...]
    context: Context


class Code(Struct, frozen=True):
    """What an authorization code stands for."""

    grant: Grant
    redirect_uri: str
    challenge: str
    nonce: str


class Access(Struct, frozen=True):
    """What an access token stands for; its scopes may be fewer than those of the grant."""

    grant: Grant
    scopes: tuple[str, ...]


class Held(Generic[T]):
    """Values by a random secret, each until its end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[str, tuple[T, datetime]] = {}

    def put(self, value: T, *, now: datetime, until: datetime) -> str:
        """The secret it is held under; what has ended is forgotten."""
        secret = token_urlsafe(32)
        with self._lock:
            self._values = {name: one for name, one in self._values.items() if one[1] > now}
            self._values[secret] = (value, until)
        return secret

    def look(self, secret: str, now: datetime) -> T | None:
        """The value; None where there is none or it has ended."""
        with self._lock:
            value, until = self._values.get(secret, (None, now))
        return value if until > now else None

    def take(self, secret: str, now: datetime) -> T | None:
        """The same, for the last time."""
        with self._lock:
            value, until = self._values.pop(secret, (None, now))
        return value if until > now else None


class State:
    """All of it. What was used once is remembered, to see a second use."""

    def __init__(self) -> None:
        self.launches: Held[Launch] = Held()
        self.askings: Held[Asking] = Held()
        self.codes: Held[Code] = Held()
        self.accesses: Held[Access] = Held()
        self.refreshes: Held[Grant] = Held()
        self._lock = Lock()
        self._spent: dict[str, Grant] = {}
        self._revoked: set[str] = set()
        self._proofs: dict[tuple[str, str], datetime] = {}

    def spend(self, secret: str, grant: Grant) -> bool:
        """Whether this code or refresh token is used for the first time."""
        with self._lock:
            first = secret not in self._spent
            self._spent[secret] = grant
        return first

    def spent(self, secret: str) -> Grant | None:
        """The grant of a code or refresh token that was used before."""
        with self._lock:
            return self._spent.get(secret)

    def revoke(self, grant: Grant) -> None:
        """End every token of this grant, also one that is being made just now."""
        with self._lock:
            self._revoked.add(grant.id)

    def revoked(self, grant: Grant) -> bool:
        """Whether its tokens are worth nothing."""
        with self._lock:
            return grant.id in self._revoked

    def prove(self, client_id: str, jti: str, *, now: datetime, until: datetime) -> bool:
        """Whether this client shows an assertion of this id for the first time (RFC 7523 3)."""
        with self._lock:
            self._proofs = {key: end for key, end in self._proofs.items() if end > now}
            first = (client_id, jti) not in self._proofs
            self._proofs[client_id, jti] = until
        return first
