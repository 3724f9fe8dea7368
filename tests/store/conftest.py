"""One migrated database of each kind, and a store on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cds.store import Spool, Store, open_store
from cds.store.migrations import migrate
from tests import databases
from tests.postgres import Cluster, postgres, postgres_database, postgres_url_factory


__all__ = ["postgres", "postgres_database", "postgres_url_factory"]  # fixtures


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture(scope="session")
def postgres_template(postgres: Cluster) -> str:
    """A migrated database of PostgreSQL, to be copied."""
    url = postgres.new_database()
    migrate(url)
    return url


@pytest.fixture
def migrated(request: pytest.FixtureRequest, engine_url: str) -> str:
    """The URL of a database with all tables."""
    if engine_url.startswith("sqlite"):
        databases.migrated(Path(engine_url.removeprefix("sqlite:///")))
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        cluster.fill(engine_url, request.getfixturevalue("postgres_template"))
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
