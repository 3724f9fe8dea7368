"""One application with a fixed clock; every message of any test is held to the rules."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import msgspec
import pytest
from flask import Flask, request_finished
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds.app import create_app
from cds.config import Settings, Site
from cds.store import Spool, Store, open_store
from fhir_mapping.codes import CodeSets, load_codes
from knowledge import library as knowledge_library
from knowledge.library import Library
from tests.conformance.checker import RECORDER
from tests.databases import migrated
from tests.functional.bodies import FHIR_BASE, NOW
from tests.postgres import postgres, postgres_database, postgres_url_factory  # noqa: F401


CALL = "/cds-services/btce-order-sign"
ORIGIN = "http://127.0.0.1:3000"

request_finished.connect(RECORDER.finished)


class CheckedClient(FlaskClient):
    """Fails at once for an answer that breaks a rule of the checker, or a fault of the server."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send, check, return."""
        response = super().open(*args, **kwargs)
        broken = RECORDER.take()
        assert not broken, broken
        assert response.status_code < 500 or response.status_code == 503, response.text
        return response

    def call(self, body: Any, **headers: str) -> TestResponse:
        """POST a body to the order-sign service."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(CALL, data=data, headers={"Content-Type": "application/json", **named})


@pytest.fixture(autouse=True)
def every_message_keeps_the_rules() -> Iterator[None]:
    """Also the messages of other clients and of servers on a socket."""
    yield
    assert RECORDER.take() == []


@pytest.fixture(scope="session")
def library() -> Library:
    return knowledge_library.load()


@pytest.fixture(scope="session")
def codes() -> CodeSets:
    return load_codes()


@pytest.fixture
def site() -> Site:
    return Site(id="demo", fhir_base=FHIR_BASE, protocol="us-label", zone=ZoneInfo("UTC"))


@pytest.fixture
def settings(site: Site) -> Settings:
    return Settings(
        host="127.0.0.1",
        port=8080,
        public_url="http://127.0.0.1:8080",
        auth="off",
        default_site="demo",
        sites={"demo": site},
        origins=frozenset({ORIGIN}),
    )


def clock() -> datetime:
    """The fixed evaluation time."""
    return NOW


class State(TypedDict):
    """Where an application keeps its decisions."""

    store: Store
    spool: Spool


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """One store for the whole run, as a deployment has one for all its calls."""
    folder = tmp_path_factory.mktemp("state")
    url = migrated(folder / "store.db")
    store = open_store(url)
    yield {"store": store, "spool": Spool(folder / "spool")}
    store.close()


@pytest.fixture
def app(settings: Settings, library: Library, codes: CodeSets, state: State) -> Flask:
    application = create_app(settings, library=library, codes=codes, clock=clock, **state)
    application.test_client_class = CheckedClient
    return application


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    made = app.test_client()
    assert isinstance(made, CheckedClient)
    return made


@pytest.fixture
def client_for(settings: Settings, library: Library, codes: CodeSets, state: State) -> Any:
    """A client of the same deployment with some members of its site changed."""

    def make(**changes: Any) -> CheckedClient:
        changed = msgspec.structs.replace(settings.site, **changes)
        other = msgspec.structs.replace(settings, sites={"demo": changed})
        application = create_app(other, library=library, codes=codes, clock=clock, **state)
        application.test_client_class = CheckedClient
        made = application.test_client()
        assert isinstance(made, CheckedClient)
        return made

    return make
