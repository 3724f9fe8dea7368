"""The address the browser is sent to: PKCE, state and nonce, and what is asked for.

SMART App Launch 2, "Obtain authorization code"; RFC 7636.
"""

import re
import secrets
from datetime import datetime
from typing import NamedTuple

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from cds.config import Site, Smart
from cds.smart.oauth.discovery import Server
from cds.smart.oauth.pending import Pending
from cds.smart.oauth.refusal import LaunchRefused


_RANDOM = 32  # bytes: 43 characters, the least a verifier may have
_LAUNCH = re.compile(r"[\x20-\x7e]{1,4096}")


class Asked(NamedTuple):
    """Where to send the browser, and what to keep until it comes back."""

    url: str
    pending: Pending

    def __repr__(self) -> str:
        return "Asked(…)"


def ask(
    site: Site,
    smart: Smart,
    server: Server,
    *,
    launch: str | None,
    launch_id: str,
    redirect_uri: str,
    now: datetime,
) -> Asked:
    """One request for authorization; raises `LaunchRefused` ("launch")."""
    if launch is not None and not _LAUNCH.fullmatch(launch):
        raise LaunchRefused("launch")
    scope = scope_for(smart.scope, standalone=launch is None)
    nonce = secrets.token_urlsafe(_RANDOM) if "openid" in scope.split() else ""
    verifier = secrets.token_urlsafe(_RANDOM)
    state = f"{launch_id}.{secrets.token_urlsafe(_RANDOM)}"
    url = prepare_grant_uri(
        server.authorization_endpoint,
        smart.client_id,
        "code",
        redirect_uri=redirect_uri,
        scope=scope,
        state=state,
        aud=site.fhir_base,
        launch=launch,
        nonce=nonce or None,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    pending = Pending(
        site=site.id,
        launch=launch_id,
        state=state,
        nonce=nonce,
        verifier=verifier,
        redirect_uri=redirect_uri,
        scope=scope,
        server=server,
        asked_at=now,
    )
    return Asked(url, pending)


def scope_for(configured: str, *, standalone: bool) -> str:
    """The scopes of the configuration with the one launch scope that fits, each once."""
    wanted, other = ("launch/patient", "launch") if standalone else ("launch", "launch/patient")
    return " ".join(dict.fromkeys([wanted, *(one for one in configured.split() if one != other)]))
