"""The registered apps. Values only: who they are is checked in `client_auth`."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct


ClientAuth: TypeAlias = Literal["public", "client_secret_basic", "private_key_jwt"]
# What the bedside app may ask for at most, and what the service itself may when it reads alone.
BEDSIDE_SCOPE = (
    "launch launch/patient launch/encounter openid fhirUser profile online_access offline_access"
    " patient/*.cruds user/*.cruds"
)
BACKEND_SCOPE = "system/*.cruds"


class Client(Struct, frozen=True, kw_only=True):
    """One app. `redirect_uris` empty: no code flow, as for a backend service.

    `launch_urls`: where the EHR may launch it. `secret`: for `client_secret_basic`. `jwks`: a JWK
    set of public keys, each with a `kid`, for `private_key_jwt`. `scope`: the most it may be given.
    """

    client_id: str
    redirect_uris: frozenset[str] = frozenset()
    launch_urls: frozenset[str] = frozenset()
    auth: ClientAuth = "public"
    secret: str = ""
    jwks: Mapping[str, Any] | None = None
    scope: str = BEDSIDE_SCOPE
