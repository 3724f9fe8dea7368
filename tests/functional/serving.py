"""`btce-cds serve` in processes of its own, as an operator starts it, on a real socket."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.conftest import CALL
from tests.functional.bodies import FHIR_BASE


CONFIG = """
bind = "127.0.0.1:0"
public_url = "{public_url}"
auth = "{auth}"
store = "sqlite:///store.db"
spool = "spool"
{top}

[sites.demo]
fhir_base = "{base}"
protocol = "us-label"
time_zone = "UTC"
{site}
"""


def write_config(
    folder: Path,
    *,
    auth: str = "off",
    public_url: str = "http://127.0.0.1",
    top: str = 'default_site = "demo"',
    site: str = "",
) -> Path:
    """A configuration file with one site, its database and spool beside it."""
    file = folder / "btce.toml"
    text = CONFIG.format(auth=auth, public_url=public_url, top=top, site=site, base=FHIR_BASE)
    file.write_text(text, encoding="utf-8")
    return file


class Served:
    """One running server; all of its processes are one group."""

    def __init__(self, folder: Path, config: Path, name: str) -> None:
        self.folder = folder
        self.store = f"sqlite:///{folder / 'store.db'}"
        self._log = folder / f"{name}.log"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=50))
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a file of this test
                [sys.executable, "-m", "cds", "serve", "--config", str(config)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | {"BTCE_BIND": f"127.0.0.1:{port}"},
                start_new_session=True,
            )

    def wait(self, seconds: float = 60) -> None:
        """Until it answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._log.read_text()
            with suppress(requests.ConnectionError):
                if self._session.get(f"{self.address}/livez", timeout=5).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("it never answered")

    def post(self, body: Any, **headers: str) -> requests.Response:
        """One call of the order-sign service."""
        return self._session.post(self.address + CALL, json=body, headers=headers, timeout=30)

    def kill(self) -> None:
        """At once, every process of it, with the signal nobody can answer."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)

    def lines(self) -> list[Any]:
        """What it has logged."""
        text = self._log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def close(self) -> None:
        """End it."""
        self.kill()
        self._session.close()


@contextmanager
def served(folder: Path, config: Path | None = None, name: str = "server") -> Iterator[Served]:
    """A server that answers; ended with all its processes."""
    one = Served(folder, config or write_config(folder), name)
    try:
        one.wait()
        yield one
    finally:
        one.close()
