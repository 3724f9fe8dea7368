"""One request to a token endpoint or a discovery document, and its answer: no redirect, no proxy.

https, or http on this machine; limits on size and time, from the first connection to the last byte.
What is sent is known to that one address alone, and nothing of it is logged.
"""

import threading
from collections.abc import Callable, Mapping
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Literal, NamedTuple, TypeAlias

import requests
from urllib3.exceptions import HTTPError

from cds.backend.failure import BackendFailed
from cds.config.urls import loopback, parts
from cds.fhir_sockets import Adapter, Sockets


MAX_BYTES = 256 * 1024
_CHUNK = 16384
_REDIRECTS = range(300, 400)


class Reply(NamedTuple):
    """One answer. `body` is empty where a server reports a fault of its own."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Request(NamedTuple):
    """What is sent: a GET, or a POST of form fields."""

    url: str
    headers: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None


Exchange: TypeAlias = Callable[[Request, float], Reply]


def may_ask(url: str) -> Literal["https", "http"] | None:
    """How `url` may be asked: by https anywhere, by http on this machine; None: not at all."""
    found = parts(url)
    if not found.hostname or found.username is not None or "#" in url or not url.isprintable():
        return None
    if found.scheme == "https":
        return "https"
    return "http" if found.scheme == "http" and loopback(found.hostname) else None


def exchange(request: Request, seconds: float) -> Reply:
    """Ask once; raises `BackendFailed` of a kind `token-…` where there is no answer to read."""
    scheme = may_ask(request.url)
    if scheme is None:
        raise BackendFailed("token-no-endpoint")
    if seconds <= 0:
        raise BackendFailed("token-timeout")
    sockets = Sockets()
    # Ends also what no timeout of a socket ends: a handshake or a header sent byte by byte.
    alarm = threading.Timer(seconds, sockets.end)
    alarm.daemon = True
    alarm.start()
    try:
        with _Session() as session:
            session.mount(f"{scheme}://", Adapter(sockets, tls=scheme == "https"))
            reply = _asked(session, request, seconds)
    except BackendFailed:
        raise
    except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
        late = sockets.ended or isinstance(error, requests.Timeout)
        raise BackendFailed("token-timeout" if late else "token-unreachable") from None
    finally:
        alarm.cancel()
        ended = sockets.ended
        sockets.end()
    if ended:
        raise BackendFailed("token-timeout")
    return reply


class _Session(requests.Session):
    """One request long; keeps no cookie, knows no proxy and no netrc file of this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: requests would read the whole body of a redirect to find out."""


def _asked(session: requests.Session, request: Request, seconds: float) -> Reply:
    response = session.request(
        "GET" if request.form is None else "POST",
        request.url,
        headers={"Accept": "application/json", "Accept-Encoding": "identity", **request.headers},
        data=request.form,
        allow_redirects=False,
        stream=True,
        timeout=seconds,
    )
    with response:
        if response.status_code in _REDIRECTS:
            raise BackendFailed("token-redirect", status=response.status_code)
        return Reply(response.status_code, response.headers, _body(response))


def _body(response: requests.Response) -> bytes:
    if response.status_code >= 500:
        return b""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise BackendFailed("token-not-json", status=response.status_code)
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_BYTES:
            raise BackendFailed("token-too-large", status=response.status_code)
    return bytes(body)
