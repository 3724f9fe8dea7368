"""The shipped nginx configuration in front of the service, and clients that never finish.

Slow connections are of three kinds: nothing after the TCP handshake, headers drop by drop over TLS,
a body drop by drop over TLS.
"""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from string import Template
from threading import Event, Thread

from tests.bench import process
from tests.bench.process import HOST


CONFIGURATION = Path(__file__).parents[2] / "docker/proxy/nginx.conf.template"
SLOW = 500
PROBES = 40
_WHERE = ("/usr/sbin/nginx", "/usr/local/sbin/nginx")
_HEADERS = b"POST /cds-services/btce-order-sign HTTP/1.1\r\nHost: x\r\n"
_BODY = _HEADERS + b"Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
_OPENINGS = (b"", _HEADERS, _BODY)
_DROP = {b"": b"", _HEADERS: b"X: y\r\n", _BODY: b" "}


class NotInstalled(RuntimeError):
    """There is no nginx here."""


def nginx() -> str:
    """Where nginx is: `NGINX` of the environment, or where packages put it."""
    found = os.environ.get("NGINX") or shutil.which("nginx")
    found = found or next((one for one in _WHERE if Path(one).exists()), None)
    if found is None:
        raise NotInstalled("nginx is not installed; apt-get install nginx-light, or set NGINX")
    return found


@contextmanager
def proxying(work: Path, service: int) -> Iterator[int]:
    """The port of nginx in front of the service's port; its files are in `work`."""
    program, port = nginx(), process.free_port()
    certificate, key = work / "proxy.pem", work / "proxy.key"
    _certify(certificate, key)
    filled = Template(CONFIGURATION.read_text()).safe_substitute(
        BTCE_LISTEN=f"{HOST}:{port}",
        BTCE_CERTIFICATE=certificate,
        BTCE_KEY=key,
        BTCE_SERVERS=f"server {HOST}:{service};",
    )
    file = work / "nginx.conf"
    file.write_text(filled)
    state = "".join(
        f"{name}_temp_path {work}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file.write_text(filled.replace("http {", f"http {{ {state}", 1))
    with (work / "nginx.log").open("wb") as log:
        running = subprocess.Popen(  # noqa: S603 -- the program is nginx, the file is ours
            [program, "-p", str(work), "-c", str(file), "-g", f"daemon off; pid {work}/nginx.pid;"],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(running, port, work / "nginx.log")
        yield port
    finally:
        running.terminate()
        running.wait(timeout=20)


def probe_times(port: int, count: int = PROBES) -> list[float]:
    """Milliseconds of each GET /livez on a connection of its own; 60,000 for one that failed."""
    return [_probe(port) for _ in range(count)]


@contextmanager
def slow_connections(port: int, count: int = SLOW) -> Iterator[Event]:
    """So many connections that are open and slow; one that is cut off comes again."""
    over = Event()
    each = count // 25
    slow = [Thread(target=_hold, args=(port, number, each, over)) for number in range(25)]
    for one in slow:
        one.start()
    try:
        yield over
    finally:
        over.set()
        for one in slow:
            one.join()


def _hold(port: int, number: int, count: int, over: Event) -> None:
    """One thread with its share of connections, a byte or a line on each every second."""
    kinds = [_OPENINGS[(number + one) % len(_OPENINGS)] for one in range(count)]
    held: list[socket.socket | None] = [None] * count
    while not over.is_set():
        for place, kind in enumerate(kinds):
            if over.is_set():
                break
            one = held[place]
            try:
                if one is None:
                    held[place] = _open(port, kind)
                elif _DROP[kind]:
                    one.sendall(_DROP[kind])
            except OSError:
                held[place] = None
        over.wait(1)
    for one in held:
        if one is not None:
            one.close()


def _open(port: int, kind: bytes) -> socket.socket:
    plain = socket.create_connection((HOST, port), timeout=10)
    if not kind:
        return plain
    secured = _context().wrap_socket(plain)
    secured.sendall(kind)
    return secured


def _probe(port: int) -> float:
    began = time.perf_counter()
    connection = HTTPSConnection(HOST, port, timeout=10, context=_context())
    with contextlib.suppress(OSError, HTTPException):
        connection.request("GET", "/livez")
        if connection.getresponse().status == 200:
            return (time.perf_counter() - began) * 1000
    return 60_000.0


def _context() -> ssl.SSLContext:
    """Our own certificate of this minute: whose it is, is not what is measured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _certify(certificate: Path, key: Path) -> None:
    from tests.bench.certificate import self_signed  # noqa: PLC0415 - cryptography is slow to import

    certificate_pem, key_pem = self_signed(HOST)
    certificate.write_bytes(certificate_pem)
    key.write_bytes(key_pem)


def _wait(running: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.perf_counter() + 10
    while time.perf_counter() < deadline and running.poll() is None:
        if _probe(port) < 60_000.0:
            return
        time.sleep(0.05)
    raise process.DidNotStart(f"nginx: {log.read_text(errors='replace')[-500:]}")
