"""What a token endpoint answered: a token that can be sent, or why there is none.

RFC 6749 5.1 and 5.2, SMART Backend Services "Issue access token". Pure.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cds.backend.exchange import Reply
from cds.backend.failure import BackendFailed
from cds.backend.retry_after import retry_after


LEAST_SECONDS = 30.0
MOST_SECONDS = 3600.0
UNSAID_SECONDS = 60.0  # where the answer does not say how long, or says nothing usable
_LONGEST = 16_384
_CHARACTERS = re.compile(r"[\x21-\x7e]+")
_CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})


class Token:
    """An access token and what is known of it; its text is in `value` and shown nowhere else.

    `scope`: what was granted. Times are seconds of the monotonic clock: got, to be renewed, over.
    """

    __slots__ = ("ends_at", "got_at", "renew_at", "scope", "value")

    def __init__(self, value: str, scope: str, *, now: float, seconds: float) -> None:
        self.value = value
        self.scope = scope
        self.got_at = now
        self.ends_at = now + seconds
        self.renew_at = self.ends_at - min(30.0, seconds / 4)

    def __repr__(self) -> str:
        return "Token(…)"


def read_token(reply: Reply, *, asked: str, now: float) -> Token:
    """The token of one answer; raises `BackendFailed`. `asked`: the scope that was asked for."""
    if reply.status != 200:
        raise _refusal(reply)
    found = _members(reply)
    value, kind = found.get("access_token"), found.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise BackendFailed("token-unusable", status=200)
    if not isinstance(value, str) or len(value) > _LONGEST or not _CHARACTERS.fullmatch(value):
        raise BackendFailed("token-unusable", status=200)
    scope = found.get("scope")
    granted = scope if isinstance(scope, str) and scope.strip() else asked
    return Token(value, granted, now=now, seconds=lifetime(found.get("expires_in")))


def lifetime(said: object) -> float:
    """Seconds a token is used, whatever the server says: never for ever, never not at all."""
    try:
        seconds = float(said) if isinstance(said, str | int | float) else UNSAID_SECONDS
    except (ValueError, OverflowError):
        seconds = UNSAID_SECONDS
    if isinstance(said, bool) or math.isnan(seconds):
        seconds = UNSAID_SECONDS
    return min(max(seconds, LEAST_SECONDS), MOST_SECONDS)


def _members(reply: Reply) -> Mapping[str, Any]:
    media = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise BackendFailed("token-not-json", status=reply.status)
    try:
        return msgspec.json.decode(reply.body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BackendFailed("token-not-json", status=reply.status) from None


def _refusal(reply: Reply) -> BackendFailed:
    status, wait = reply.status, retry_after(reply.headers)
    if status == 429:
        return BackendFailed("token-too-many-requests", status=status, retry_after=wait)
    if status >= 500:
        return BackendFailed("token-server-error", status=status, retry_after=wait)
    if status < 400:  # neither a token nor an error of RFC 6749
        return BackendFailed("token-unusable", status=status)
    try:
        said = _members(reply).get("error")
    except BackendFailed:
        said = None
    known = status == 401 or (isinstance(said, str) and said in _CLIENT_ERRORS)
    return BackendFailed("token-client-refused" if known else "token-refused", status=status)
