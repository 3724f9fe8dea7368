"""Two workers on one PostgreSQL: 40 patients, 400 notifications in any order, one worker killed.

The FHIR server's notifications are held back, shuffled and repeated before the service gets them.
Each worker has an address of the FHIR server to itself, so that the server knows who reads whom.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

import pytest
import requests

from cds import config
from cds.clock import system_clock
from cds.demo.story import Story, Vitals
from cds.services import PREFETCH
from cds.store import Spool
from cds.store.latest import Latest
from cds.worker.compose import build_worker
from cds.worker.unchanged import timeless
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.live.events import (
    Deployment,
    Running,
    Setup,
    eventually,
)
from tests.live.fhir import Fhir, Json
from tests.live.hospital import (
    Hospital,
    charted,
    client,
    hospital,
    taken_back,
)
from tests.live.receiver import Received, Receiver, receiving


PATIENTS = 40
CHANGES = 10  # of each patient's record
REPEATED = 80
QUERIES = len(PREFETCH)
SITE = "ward"
SEED = 20261121


class Ward(NamedTuple):
    """A service and its database, two workers with a configuration each, and the hospital."""

    one: Deployment
    workers: tuple[Running, Running]
    hospital: Hospital
    held: Receiver
    stories: list[Story]


@pytest.fixture
def ward(tmp_path: Path, postgres_url_factory: Callable[[], str]) -> Iterator[Ward]:
    """Subscriptions are there, and everybody was read once."""
    with ExitStack() as stack:
        held = stack.enter_context(receiving())
        there = stack.enter_context(hospital(ports=2))
        stories = [there.loaded() for _ in range(PATIENTS)]
        events = f'url = "{held.url}"\npoll_seconds = 86400\npause_seconds = 1'
        store = postgres_url_factory()
        one, other = (
            Deployment(tmp_path / name, store, [Setup(SITE, base, events)])
            for name, base in zip(("one", "other"), there.bases, strict=True)
        )
        stack.callback(one.close)
        one.command("migrate")
        first, second = (stack.enter_context(at.running("worker")) for at in (one, other))
        stack.enter_context(one.running("serve"))
        everybody = {story.id for story in stories}
        eventually(
            lambda: {row.patient for row in one.rows.decisions()} == everybody,
            "not everybody is read",
        )
        one.command(
            "subscriptions", "create", "--content", "full-resource", "--type", "Observation"
        )
        yield Ward(one, (first, second), there, held, stories)


def test_every_patient_ends_as_one_reading_of_the_record_says(
    ward: Ward, tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    shuffled = random.Random(SEED)  # noqa: S311 - a test's own order
    first, second = ward.workers
    with client(ward.hospital.base) as fhir:
        made = [_charted(fhir, story, number) for number, story in enumerate(ward.stories)]
        ward.hospital.asked.clear()
        early = _held_back(ward, PATIENTS * CHANGES // 2)
        shuffled.shuffle(early)
        _forward(early[::2], ward.one.url)
        eventually(lambda: _both_read(ward), "one of the workers does nothing")
        for number, resources in enumerate(made):
            _corrected(fhir, resources, number)
        every = _held_back(ward, PATIENTS * CHANGES)
        late = [*early[1::2], *every[len(early) :], *shuffled.sample(every, REPEATED)]
        shuffled.shuffle(late)
        _forward(late[: len(late) // 2], ward.one.url)
        eventually(lambda: _in_the_middle(ward), "the first worker is never in the middle")
        first.kill()
        killed = len(ward.hospital.asked)
        assert ward.one.waiting() > 0
        _forward(late[len(late) // 2 :], ward.one.url)
        eventually(lambda: ward.one.waiting() == 0, "the other worker does not finish")
        assert second.end() == 0
    _nobody_is_read_by_two(ward, killed)

    fresh = Deployment(
        tmp_path / "fresh",
        f"sqlite:///{tmp_path / 'fresh.db'}",
        [Setup(SITE, ward.hospital.base)],
    )
    _read_once(fresh, library, codes)
    for story in ward.stories:
        last, single = (Latest(at.rows).last(SITE, story.id) for at in (ward.one, fresh))
        assert last is not None
        assert single is not None
        assert timeless(last.assessment) == timeless(single.assessment)
        assert set(last.inputs) == set(single.inputs)
    fresh.close()
    assert ward.one.command("audit", "recompute").splitlines()[-1].endswith(" same")
    ward.one.command("audit", "verify")


def _read_once(fresh: Deployment, library: Library, codes: CodeSets) -> None:
    """Everybody, by a worker that has never seen anything before."""
    fresh.here("migrate")
    worker = build_worker(
        config.load(fresh.config, {}),
        library=library,
        codes=codes,
        clock=system_clock,
        store=fresh.rows,
        spool=Spool(fresh.folder / "spool"),
    )
    with closing(worker):
        assert worker.run(threading.Event(), once=True).turns == {"kept": PATIENTS}


def _charted(fhir: Fhir, story: Story, number: int) -> list[Json]:
    """Five changes: two temperatures, in most patients a fever, and low saturation on oxygen."""
    hot = 37.8 + number % 4 / 2
    temperatures = [charted(fhir, story, Vitals(at=0, temperature=hot + step)) for step in (0, 0.3)]
    low = charted(fhir, story, Vitals(at=0, spo2=84 + number % 8, device="nasal-cannula", flow=3))
    return [*(one for made in temperatures for one in made), *low]


def _corrected(fhir: Fhir, made: list[Json], number: int) -> None:
    """Five more: the oxygen is taken back at every third, the fever at every second."""
    first, second, *low = made
    fhir.put({**second, "valueQuantity": {**second["valueQuantity"], "value": 36.9}})
    fhir.put({**first, "valueQuantity": {**first["valueQuantity"], "value": 38.0}})
    if number % 2:
        taken_back(fhir, [first])
    else:
        fhir.put({**first, "valueQuantity": {**first["valueQuantity"], "value": 39.1}})
    if number % 3:
        fhir.put({**low[0], "valueQuantity": {**low[0]["valueQuantity"], "value": 85}})
        fhir.put({**low[0], "valueQuantity": {**low[0]["valueQuantity"], "value": 87}})
    else:
        taken_back(fhir, low[:2])


def _held_back(ward: Ward, count: int) -> list[Received]:
    eventually(lambda: len(ward.held.received) >= count, "not every change was notified")
    return list(ward.held.received)


def _forward(sent: list[Received], url: str) -> None:
    """As they came, to the service itself, by eight at once."""

    def send(some: list[Received]) -> set[int]:
        with requests.Session() as session:
            session.trust_env = False
            return {_sent(session, one, url) for one in some}

    with ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(send, (sent[start::8] for start in range(8)))) == {200}


def _sent(session: requests.Session, one: Received, url: str) -> int:
    headers = {"Authorization": one.authorization, "Content-Type": one.content_type}
    return session.request(
        one.method, url + one.path, data=one.body, headers=headers, timeout=60
    ).status_code


def _both_read(ward: Ward) -> bool:
    return {port for port, *_ in list(ward.hospital.asked)} == set(ward.hospital.ports)


def _in_the_middle(ward: Ward) -> bool:
    """Whether the first worker has begun to read somebody, and not ended."""
    asked = [one for one in list(ward.hospital.asked) if one[0] == ward.hospital.ports[0]]
    return len([one for one in asked if _patient(*one[1:])]) % QUERIES not in (0, QUERIES - 1)


def _patient(path: str, query: str) -> str:
    """Whose record is read; "": nobody's alone."""
    if path.startswith("Patient/"):
        return path.partition("/")[2]
    return parse_qs(query).get("patient", [""])[0].rpartition("/")[2]


def _nobody_is_read_by_two(ward: Ward, killed: int) -> None:
    """Of each patient, whole readings one after the other; the one that was killed may be cut.

    `killed`: how many questions there were by then. What the server answers the dead is not read.
    """
    first, second = ward.hospital.ports
    asked = [
        (port, _patient(*what))
        for number, (port, *what) in enumerate(ward.hospital.asked)
        if port == second or number < killed
    ]
    cut = 0
    readers: set[int] = set()
    for story in ward.stories:
        ports = [port for port, patient in asked if patient == story.id]
        readers |= set(ports)
        runs = [(port, len(list(run))) for port, run in groupby(ports)]
        broken = [port for port, length in runs if length % QUERIES]
        assert second not in broken, runs
        cut += len(broken)
    assert readers == {first, second}
    assert cut <= 1
