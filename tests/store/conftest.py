"""One migrated database of each kind, and a store on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cds.store import Spool, Store, open_store
from cds.store.migrations import migrate


@pytest.fixture(params=["sqlite"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database. A further kind is a further parameter; the tests stay as they are."""
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def migrated(engine_url: str) -> str:
    """The URL of a database with all tables."""
    migrate(engine_url)
    return engine_url


@pytest.fixture
def store(migrated: str) -> Iterator[Store]:
    """A store on a migrated database."""
    opened = open_store(migrated)
    yield opened
    opened.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool whose folder is not there yet."""
    return Spool(tmp_path / "state" / "spool")
