"""One hook call over HTTP, signed as an EHR signs it: an answer or why there is none.

No redirect, no proxy or password file of this machine, a limit of time and of size.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import msgspec
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from msgspec import Struct


ALGORITHMS: Mapping[Any, str] = MappingProxyType(
    {"RSA": "RS384", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
)
_LIFE = timedelta(minutes=4)
_MOST = 4 * 1024 * 1024
_CHUNK = 65536
_EXPIRED = timedelta(hours=1)


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
    """`status` 0: there was none, `trouble` says why. `body`: JSON objects only."""

    status: int
    seconds: float
    body: Mapping[str, Any] = {}
    trouble: str = ""


class Caller:
    """Calls one service. `token`: one for every call, where something else makes it."""

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
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        """End its connections."""
        self._session.close()

    def post(self, path: str, body: Mapping[str, Any], token: str = "") -> Answer:
        """The answer to one call; never raises for what a server does."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        begun = self._monotonic()
        try:
            with self._session.post(
                self._url + path,
                data=msgspec.json.encode(body),
                headers=headers,
                timeout=self._seconds,
                allow_redirects=False,
                stream=True,
            ) as response:
                text = self._read(response, begun)
        except requests.Timeout:
            return self._none(begun, "no answer in time")
        except requests.exceptions.SSLError:
            return self._none(begun, "no valid certificate")
        except requests.ConnectionError:
            return self._none(begun, "cannot be reached")
        except requests.RequestException:
            return self._none(begun, "the answer broke off")
        spent = self._monotonic() - begun
        if text is None:
            return self._none(begun, "no answer in time, or one that is too large")
        return Answer(response.status_code, spent, _object(text))

    def _none(self, begun: float, trouble: str) -> Answer:
        return Answer(0, self._monotonic() - begun, trouble=trouble)

    def _read(self, response: requests.Response, begun: float) -> bytes | None:
        """All of it; None where it takes longer than a call may, or is larger."""
        text = bytearray()
        for chunk in response.iter_content(_CHUNK):
            text += chunk
            if len(text) > _MOST or self._monotonic() - begun > self._seconds:
                return None
        return bytes(text)


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
