"""A worker on a real store and a hospital in memory, at a time the test sets."""

import shutil
import threading
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from cds.config import Backend, Events, Settings, Site
from cds.store import DecisionRow, Spool, Store, open_store
from cds.store.rows import WakeUp
from cds.worker.compose import build_worker
from cds.worker.loop import Ran, Worker
from cds.worker.workplace import Workplace
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.builders import NOW, patient, teclistamab
from tests.databases import migrated
from tests.unit.cds.worker.hospital import Hospital, of


BASE = "http://127.0.0.1:9/fhir"


class Ward:
    """One worker, what it works with, and a clock."""

    def __init__(
        self,
        folder: Path,
        library: Library,
        codes: CodeSets,
        *,
        tell: str = "nothing",
        pause_seconds: int = 10,
    ) -> None:
        self.now = NOW
        self.hospital = Hospital()
        secret = folder / "secret"
        secret.write_text("s" * 40)
        events = msgspec.convert(
            {"secret_file": secret, "tell": tell, "pause_seconds": pause_seconds}, Events
        )
        self.site = Site(
            id="demo",
            fhir_base=BASE,
            protocol="us-label",
            zone=ZoneInfo("UTC"),
            backend=Backend(auth="none"),
            events=events,
        )
        self.folder, self.library, self.codes = folder, library, codes
        self.url = migrated(folder / "store.db")
        self.store: Store = open_store(self.url)
        self.worker: Worker = self.another()

    @property
    def place(self) -> Workplace:
        """What the present worker works with."""
        return self.worker.place

    def empty(self, database: Path) -> None:
        """As at first: an empty hospital, and a copy of this migrated database."""
        self.close()
        for suffix in ("-wal", "-shm"):
            (self.folder / f"store.db{suffix}").unlink(missing_ok=True)
        shutil.copy(database, self.folder / "store.db")
        self.now, self.hospital = NOW, Hospital()
        self.another()

    def another(self, **changes: object) -> Worker:
        """A worker as after a restart; `changes` of the site."""
        if hasattr(self, "worker"):
            self.worker.close()
        self.site = msgspec.structs.replace(self.site, **changes)
        settings = Settings(
            host="127.0.0.1",
            port=8080,
            public_url="http://127.0.0.1:8080",
            auth="off",
            default_site="demo",
            sites={"demo": self.site},
            store=self.url,
        )
        self.worker = build_worker(
            settings,
            library=self.library,
            codes=self.codes,
            clock=lambda: self.now,
            store=self.store,
            spool=Spool(self.folder / "spool"),
            server=self.hospital,
        )
        return self.worker

    def admit(self, patient_id: str = "p1", *, dosed: bool = True) -> None:
        """A patient, with a dose of teclistamab a day ago."""
        self.hospital.put(patient(patient_id))
        if dosed:
            self.hospital.put(of(teclistamab(resource_id=f"tec-{patient_id}"), patient_id))

    def wake(self, patient_id: str = "p1", event: str = "1", *, ref: str = "") -> None:
        """One notification."""
        self.place.inbox.put(
            [
                WakeUp(
                    site="demo",
                    source="s1",
                    event=event,
                    received_at=self.now,
                    patient=patient_id,
                    ref=ref,
                )
            ]
        )

    def work(self) -> Ran:
        """Until nothing is due; what was done this time."""
        before = dict(self.worker.ran.turns)
        ran = self.worker.run(threading.Event(), once=True)
        new = {name: count - before.get(name, 0) for name, count in ran.turns.items()}
        return Ran(turns={name: count for name, count in new.items() if count}, told=ran.told)

    def later(self, **parts: float) -> None:
        """Time passes."""
        self.now = self.now + timedelta(**parts)

    def decisions(self, patient_id: str = "p1") -> list[DecisionRow]:
        """Those that are kept of this patient."""
        return list(self.store.decisions(site="demo", patient=patient_id))

    def close(self) -> None:
        """Give the files back."""
        self.worker.close()
        self.store.close()
