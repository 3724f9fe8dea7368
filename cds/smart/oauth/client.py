"""The three things a launch needs of an authorization server: ask, take what was granted, renew.

SMART App Launch 2, "App Launch: Launch and Authorization". Safe to share between threads; keeps
nothing but what servers say of themselves.
"""

import threading
from collections.abc import Callable

import msgspec

from cds.backend.exchange import Exchange, exchange
from cds.clock import Clock
from cds.config import Site, Smart
from cds.smart.context import Context
from cds.smart.oauth.asking import Asked, ask
from cds.smart.oauth.callback import Arguments, code_of
from cds.smart.oauth.discovery import Server, read_server, with_keys
from cds.smart.oauth.granted import Granted, check_patient, read_granted
from cds.smart.oauth.identity import Expected, user_of
from cds.smart.oauth.pending import Pending
from cds.smart.oauth.refusal import LaunchRefused
from cds.smart.oauth.rights import check_rights
from cds.smart.oauth.signing_keys import SigningKeys
from cds.smart.oauth.token_request import token_request


SECONDS = 8.0  # for each request: a person waits, and would rather wait than begin again
SERVER_SECONDS = 3600.0  # how long discovered metadata are used


class SmartClient:
    """Every method raises `LaunchRefused`."""

    def __init__(
        self,
        clock: Clock,
        monotonic: Callable[[], float],
        exchange: Exchange = exchange,
        seconds: float = SECONDS,
    ) -> None:
        """`clock`: for what ends. `monotonic`: seconds. `seconds`: for each request."""
        self._clock = clock
        self._monotonic = monotonic
        self._exchange = exchange
        self._seconds = seconds
        self._keys = SigningKeys(monotonic=monotonic, exchange=exchange)
        self._lock = threading.Lock()
        self._servers: dict[str, tuple[float, Server]] = {}

    def begin(self, site: Site, *, launch: str | None, launch_id: str, redirect_uri: str) -> Asked:
        """Where to send the browser. `launch`: of the EHR; None: standalone, a patient is chosen.

        `launch_id`: letters, digits, `-` and `_`; comes back at the front of `state`.
        `redirect_uri`: as it is registered.
        """
        smart, _ = _configured(site)
        server = self._server(site)
        return ask(
            site,
            smart,
            server,
            launch=launch,
            launch_id=launch_id,
            redirect_uri=redirect_uri,
            now=self._clock(),
        )

    def finish(self, site: Site, pending: Pending, args: Arguments) -> Granted:
        """What was granted. `args`: every value of each query argument the browser came back with.

        To be called once for a `pending`: the caller removes it before, whatever comes out.
        """
        smart, base = _configured(site)
        if pending.site != site.id:
            raise LaunchRefused("state")
        now = self._clock()
        form = {
            "grant_type": "authorization_code",
            "code": code_of(pending, args, now),
            "redirect_uri": pending.redirect_uri,
            "code_verifier": pending.verifier,
        }
        found = token_request(
            smart,
            pending.server.token_endpoint,
            form,
            self._exchange,
            refused="code-refused",
            seconds=self._seconds,
            now=now,
        )
        asked = frozenset(pending.scope.split())
        granted = read_granted(found, asked=asked, now=now)
        check_rights(granted.scopes, asked)
        check_patient(granted)
        if not pending.nonce:
            return granted
        signer = smart.id_token_issuer or pending.server.issuer
        expected = Expected(signer, smart.client_id, pending.nonce, base)
        uri, seconds = pending.server.jwks_uri, self._seconds
        user = user_of(
            found.get("id_token"),
            expected,
            lambda kid, algorithm: self._keys.find(uri, kid, algorithm, seconds=seconds),
            self._clock(),
        )
        return msgspec.structs.replace(granted, user=user)

    def refresh(self, site: Site, context: Context) -> Granted:
        """The rights of an open launch, renewed; patient and user stay who they were.

        `refresh_token`: the new one where the server changes it, else the one there was. Its
        id_token, if any, is not looked at. Two at once for one launch is for the caller to avoid:
        a server that changes refresh tokens may take the second use of one for a theft.
        """
        smart, _ = _configured(site)
        if not context.refresh_token:
            raise LaunchRefused("no-refresh")
        now = self._clock()
        found = token_request(
            smart,
            self._server(site).token_endpoint,
            {"grant_type": "refresh_token", "refresh_token": context.refresh_token},
            self._exchange,
            refused="refresh-refused",
            seconds=self._seconds,
            now=now,
        )
        granted = read_granted(found, asked=context.scopes, now=now)
        check_rights(granted.scopes, context.scopes)
        if granted.patient not in ("", context.patient):
            raise LaunchRefused("patient-mismatch")
        return msgspec.structs.replace(
            granted,
            patient=context.patient,
            user=context.user,
            encounter=context.encounter,
            refresh_token=granted.refresh_token or context.refresh_token,
            banner=context.banner,
        )

    def _server(self, site: Site) -> Server:
        smart, base = _configured(site)
        with self._lock:
            read_at, held = self._servers.get(site.id, (0.0, None))
        if held is not None and self._monotonic() - read_at < SERVER_SECONDS:
            return held
        server = read_server(base, self._exchange, self._seconds)
        if "openid" in smart.scope.split():
            signer = smart.id_token_issuer or server.issuer
            server = with_keys(server, signer, base, self._exchange, self._seconds)
        with self._lock:
            self._servers[site.id] = self._monotonic(), server
        return server


def _configured(site: Site) -> tuple[Smart, str]:
    if site.smart is None or site.fhir_base is None:
        raise LaunchRefused("not-configured")
    return site.smart, site.fhir_base
