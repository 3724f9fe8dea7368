"""The session every FHIR request goes through: one base, no redirect, limits on time and size.

fhirclient follows any link with the bearer token and waits for ever; this session does neither.
Several threads may read through one session at the same time. It reads, unless it was made to
write as well.
"""

import io
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3 import exceptions as transport

from cds.fhir_sockets import Adapter, Sockets
from cds.fhir_urls import is_below


CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
MAX_BYTES = 8 * 1024 * 1024  # of one answer, decoded
MAX_TOTAL_BYTES = 4 * MAX_BYTES  # of all answers of one session
_CHUNK = 65536
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_REDIRECTS = range(300, 400)
_READS = frozenset({"GET"})
_WRITES = _READS | {"POST", "PUT", "DELETE"}
_WRITTEN = frozenset({200, 201, 202, 204})
_OUT_OF_TIME = "the time for reading is used up"
# RFC 6750 says which characters a bearer token has; wider here, but never a line break.
_TOKEN = re.compile(r"[\x21-\x7e]+")

Kind: TypeAlias = Literal[
    "not-authorised",  # 401, 403
    "not-found",  # 404, 410
    "too-many-requests",  # 429
    "rejected",  # any other 4xx
    "server-error",  # 5xx
    "timeout",
    "unreachable",  # no connection: refused, no such name, no valid certificate
    "cut-off",  # the connection broke before the answer was complete
    "redirect",
    "too-large",
    "not-fhir",  # not JSON, or not the resource that was asked for
    "failed",  # the server sent an OperationOutcome of severity error instead of data, or with it
    "foreign-link",  # the next page is not below the base
    "endless-pages",  # a next page that was read before
    "refused",  # not a request this session makes
]


class ReadRefused(requests.RequestException):
    """A request not made or not finished; the message names no patient and no address."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind


class GuardedSession(requests.Session):
    """Requests below one FHIR base until a deadline. The token is sent there and nowhere else."""

    def __init__(
        self,
        base: str,
        token: str | None,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        writes: bool = False,
    ) -> None:
        """`base`: the FHIR base URL. `seconds`: for all requests together. Raises `ReadRefused`."""
        super().__init__()
        self.base = base.rstrip("/")
        self.trust_env = False  # neither a proxy nor a netrc file of this machine
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._sockets = Sockets()
        self._clock = clock
        self._deadline = clock() + seconds
        self._methods = _WRITES if writes else _READS
        self._lock, self._bytes = Lock(), 0
        self.adapters.clear()
        parts = urlsplit(base)
        self.mount(f"{parts.scheme}://", Adapter(self._sockets, tls=parts.scheme == "https"))
        if token is not None:
            self.use(token)

    def use(self, token: str) -> None:
        """Send this token from now on; raises `ReadRefused`."""
        parts = urlsplit(self.base)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ReadRefused("refused", "a token is sent over https only")
        if not _TOKEN.fullmatch(token):
            raise ReadRefused("refused", "the token has characters no bearer token has")
        self.auth = _Bearer(token)

    def renew(self, seconds: float) -> None:
        """Give the requests from now on `seconds` and the full size; not while one is made."""
        self._deadline, self._bytes = self._clock() + seconds, 0

    def left(self) -> float:
        """Seconds until the deadline, at least 0."""
        return max(0.0, self._deadline - self._clock())

    def close(self) -> None:
        """End every connection, also those that are being read, and forget the token."""
        self._sockets.end()
        self.auth = None
        super().close()

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: requests would read the whole body of a redirect to find out."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """One request, its answer read whole within the limits; raises `ReadRefused`."""
        url = request.url or ""
        if request.method not in self._methods or not is_below(self.base, url):
            raise ReadRefused("refused", "not such a request below the FHIR base")
        self._refuse_late()
        left = self.left()
        options |= {
            "allow_redirects": False,
            "stream": True,
            "timeout": (min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
        }
        response = super().send(request, **options)
        try:
            self._refuse_late()  # a connection ended at the deadline looks like an answer's end
            body = self._read(response, written=request.method != "GET")
            self._refuse_late()
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        return response

    def _read(self, response: requests.Response, *, written: bool) -> bytes:
        """The whole body of an answer that is JSON by its own word; nothing of an error.

        After a write other bodies are left unread: what was asked for has been done all the same.
        """
        if response.status_code in _REDIRECTS:
            raise ReadRefused("redirect", "the server answered with a redirect")
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            return b""
        json = "json" in response.headers.get("Content-Type", "").partition(";")[0].lower()
        if written and response.status_code in _WRITTEN and not json:
            return b""
        if response.status_code not in (_WRITTEN if written else {HTTPStatus.OK}) or not json:
            raise ReadRefused("not-fhir", "the answer is not JSON")
        try:
            return self._within_limits(response)
        except ReadRefused:
            raise
        except transport.ReadTimeoutError:
            raise ReadRefused("timeout", _OUT_OF_TIME) from None
        except transport.DecodeError:
            raise ReadRefused("not-fhir", "the answer cannot be decompressed") from None
        except (transport.HTTPError, OSError):
            self._refuse_late()
            raise ReadRefused("cut-off", "the answer broke off") from None

    def _within_limits(self, response: requests.Response) -> bytes:
        """A server that drips a body byte by byte meets the deadline all the same."""
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MAX_BYTES:
                raise ReadRefused("too-large", f"the answer is larger than {MAX_BYTES} bytes")
            with self._lock:
                self._bytes += len(chunk)
                total = self._bytes
            if total > MAX_TOTAL_BYTES:
                raise ReadRefused("too-large", f"the answers exceed {MAX_TOTAL_BYTES} bytes")
            self._refuse_late()
        return bytes(body)

    def _refuse_late(self) -> None:
        if self.left() <= 0 or self._sockets.ended:
            raise ReadRefused("timeout", _OUT_OF_TIME)


class _Bearer(AuthBase):
    """The access token of one request; never shown."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
