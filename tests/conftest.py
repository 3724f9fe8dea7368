"""One application with a fixed clock, and a client that checks every answer of a service call."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds.app import create_app
from cds.config import Settings, Site
from fhir_mapping.codes import CodeSets, load_codes
from knowledge import library as knowledge_library
from knowledge.library import Library
from tests.conformance.checker import check_response, no_empty_members
from tests.functional.bodies import FHIR_BASE, NOW


CALL = "/cds-services/btce-order-sign"
ORIGIN = "http://127.0.0.1:3000"


class CheckedClient(FlaskClient):
    """Validates every answer: a card response, or an OperationOutcome; never a server fault."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send, check, return."""
        response = super().open(*args, **kwargs)
        assert response.status_code < 500, response.text
        path = response.request.path
        if response.status_code == 200 and path.startswith("/cds-services/") and response.data:
            check_response(json.loads(response.data))
        if response.status_code >= 400:
            outcome = json.loads(response.data)
            assert outcome["resourceType"] == "OperationOutcome"
            no_empty_members(outcome, "outcome")
        return response

    def call(self, body: Any, **headers: str) -> TestResponse:
        """POST a body to the order-sign service."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(CALL, data=data, headers={"Content-Type": "application/json", **named})


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


@pytest.fixture
def app(settings: Settings, library: Library, codes: CodeSets) -> Flask:
    application = create_app(settings, library=library, codes=codes, clock=clock)
    application.test_client_class = CheckedClient
    return application


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    made = app.test_client()
    assert isinstance(made, CheckedClient)
    return made


@pytest.fixture
def client_for(settings: Settings, library: Library, codes: CodeSets) -> Any:
    """A client of the same deployment with some members of its site changed."""

    def make(**changes: Any) -> CheckedClient:
        changed = msgspec.structs.replace(settings.site, **changes)
        other = msgspec.structs.replace(settings, sites={"demo": changed})
        application = create_app(other, library=library, codes=codes, clock=clock)
        application.test_client_class = CheckedClient
        made = application.test_client()
        assert isinstance(made, CheckedClient)
        return made

    return make
