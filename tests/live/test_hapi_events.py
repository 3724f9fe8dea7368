"""An Observation posted to HAPI FHIR changes the stored decision: subscription, receiver, worker.

Nothing here is a fake: HAPI notifies the service's own endpoint over HTTP, and the worker reads
the patient from HAPI again.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
from flask import Flask
from werkzeug.serving import make_server

from cds.backend.fhir import FhirClient
from cds.backend.token import BackendTokens
from cds.clock import system_clock
from cds.config import Settings, Site
from cds.config.model import Backend, Events
from cds.demo import patients
from cds.demo.story import Story, load
from cds.metrics import Metrics
from cds.notifications.receiver import blueprint
from cds.store import Spool, Store, open_store
from cds.store.cohort import Cohort
from cds.store.inbox import Inbox
from cds.store.latest import Latest
from cds.store.migrations import migrate
from cds.store.rows import Watched
from cds.store.subscribed import Subscribed
from cds.subscriptions import manage
from cds.subscriptions.desk import Desk, desk
from cds.subscriptions.plan import Shape
from cds.worker.compose import build_worker
from cds.worker.loop import Worker
from cds.worker.reader import Reader
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.live.fhir import Fhir, Json, new_id, updated
from tests.live.test_hapi_hooks import TOPIC, topic


pytestmark = pytest.mark.live

SECONDS = 60.0
SITE = "hapi"
SECRET = "of-this-test-0123456789-0123456789"


class Parts(NamedTuple):
    """What the receiver takes of a deployment."""

    settings: Settings
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    metrics: Metrics


class Ward(NamedTuple):
    """The service at one site, its worker, and a patient without signs of toxicity."""

    store: Store
    worker: Worker
    desk: Desk
    patient: str

    def work(self) -> None:
        """All that is due."""
        self.worker.run(threading.Event(), once=True)

    def waiting(self) -> int:
        """Wake-ups that are not done."""
        return Inbox(self.store).waiting(system_clock()).count

    def crs(self) -> int:
        """The least CRS grade of the newest decision."""
        kept = Latest(self.store).last(SITE, self.patient)
        assert kept is not None
        least: int = json.loads(kept.assessment)["crs"]["grade"]["atLeast"]
        return least


def settings_of(base: str, port: int, folder: Path) -> Settings:
    secret = folder / "secret"
    secret.write_text(SECRET, encoding="ascii")
    url = f"http://127.0.0.1:{port}"
    site = Site(
        id=SITE,
        fhir_base=base,
        protocol="us-label",
        zone=ZoneInfo("UTC"),
        backend=Backend(auth="none"),
        events=Events(secret_file=secret, url=url, poll_seconds=86_400, pause_seconds=1),
    )
    return Settings(
        host="127.0.0.1",
        port=port,
        public_url=url,
        auth="off",
        default_site=SITE,
        sites={SITE: site},
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url)
    with closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
def settings(store: Store, fhir: Fhir, tmp_path: Path) -> Iterator[Settings]:
    """Of a service whose endpoint for notifications is served meanwhile."""
    app = Flask(__name__)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    made = settings_of(fhir.base, server.server_port, tmp_path)
    metrics = Metrics(services=(), upstream=(), refusals=())
    parts = Parts(made, system_clock, time.monotonic, metrics)
    app.register_blueprint(blueprint(parts, Inbox(store), Subscribed(store)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ward(
    settings: Settings,
    store: Store,
    fhir: Fhir,
    library: Library,
    codes: CodeSets,
    tmp_path: Path,
) -> Iterator[Ward]:
    now = system_clock()
    story = admitted(fhir, now)
    cohort = Cohort(store)
    until = datetime.max.replace(tzinfo=now.tzinfo, year=now.year + 1)
    cohort.watch(
        [Watched(SITE, story.id, agent="teclistamab", last_dose=now, until=until, seen_at=now)]
    )
    spool = Spool(tmp_path / "spool")
    tokens = BackendTokens(clock=system_clock, monotonic=time.monotonic)
    site = settings.sites[SITE]
    with closing(Reader(tokens)) as reader, FhirClient(site, tokens, seconds=30) as client:
        worker = build_worker(
            settings,
            library=library,
            codes=codes,
            clock=system_clock,
            store=store,
            spool=spool,
            server=reader,
        )
        at = desk(
            site,
            settings.public_url,
            client=client,
            rows=Subscribed(store),
            inbox=Inbox(store),
            cohort=cohort,
            now=now,
        )
        yield Ward(store, worker, at, story.id)
        for _ in manage.remove(at):
            pass


def admitted(fhir: Fhir, now: datetime) -> Story:
    """A patient on the server whose record is complete and normal."""
    story = msgspec.structs.replace(load()["nothing-wrong"], id=new_id("p"))
    record = (patients.patient(story, now), patients.encounter(story, now))
    fhir.transaction(*map(updated, (*record, *patients.chart(story, now))))
    return story


def fever(patient: str) -> Json:
    return {
        "resourceType": "Observation",
        "id": new_id("fever"),
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": patients.instant(system_clock()),
        "valueQuantity": {
            "value": 38.9,
            "unit": "Cel",
            "system": "http://unitsofmeasure.org",
            "code": "Cel",
        },
    }


def eventually(true: Callable[[], bool], what: str, do: Callable[[], Any] = lambda: None) -> None:
    """`do` now and then until it is true."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        do()
        time.sleep(0.2)


def active(ward: Ward, fhir: Fhir) -> bool:
    """Whether every subscription is, as the server says."""
    rows = Subscribed(ward.store).of_site(SITE)
    return all(fhir.get(f"Subscription/{row.remote}")["status"] == "active" for row in rows)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(Shape(kind="rest-hook", content="empty"), id="rest-hook without payload"),
        pytest.param(Shape(kind="rest-hook", content="full-resource"), id="rest-hook with it"),
        pytest.param(
            Shape(kind="topic", content="id-only", topic=TOPIC, types=("Observation",)),
            id="topic, id only",
        ),
        pytest.param(
            Shape(kind="topic", content="full-resource", topic=TOPIC, types=("Observation",)),
            id="topic, whole resource",
        ),
    ],
)
def test_fever_charted_at_the_server_becomes_a_new_decision(
    ward: Ward, fhir: Fhir, shape: Shape
) -> None:
    if shape.kind == "topic":
        fhir.put(topic())
    created = list(manage.create(ward.desk, shape))
    assert created
    assert [one.kind for one in created] == [None] * len(created)
    eventually(lambda: active(ward, fhir), "the subscriptions do not become active")
    ward.work()
    eventually(lambda: ward.waiting() == 0, "the first reading does not end", ward.work)
    assert ward.crs() == 0

    fhir.put(fever(ward.patient))
    eventually(lambda: ward.waiting() > 0, "nothing was notified")
    # ASTCT 2019: a temperature of 38 Cel or more is grade 1, unless another cause is found.
    eventually(lambda: ward.crs() == 1, "the decision does not change", ward.work)
