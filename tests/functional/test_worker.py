"""A worker that reads its hospital over HTTP, as it does in production."""

import threading
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cds.config import Backend, Events, Settings, Site
from cds.store import Spool, Store, open_store
from cds.store.rows import WakeUp
from cds.worker.compose import build_worker
from cds.worker.loop import Worker
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.builders import NOW, bundle, patient, teclistamab, temp
from tests.databases import migrated
from tests.functional.fhir_upstream import Upstream, reply, running, silent


def build(
    folder: Path, upstream: Upstream, library: Library, codes: CodeSets
) -> tuple[Worker, Store]:
    secret = folder / "secret"
    secret.write_text("s" * 40)
    site = Site(
        id="demo",
        fhir_base=upstream.base,
        protocol="us-label",
        zone=ZoneInfo("UTC"),
        backend=Backend(auth="none"),
        events=Events(secret_file=secret),
    )
    url = migrated(folder / "store.db")
    store = open_store(url)
    worker = build_worker(
        Settings(
            host="127.0.0.1",
            port=8080,
            public_url="http://127.0.0.1:8080",
            auth="off",
            default_site="demo",
            sites={"demo": site},
            store=url,
        ),
        library=library,
        codes=codes,
        clock=lambda: NOW,
        store=store,
        spool=Spool(folder / "spool"),
    )
    return worker, store


def wake(worker: Worker, who: str, ref: str = "", at: datetime = NOW) -> None:
    one = WakeUp(site="demo", source="s1", event="1", received_at=at, patient=who, ref=ref)
    worker.place.inbox.put([one])


def chart(base: str) -> dict[str, object]:
    """Every query of the patient p1 answered."""
    full = {
        "patient": patient(),
        "vitals": bundle(temp(38.6), base=base),
        "administrations": bundle(teclistamab(), base=base),
    }
    empty = ("oxygen", "assessments", "labs", "orders", "conditions", "procedures", "encounter")
    return {**full, **{key: bundle() for key in empty}}


def test_a_notification_ends_in_a_decision(
    tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    with running() as upstream:
        upstream.does |= {key: reply(value) for key, value in chart(upstream.base).items()}
        worker, store = build(tmp_path, upstream, library, codes)
        wake(worker, "p1")
        assert worker.run(threading.Event(), once=True).turns == {"kept": 1}
        (row,) = store.decisions()
        assert '"atLeast":1' in row.assessment
        assert len(row.inputs) == 3
        searched = [
            path for path in upstream.paths() if path.startswith("MedicationAdministration?")
        ]
        assert any("medication.code=" in path for path in searched)
        worker.close()
        store.close()


def test_a_resource_tells_whose_it_is_and_a_gone_one_does_not(
    tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    with running() as upstream:
        upstream.does |= {key: reply(value) for key, value in chart(upstream.base).items()}
        upstream.does["Procedure/x"] = reply(
            {"resourceType": "Procedure", "id": "x", "subject": {"reference": "Patient/p1"}}
        )
        worker, store = build(tmp_path, upstream, library, codes)
        wake(worker, "", ref="Procedure/x")
        assert worker.run(threading.Event(), once=True).turns == {"resolved": 1, "kept": 1}
        worker.close()
        store.close()


def test_a_server_that_is_silent_holds_a_reading_no_longer_than_its_time(
    tmp_path: Path, library: Library, codes: CodeSets
) -> None:
    with running() as upstream:
        upstream.does |= {key: reply(value) for key, value in chart(upstream.base).items()}
        upstream.does["labs"] = silent
        worker, store = build(tmp_path, upstream, library, codes)
        wake(worker, "p1")
        assert worker.run(threading.Event(), once=True).turns == {"again": 1}
        assert list(store.decisions()) == []
        worker.close()
        store.close()
