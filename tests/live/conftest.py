"""One HAPI FHIR server for the whole run."""

from collections.abc import Iterator

import pytest

from tests.live.fhir import Fhir
from tests.live.hapi import served
from tests.live.receiver import Receiver, receiving


@pytest.fixture(scope="session")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FHIR base of a HAPI server."""
    with served(tmp_path_factory.mktemp("hapi") / "hapi.log") as base:
        yield base


@pytest.fixture(scope="session")
def fhir(hapi: str) -> Iterator[Fhir]:
    """A client of it."""
    client = Fhir(hapi)
    yield client
    client.session.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of this test alone."""
    with receiving() as server:
        yield server
