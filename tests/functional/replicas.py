"""Replicas of the service over one database, the shipped proxy in front, and clients that call.

Real processes all of them: `btce-cds serve`, nginx with `docker/proxy`, and signed calls over TLS.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import psycopg
import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.bench.certificate import self_signed
from tests.conformance.tokens import SANDBOX, encoded
from tests.conftest import CALL
from tests.functional.bodies import FHIR_BASE, Json, fever
from tests.functional.deployed import another_call
from tests.functional.hospitals import ISSUER
from tests.required import missing


PROXY = Path(__file__).parents[2] / "docker/proxy"
HOST = "127.0.0.1"
PUBLIC_URL = f"https://{HOST}"
START_SECONDS = 90
ANSWER_SECONDS = 30
CLIENTS = 8
_NGINX = ("/usr/sbin/nginx", "/usr/local/sbin/nginx")
_CONFIG = """
bind = "{host}:{port}"
public_url = "{public_url}"
auth = "jwt"
store = "{store}"
spool = "spool"

[sites.demo]
fhir_base = "{base}"
protocol = "us-label"
time_zone = "UTC"
{issuer}

[sites.demo.smart]
client_id = "bedside"
ehr_origins = ["https://ehr.example.org"]
"""


class Replica:
    """One `btce-cds serve` with a spool of its own; it may be started again on the same port."""

    def __init__(self, folder: Path, store: str, *options: str) -> None:
        folder.mkdir()
        self._held = held_port()
        self.port: int = self._held.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self.spool = folder / "spool"
        self._log = folder / "log"
        self._options = options
        self._config = folder / "btce.toml"
        (folder / "sandbox.json").write_bytes(encoded({"keys": [SANDBOX.signer.public()]}))
        text = _CONFIG.format(
            host=HOST,
            port=self.port,
            public_url=PUBLIC_URL,
            store=store,
            base=FHIR_BASE,
            issuer=ISSUER,
        )
        self._config.write_text(text, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it is ready."""
        command = [sys.executable, "-m", "cds", "serve", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, files of this test
                [*command, *self._options], stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._is_ready, START_SECONDS, self._log)

    def readiness(self) -> tuple[int, Json]:
        """What /readyz answers: status and body."""
        return readiness(self.url)

    def answered(self) -> float:
        """How many hook calls it has answered with 200 since it was started."""
        with client() as session:
            page = session.get(f"{self.url}/metrics", timeout=ANSWER_SECONDS).text
        found = re.findall(r'^btce_requests_total\{.*order-sign.*2xx"\} (.*)$', page, re.MULTILINE)
        return sum(map(float, found))

    def send(self, number: signal.Signals) -> None:
        """A signal to its main process."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, seconds: float = 60) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        """Every process of it, at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)
        wait_until(lambda: not _listens(self.port), 60, self._log)

    def close(self) -> None:
        """Killed, and its port is anybody's again."""
        self.kill()
        self._held.close()

    def waiting(self) -> int:
        """How many decisions are in its spool."""
        return len(list(self.spool.glob("*.decision")))

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text(errors="replace")[-3000:]
        with suppress(requests.RequestException):
            return self.readiness()[0] == 200
        return False


@contextmanager
def replicas(folder: Path, store: str, *options: str) -> Iterator[tuple[Replica, Replica]]:
    """Two that are ready; `store`: the URL of a migrated database. Killed at the end."""
    both = Replica(folder / "a", store, *options), Replica(folder / "b", store, *options)
    with ExitStack() as ending:
        for one in both:
            ending.callback(one.close)
        for one in both:
            one.start()
        yield both


@contextmanager
def proxied(folder: Path, services: Sequence[Replica]) -> Iterator[str]:
    """The URL of nginx in front of them, with the configuration that is shipped."""
    program = os.environ.get("NGINX") or shutil.which("nginx")
    program = program or next((one for one in _NGINX if Path(one).exists()), None)
    if program is None:
        missing("nginx is not on this machine (apt-get install nginx-light, or set NGINX)")
    folder.mkdir()
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(_configuration(folder, port, services))
    process = "daemon off; " + f"pid {folder}/nginx.pid;"
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(  # noqa: S603 - nginx, and a file of this test
            [program, "-p", str(folder), "-c", str(file), "-g", process],
            stdout=log,
            stderr=log,
            env={name: text for name, text in os.environ.items() if name != "NGINX"},
        )
    url = f"https://{HOST}:{port}"
    try:
        wait_until(lambda: running.poll() is not None or _listens(port), 20, folder / "log")
        assert running.poll() is None, (folder / "log").read_text()
        yield url
    finally:
        running.terminate()
        running.wait(20)


def _configuration(folder: Path, port: int, services: Sequence[Replica]) -> str:
    certificate, key = folder / "proxy.pem", folder / "proxy.key"
    for file, pem in zip((certificate, key), self_signed(HOST), strict=True):
        file.write_bytes(pem)
    lines = subprocess.run(  # noqa: S603 - the shell script an operator uses
        ["/bin/sh", "-ec", '. "$0"; printf %s "$BTCE_SERVERS"', str(PROXY / "servers.envsh")],
        env={"BTCE_SERVICE": " ".join(f"{HOST}:{one.port}" for one in services)},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    filled = Template((PROXY / "nginx.conf.template").read_text()).safe_substitute(
        BTCE_LISTEN=f"{HOST}:{port}",
        BTCE_CERTIFICATE=certificate,
        BTCE_KEY=key,
        BTCE_SERVERS=lines,
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    filled = filled.replace("http {", f"http {{ {own}", 1)
    return filled.replace("error_log stderr crit;", "error_log stderr error;", 1)


def unusual(folder: Path) -> str:
    """What nginx says of calls that failed at a replica in another way than by being refused."""
    lines = (folder / "log").read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if "Connection refused" not in line)


class Answer(NamedTuple):
    """One call of a client: its hookInstance, when it began, its status; 0: no answer at all."""

    instance: str
    began: float
    status: int
    error: str = ""


class Load:
    """Clients that call one URL, each as fast as it is answered with a short pause, until told."""

    def __init__(self, url: str, clients: int = CLIENTS) -> None:
        self.answers: list[Answer] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(url, number)) for number in range(clients)
        ]

    def __enter__(self) -> "Load":
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join(ANSWER_SECONDS + 10)
            assert not one.is_alive()

    def after(self, moment: float) -> int:
        """How many calls that began later were answered until now."""
        return sum(1 for one in tuple(self.answers) if one.began > moment)

    def failed(self) -> list[Answer]:
        """Those that were not answered with 200."""
        return [one for one in self.answers if one.status != 200]

    def _call(self, url: str, number: int) -> None:
        with client() as session:
            while not self._over.wait(0.02):
                body = another_call(*fever(), patient=f"load-{number}-{uuid.uuid4()}")
                began, status, error = time.monotonic(), 0, ""
                try:
                    status = call(session, url, body).status_code
                except requests.RequestException as why:
                    error = repr(why)
                self.answers.append(Answer(body["hookInstance"], began, status, error))


def call(session: requests.Session, url: str, body: Json, token: str = "") -> requests.Response:
    """One signed call of the order-sign service; with a token of its own unless one is given."""
    headers = {"Authorization": f"Bearer {token or fresh_token()}"}
    return session.post(url + CALL, json=body, headers=headers, timeout=ANSWER_SECONDS)


def fresh_token() -> str:
    """Good for one call, now."""
    now = int(time.time())
    return SANDBOX.token(claims={"aud": PUBLIC_URL + CALL, "iat": now, "exp": now + 300})


def client() -> requests.Session:
    """A client that sends nothing twice by itself; whose certificate it is, is not the question."""
    session = requests.Session()
    session.trust_env = False
    session.verify = False
    session.mount("https://", HTTPAdapter(max_retries=0))
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return session


def readiness(url: str) -> tuple[int, Any]:
    """What /readyz answers there: status and body."""
    with client() as session:
        answer = session.get(f"{url}/readyz", timeout=ANSWER_SECONDS)
        return answer.status_code, answer.json()


def stored(store: str) -> dict[str, int]:
    """How many decisions the database has of each hookInstance."""
    with psycopg.connect(store.replace("+psycopg", "", 1)) as connection:
        found = connection.execute("SELECT hook_instance, count(*) FROM decisions GROUP BY 1")
        return dict(found.fetchall())


def wait_until(what: Callable[[], bool], seconds: float, log: Path | None = None) -> None:
    """Returns once `what` holds; the end of `log` is in the error."""
    deadline = time.monotonic() + seconds
    while not what():
        last = log.read_text(errors="replace")[-3000:] if log and log.exists() else ""
        assert time.monotonic() < deadline, f"not within {seconds} s; {last}"
        time.sleep(0.05)


def held_port() -> socket.socket:
    """A port for a server that shares it (SO_REUSEPORT), as ours does.

    Bound and not listening: a connection is refused while the server is away, and meanwhile no
    other process, nor the near end of a connection, gets the port.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((HOST, 0))
    return held


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
