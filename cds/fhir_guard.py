"""The session every FHIR read goes through: one base, no redirect, limits on time and size.

fhirclient follows any link with the bearer token and waits for ever; this session does neither.
"""

import io
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase


CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
MAX_BYTES = 8 * 1024 * 1024
_CHUNK = 65536
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ReadRefused(requests.RequestException):
    """This read would leave the site's FHIR base or goes beyond a limit; the message says which."""


class GuardedSession(requests.Session):
    """Reads below one FHIR base until a deadline. The token is sent there and nowhere else."""

    def __init__(
        self,
        base: str,
        token: str | None,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`base`: the FHIR base URL. `seconds`: for all reads together."""
        super().__init__()
        self._base = base.rstrip("/") + "/"
        self._clock = clock
        self._deadline = clock() + seconds
        if token is not None:
            parts = urlsplit(base)
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise ReadRefused("a token is sent over https only")
            self.auth = _Bearer(token)  # set, so that no netrc file replaces it

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """One GET, read whole within the limits; raises `ReadRefused`."""
        url = request.url or ""
        if request.method != "GET" or not url.startswith(self._base) or "/../" in url:
            raise ReadRefused("not a read below the FHIR base")
        left = self._deadline - self._clock()
        if left <= 0:
            raise ReadRefused("the time for reading is used up")
        options |= {
            "allow_redirects": False,
            "stream": True,
            "timeout": (min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
        }
        response = super().send(request, **options)
        if response.is_redirect:
            response.close()
            raise ReadRefused("the server answered with a redirect")
        body = self._read(response)
        response.close()
        response.raw = io.BytesIO(body)
        return response

    def _read(self, response: requests.Response) -> bytes:
        """The whole body; a server that drips it byte by byte meets the deadline all the same."""
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MAX_BYTES:
                response.close()
                raise ReadRefused(f"the answer is larger than {MAX_BYTES} bytes")
            if self._clock() > self._deadline:
                response.close()
                raise ReadRefused("the time for reading is used up")
        return bytes(body)


class _Bearer(AuthBase):
    """The access token of one request; never shown."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
