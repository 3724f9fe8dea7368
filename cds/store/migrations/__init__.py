"""Brings a database to this version's tables; run by `btce-cds migrate`, never by a request."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, make_url, select

from cds.store.engine import open_engine, sqlite_file, translated
from cds.store.errors import StoreDown


MIGRATION_WAIT_SECONDS = 30.0
_LOCK = 0x62746365  # of this service's migrations, among advisory locks of one database


def migrate(url: str) -> None:
    """Run the migrations that are missing, in one transaction; creates an SQLite file (mode 0600).

    Safe to run again and by several processes at once. Raises `StoreDown`, or `ValueError` for a
    URL that names no database this store runs on.
    """
    engine = open_engine(url, create=True, wait=MIGRATION_WAIT_SECONDS)
    if engine.dialect.name == "sqlite":
        _private(sqlite_file(make_url(url)))
    try:
        with translated(), engine.execution_options(writes=True).begin() as connection:
            if engine.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            command.upgrade(configuration(connection), "head")
    finally:
        engine.dispose()


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's settings: the migrations of this package, on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _private(path: Path) -> None:
    """An empty file that only its owner may read; SQLite gives its side files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        raise StoreDown("gone") from None
