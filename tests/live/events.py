"""A deployment as an operator runs it: a site file, and every command as a process of its own.

Everything listens on the loopback address. The hospitals it reads: tests/live/hospital.py.
"""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import NamedTuple

import requests

from cds.cli import main
from cds.clock import system_clock
from cds.demo import patients
from cds.demo.story import Story
from cds.store import Store, open_store
from cds.store.inbox import Inbox
from cds.store.latest import Latest
from cds.store.rows import SubscriptionRow
from cds.store.subscribed import Subscribed
from tests.conftest import CALL
from tests.live.fhir import FHIR_JSON, Json


SECONDS = 60.0
SECRET = "of-this-test-0123456789-0123456789"
CLIENT_SECRET = "of-this-client"
HOST = "127.0.0.1"
_TOP = """
bind = "{host}:{port}"
public_url = "http://{host}:{port}"
auth = "off"
default_site = "{first}"
store = "{store}"
spool = "spool"
"""
_SITE = """
[sites.{id}]
fhir_base = "{base}"
protocol = "us-label"
time_zone = "UTC"

[sites.{id}.backend]
{backend}

[sites.{id}.events]
secret_file = "secret"
{events}
"""


class Setup(NamedTuple):
    """One site of the file. `backend`, `events`: lines of these tables besides the secret."""

    id: str
    base: str
    events: str = "poll_seconds = 86400\npause_seconds = 0"
    backend: str = 'auth = "none"'


class Running:
    """One command that runs until it is told to end; what it logs is kept."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter, files of this test
                command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )

    def lines(self, event: str = "") -> list[Json]:
        """What it has logged, or what of one event."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in found if not event or line["event"] == event]

    def text(self) -> str:
        """All of it as it is."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def end(self) -> int:
        """SIGTERM, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """Every process of it, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)


class Deployment:
    """One configuration file and the commands that read it; `store`: the URL of its database."""

    def __init__(self, folder: Path, store: str, sites: Sequence[Setup], port: int = 0) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.store, self.port = folder, store, port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.config = folder / "btce.toml"
        (folder / "secret").write_text(SECRET, encoding="ascii")
        (folder / "client-secret").write_text(CLIENT_SECRET, encoding="ascii")
        top = _TOP.format(host=HOST, port=self.port, store=store, first=sites[0].id)
        tables = (_SITE.format(**one._asdict()) for one in sites)
        self.config.write_text("".join((top, *tables)), encoding="utf-8")
        self._rows: Store | None = None

    def words(self, *command: str) -> list[str]:
        """The command line, with the configuration."""
        return [sys.executable, "-m", "cds", *command, "--config", str(self.config)]

    def command(self, *command: str, status: int = 0) -> str:
        """Run one to its end; what it said. Any other exit status fails."""
        done = subprocess.run(  # noqa: S603 - this interpreter, words of a test
            self.words(*command), capture_output=True, text=True, timeout=SECONDS * 2, check=False
        )
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr[-3000:])
        return done.stdout + done.stderr

    def here(self, *command: str, status: int = 0) -> str:
        """The same in this process: where starting one would take longer than what it does."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            found = main([*command, "--config", str(self.config)])
        assert found == status, (found, said.getvalue())
        return said.getvalue()

    @contextmanager
    def running(self, *command: str, name: str = "") -> Iterator[Running]:
        """One that goes on; killed afterwards, if it has not ended."""
        one = Running(self.words(*command), self.folder / f"{name or command[0]}.log")
        try:
            if command[0] == "serve":
                eventually(lambda: self._answers(one), "the service does not answer")
            yield one
        finally:
            one.kill()

    def call(self, story: Story, *keys: str) -> Json:
        """Sign an order for the next dose, with these of the prefetch keys and no token."""
        now = system_clock()
        everything = patients.prefetch(story, now)
        draft = {
            "resourceType": "MedicationRequest",
            "id": "d1",
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": {"text": story.order},
            "subject": {"reference": f"Patient/{story.id}"},
        }
        body = {
            "hook": "order-sign",
            "hookInstance": str(uuid.uuid4()),
            "context": {
                "userId": "Practitioner/1",
                "patientId": story.id,
                "draftOrders": {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [{"resource": draft}],
                },
            },
            "prefetch": {key: everything[key] for key in keys or everything},
        }
        with _session() as session:
            answer = session.post(self.url + CALL, json=body, timeout=SECONDS)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def notify(self, site: str, subscription: str, body: Json | None = None) -> int:
        """What a FHIR server would send; the status it is answered."""
        headers = {"Authorization": f"Bearer {SECRET}"}
        if body is not None:
            headers["Content-Type"] = FHIR_JSON
        with _session() as session:
            answer = session.post(
                f"{self.url}/events/{site}/{subscription}",
                data=None if body is None else json.dumps(body),
                headers=headers,
                timeout=SECONDS,
            )
            return answer.status_code

    @property
    def rows(self) -> Store:
        """Its store, which has to be there."""
        if self._rows is None:
            self._rows = open_store(self.store)
        return self._rows

    def close(self) -> None:
        """End what reads the store here."""
        if self._rows is not None:
            self._rows.close()

    def last(self, site: str, patient: str) -> Json | None:
        """The assessment of the newest decision of this patient."""
        kept = Latest(self.rows).last(site, patient)
        return None if kept is None else json.loads(kept.assessment)

    def count(self, site: str, patient: str) -> int:
        """How many decisions there are of this patient."""
        return len(list(self.rows.decisions(site=site, patient=patient)))

    def waiting(self) -> int:
        """Wake-ups that are not done."""
        return Inbox(self.rows).waiting(system_clock()).count

    def subscriptions(self, site: str) -> tuple[SubscriptionRow, ...]:
        """As the store has them."""
        return Subscribed(self.rows).of_site(site)

    def crs(self, site: str, patient: str) -> int:
        """The least CRS grade that the newest decision says; -1: there is none."""
        return crs(self.last(site, patient))

    def await_crs(self, site: str, patient: str, grade: int) -> Json:
        """The newest decision, once it says this grade."""
        eventually(
            lambda: self.crs(site, patient) == grade,
            lambda: f"CRS {self.crs(site, patient)} at {site}, not {grade}",
        )
        found = self.last(site, patient)
        assert found is not None
        return found

    def _answers(self, service: Running) -> bool:
        assert service.process.poll() is None, service.text()[-3000:]
        with suppress(requests.ConnectionError), _session() as session:
            return session.get(f"{self.url}/livez", timeout=5).status_code == 200
        return False


def crs(assessment: Json | None) -> int:
    """The least CRS grade of an assessment; -1: none, or it was not assessed."""
    state = (assessment or {}).get("crs", {})
    grade: int = state["grade"]["atLeast"] if state.get("assessed") else -1
    return grade


def assessment(answer: Json) -> Json:
    """The assessment of a hook's answer."""
    found: Json = answer["extension"]["org.btce-cds.assessment"]
    return found


def eventually(
    true: Callable[[], object], what: str | Callable[[], str], seconds: float = SECONDS
) -> None:
    """Returns once it is true."""
    deadline = time.monotonic() + seconds
    while not true():
        late = time.monotonic() > deadline
        assert not late, what if isinstance(what, str) else what()
        time.sleep(0.1)


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session
