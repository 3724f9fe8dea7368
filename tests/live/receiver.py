"""A receiver of notifications on the loopback address; keeps what it is sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


# What HAPI can digest after a Bundle; it counts other bodies as a failed delivery.
_REPLY = b'{"resourceType":"Bundle","type":"transaction-response"}'


class Received(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    authorization: str
    content_type: str
    body: bytes


class Receiver(ThreadingHTTPServer):
    """`received`: in the order of arrival. `statuses`: the first answers; 200 after them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.statuses: list[int] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def await_where(self, wanted: Callable[[Received], bool], seconds: float) -> list[Received]:
        """What was wanted, as soon as there is any; empty if nothing came in time."""
        deadline = time.monotonic() + seconds
        while True:
            found = [one for one in self.received if wanted(one)]
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.05)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def _take(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        names = ("Authorization", "Content-Type")
        authorization, content_type = (self.headers.get(name, "") for name in names)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        taken = Received(self.command, self.path, authorization, content_type, body)
        self.server.received.append(taken)
        reply = _REPLY if self.command == "POST" and body else b""
        self.send_response(status)
        if reply:
            self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    do_POST = _take  # noqa: N815 - the names are http.server's
    do_PUT = _take  # noqa: N815
    do_DELETE = _take  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """One that runs."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
