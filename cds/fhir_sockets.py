"""The connections of one guarded session: known one by one, so that all can be ended at once.

A socket's timeout starts again with every byte, and status lines, header fields and a TLS handshake
are read by libraries that know no deadline. Ending the connection ends every such wait.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from functools import cache, partial
from threading import Lock
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection


_MOST = 16
_READING = Lock()


class Sockets:
    """Every socket opened so far; after `end` none stays open and none is opened."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: list[socket.socket] = []
        self._ended = False

    def hold(self, opened: socket.socket) -> None:
        """A second handle on the same connection: TLS takes the first one over."""
        with self._lock:
            if self._ended:
                _shut(opened)
            else:
                self._held.append(opened.dup())

    def end(self) -> None:
        """End every connection; whoever waits on one is woken with an error."""
        with self._lock:
            self._ended = True
            for one in self._held:
                _shut(one)
                one.close()
            self._held.clear()

    @property
    def ended(self) -> bool:
        """Whether `end` was called."""
        return self._ended


class Adapter(HTTPAdapter):
    """requests' transport on sockets that are held, without retries and with one TLS context."""

    def __init__(self, sockets: Sockets, *, tls: bool) -> None:
        self._sockets = sockets
        self._tls = tls_context() if tls else None
        super().__init__(pool_connections=1, pool_maxsize=_MOST, max_retries=0)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> Any:
        """The pool for the request's host, making connections that are held."""
        pool: Any = super().get_connection_with_tls_context(request, *args, **options)
        kind = _HeldTls if pool.scheme == "https" else _Held
        pool.ConnectionCls = partial(kind, hold=self._sockets.hold)
        return pool

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:
        """The shared TLS context: to read the certificate authorities again costs 60 ms each."""
        host, pool = super().build_connection_pool_key_attributes(*args, **options)
        if self._tls is not None:
            pool["ssl_context"] = self._tls
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Certificates are always verified, by the authorities of the shared context."""
        conn.cert_reqs = "CERT_REQUIRED" if url.lower().startswith("https") else "CERT_NONE"
        conn.ca_certs = conn.ca_cert_dir = None


def tls_context() -> ssl.SSLContext:
    """The machine's own certificate authorities and those that come with requests; read once."""
    with _READING:  # the first of several threads reads, the others wait for it
        return _read_authorities()


@cache
def _read_authorities() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


class _Held(HTTPConnection):
    def __init__(self, *args: Any, hold: Callable[[socket.socket], None], **options: Any) -> None:
        self._hold = hold
        super().__init__(*args, **options)

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self._hold(opened)
        return opened


class _HeldTls(HTTPSConnection):
    def __init__(self, *args: Any, hold: Callable[[socket.socket], None], **options: Any) -> None:
        self._hold = hold
        super().__init__(*args, **options)

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self._hold(opened)
        return opened


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have gone before
        one.shutdown(socket.SHUT_RDWR)
