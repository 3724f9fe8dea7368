"""The wired service over a state of its own: what it logged, counted and kept can be asked."""

import io
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask

from cds import log
from cds.app import create_app
from cds.config import Settings
from cds.store import Spool, Store, open_store
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conftest import CheckedClient, clock
from tests.databases import migrated
from tests.functional.bodies import Json, order_sign


class Deployed(NamedTuple):
    """One application and where it keeps things; `file`: its database."""

    app: Flask
    store: Store
    spool: Spool
    file: Path

    @property
    def client(self) -> CheckedClient:
        """A client whose every answer is held to the rules."""
        made = self.app.test_client()
        assert isinstance(made, CheckedClient)
        return made

    def decisions(self) -> list[str]:
        """The ids of the decisions in the store."""
        return [row.id for row in self.store.decisions()]

    def waiting(self) -> list[Path]:
        """The files of the spool."""
        return sorted(one for one in self.spool.path.rglob("*") if one.is_file())


def deploy(
    settings: Settings,
    folder: Path,
    library: Library,
    codes: CodeSets,
    *,
    now: Callable[[], datetime] = clock,
    ready: bool = True,
    **parts: Any,
) -> Deployed:
    """The service over a database and a spool in `folder`; what it does beside a call is done
    within it."""
    file = folder / "store.db"
    if ready:
        migrated(file)
    store, spool = open_store(f"sqlite:///{file}", wait=0.05), Spool(folder / "spool")
    parts = {"store": store, "spool": spool, "start": lambda work: work(), **parts}
    app = create_app(settings, library=library, codes=codes, clock=now, **parts)
    app.test_client_class = CheckedClient
    return Deployed(app, store, parts["spool"], file)


@contextmanager
def logged() -> Iterator[list[Json]]:
    """Every line that any logger of the process writes meanwhile, once it is over."""
    root = logging.getLogger()
    before, level, stream = root.handlers, root.level, io.StringIO()
    log.configure(stream)
    lines: list[Json] = []
    try:
        yield lines
    finally:
        lines += [json.loads(line) for line in stream.getvalue().splitlines()]
        root.handlers = before
        root.setLevel(level)


def counted(client: CheckedClient, name: str) -> dict[str, float]:
    """The samples of one metric by their labels, as they are written."""
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
    return {labels: float(value) for labels, value in (line.rsplit(" ", 1) for line in lines)}


def another_call(*vitals: Json, patient: str = "p1", **how: Any) -> Json:
    """An order-sign request that no other is the same as."""
    body = json.dumps({**order_sign(*vitals, **how), "hookInstance": str(uuid.uuid4())})
    made: Json = json.loads(body.replace('"p1"', f'"{patient}"').replace("/p1", f"/{patient}"))
    return made


def topics(answer: Any) -> list[str]:
    """The topic codes of the cards of an answer."""
    return [card["source"]["topic"]["code"] for card in answer.get_json()["cards"]]


def assessment(answer: Any) -> Any:
    """The assessment of an answer."""
    return answer.get_json()["extension"]["org.btce-cds.assessment"]
