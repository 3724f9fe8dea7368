"""Which token endpoint a FHIR server names in its `.well-known/smart-configuration`.

SMART App Launch 2, "Retrieve .well-known/smart-configuration". The endpoint may be on another
host; it is asked by https, or by http where the FHIR server itself is on this machine.
"""

import msgspec
from msgspec import Struct

from cds.backend.exchange import Exchange, Request, may_ask
from cds.backend.failure import BackendFailed
from cds.config.urls import host, loopback


_PATH = "/.well-known/smart-configuration"


class _Configuration(Struct):
    token_endpoint: str


def token_endpoint(base: str, exchange: Exchange, seconds: float) -> str:
    """The endpoint the server at `base` names; raises `BackendFailed`."""
    reply = exchange(Request(f"{base.rstrip('/')}{_PATH}"), seconds)
    if reply.status == 429 or reply.status >= 500:
        raise BackendFailed("token-server-error", status=reply.status)
    if reply.status != 200:
        raise BackendFailed("token-no-endpoint", status=reply.status)
    try:
        found = msgspec.json.decode(reply.body, type=_Configuration).token_endpoint
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError):
        raise BackendFailed("token-no-endpoint", status=reply.status) from None
    scheme = may_ask(found)
    # Otherwise a foreign server could make this machine ask itself.
    if scheme is None or (loopback(host(found)) and not loopback(host(base))):
        raise BackendFailed("token-no-endpoint", status=reply.status)
    return found
