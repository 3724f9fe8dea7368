"""One hook call over HTTP, signed as an EHR signs it: an answer or why there is none.

No redirect, no proxy or password file of this machine, a limit of time and of size.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http.client import HTTPException
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from msgspec import Struct
from urllib3 import exceptions as transport

from cds.fhir_sockets import Adapter, Sockets


ALGORITHMS: Mapping[Any, str] = MappingProxyType(
    {"RSA": "RS384", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
)
_LIFE = timedelta(minutes=4)
_MOST = 4 * 1024 * 1024
_CHUNK = 65536
_EXPIRED = timedelta(hours=1)
_LATE = "no answer in time"


class Signing(Struct, frozen=True, kw_only=True):
    """The key the site trusts. `audience`: the public URL of the configuration."""

    key: RSAKey | ECKey
    algorithm: str
    kid: str
    issuer: str
    audience: str

    def token(self, path: str, now: datetime) -> str:
        """For one call of `path`: CDS Hooks 2.0, "Trusting CDS Clients"."""
        issued = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "sub": self.issuer,
            "aud": self.audience + path,
            "iat": issued,
            "exp": issued + int(_LIFE.total_seconds()),
            "jti": str(uuid4()),
        }
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def expired(self, path: str, now: datetime) -> str:
        """A token that was good an hour ago."""
        return self.token(path, now - _EXPIRED)


class Answer(Struct, frozen=True):
    """`status` 0: there was none, `trouble` says why, and `reached` whether anybody was there.

    `body`: JSON objects only.
    """

    status: int
    seconds: float
    body: Mapping[str, Any] = {}
    trouble: str = ""
    reached: bool = True


class Caller:
    """Calls one service, each time by a connection of its own."""

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._seconds = seconds
        self._monotonic = monotonic

    def post(self, path: str, body: Mapping[str, Any], token: str = "") -> Answer:
        """The answer to one call; never raises for what a server does."""
        begun = self._monotonic()
        sockets = Sockets()
        # Ends also what no timeout of a socket ends: an answer that comes byte by byte.
        alarm = threading.Timer(self._seconds, sockets.end)
        alarm.daemon = True
        alarm.start()
        try:
            status, text = self._asked(sockets, path, body, token)
            found = Answer(status, self._monotonic() - begun, _object(text))
        except (requests.RequestException, transport.HTTPError, HTTPException, OSError) as error:
            trouble, reached = _why(error)
            found = Answer(0, self._monotonic() - begun, trouble=trouble, reached=reached)
        finally:
            alarm.cancel()
            ended = sockets.ended
            sockets.end()
        return Answer(0, found.seconds, trouble=_LATE) if ended else found

    def _asked(
        self, sockets: Sockets, path: str, body: Mapping[str, Any], token: str
    ) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        scheme = urlsplit(self._url).scheme
        with requests.Session() as session:
            session.trust_env = False
            session.adapters.clear()
            session.mount(f"{scheme}://", Adapter(sockets, tls=scheme == "https"))
            with session.post(
                self._url + path,
                data=msgspec.json.encode(body),
                headers=headers,
                timeout=self._seconds,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _read(response)


class _TooLarge(requests.RequestException):
    """More than is read."""


def _read(response: requests.Response) -> bytes:
    text = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        text += chunk
        if len(text) > _MOST:
            raise _TooLarge
    return bytes(text)


def _why(error: Exception) -> tuple[str, bool]:
    """Why there is no answer, and whether anybody was there."""
    if isinstance(error, requests.Timeout | transport.TimeoutError):
        return _LATE, True
    if isinstance(error, requests.exceptions.SSLError):
        return "has no certificate that is trusted here", False
    if isinstance(error, _TooLarge):
        return f"an answer of more than {_MOST} bytes", True
    cause = error.args[0] if error.args else None
    if isinstance(error, requests.ConnectionError) and not isinstance(
        cause, transport.ProtocolError
    ):
        return "cannot be reached", False
    return "an answer that broke off or cannot be read", True


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
