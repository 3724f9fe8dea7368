"""`btce-cds serve` as an operator starts it: on the loopback address, a process of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import requests

from tests.conftest import CALL
from tests.functional.bodies import Json
from tests.functional.test_serve import CONFIG, answers


class Process(NamedTuple):
    """`btce-cds serve` as an operator starts it."""

    popen: subprocess.Popen[bytes]
    url: str

    def ended(self, seconds: float) -> tuple[int, list[str]]:
        """The exit status, and every line of both its streams."""
        out, err = self.popen.communicate(timeout=seconds)
        return self.popen.returncode, (out + err).decode().splitlines()


@contextlib.contextmanager
def started(folder: Path, base: str, *options: str) -> Iterator[Process]:
    """A server that answers; it is ended in any case."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = folder / "btce.toml"
    config.write_text(CONFIG.format(port=port, base=base), encoding="utf-8")
    command = [sys.executable, "-m", "cds", "serve", "--config", str(config), *options]
    # The command is ours: this interpreter and a file of this test.
    with (
        subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as popen,
        requests.Session() as session,
    ):
        session.trust_env = False
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 20
        try:
            while not answers(session, f"{url}/livez"):
                assert popen.poll() is None, "the server ended"
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield Process(popen, url)
        finally:
            with contextlib.suppress(ProcessLookupError):  # its workers too, should one be left
                os.killpg(popen.pid, signal.SIGKILL)


class Call(threading.Thread):
    """One hook call, answered some time."""

    def __init__(self, url: str, body: Json) -> None:
        super().__init__()
        self.url, self.body = url, body
        self.status = 0
        self.cards: list[Any] = []

    def run(self) -> None:
        with contextlib.suppress(requests.RequestException), requests.Session() as session:
            session.trust_env = False
            answer = session.post(self.url + CALL, json=self.body, timeout=15)
            self.status, self.cards = answer.status_code, answer.json().get("cards", [])


def accepts(url: str) -> bool:
    with contextlib.suppress(OSError):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.settimeout(2)
            return connection.recv(1) != b""
    return False
