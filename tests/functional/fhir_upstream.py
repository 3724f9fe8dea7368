"""A FHIR server on a real socket that answers well or misbehaves as it is told; and a canary."""

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote

from cds.services import PREFETCH
from tests.functional.bodies import Json, bundle


Behaviour = Callable[[socket.socket], None]
TOKEN = "Canary-token-1"
FHIR_JSON = "application/fhir+json"


class Listener:
    """Accepts connections on 127.0.0.1, a thread each, until it is closed."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self.connections = 0
        self.heard = b""
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: that is the end
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.talk(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def talk(self, connection: socket.socket) -> None:
        """A canary: hears what is said and answers nothing."""
        while data := connection.recv(65536):
            self.heard += data

    def close(self) -> None:
        """Stop listening and end what is open."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


class Upstream(Listener):
    """Answers `GET {base}/...`; `does` says how, by prefetch key or by path below the base."""

    def __init__(self, answers: Mapping[str, object] | None = None) -> None:
        self.does: dict[str, Behaviour] = {
            key: reply(value if value is not None else bundle())
            for key, value in (answers or {}).items()
        }
        self.otherwise: Behaviour = reply(b"", status=404)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.wait = 0.0
        self._keys = {
            template.replace("{{context.patientId}}", "p1"): key
            for key, template in PREFETCH.items()
        }
        super().__init__()

    @property
    def base(self) -> str:
        """The FHIR base URL."""
        return f"http://127.0.0.1:{self.port}/fhir"

    def talk(self, connection: socket.socket) -> None:
        """One request, one answer."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        first, *lines = head.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
        path = unquote(first.split(" ")[1]).removeprefix("/fhir").lstrip("/")
        fields = (line.partition(": ") for line in lines)
        self.asked.append((path, {name.lower(): value for name, _, value in fields}))
        time.sleep(self.wait)
        does = self.does.get(self._keys.get(path, path), self.otherwise)
        does(connection)

    def paths(self) -> list[str]:
        """What was asked, as it came, without the base."""
        return [path for path, _ in self.asked]


@contextmanager
def running(answers: Mapping[str, object] | None = None) -> Iterator[Upstream]:
    """A server that is closed afterwards."""
    server = Upstream(answers)
    try:
        yield server
    finally:
        server.close()


def reply(
    content: object, *, status: int = 200, kind: str = FHIR_JSON, **headers: str
) -> Behaviour:
    """A whole answer: bytes as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    head = f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode("latin-1")

    def act(connection: socket.socket) -> None:
        connection.sendall(head + body)

    return act


def raw(*parts: bytes, every: float = 0.0, for_ever: bytes = b"") -> Behaviour:
    """Bytes as they are, with a pause between them; then one part again and again."""

    def act(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(every)
        while for_ever:
            connection.sendall(for_ever)
            time.sleep(every)

    return act


def silent(connection: socket.socket) -> None:
    """Never answers, and waits for the other side to go."""
    while connection.recv(65536):
        pass


def bomb(inflated: int) -> Behaviour:
    """JSON that is small on the wire and `inflated` bytes long."""
    body = gzip.compress(b'{"resourceType":"Bundle","a":"' + b"0" * inflated + b'"}')
    return reply(body, Content_Encoding="gzip")


def page(*resources: Json, following: str = "", total: int | None = None) -> Json:
    """One page of a search, with the link to the next one if there is one."""
    made: Json = {**bundle(*resources)}
    if following:
        own = {"relation": "self", "url": "x?_sort=-date"}
        made["link"] = [own, {"relation": "next", "url": following}]
    return made if total is None else {**made, "total": total}
