"""The two accounts of the store, as compose.yaml and migrate.yaml make them on a new database."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psycopg
import pytest

from tests.docker.dockerfile import read
from tests.docker.manifests import DOCKER, ROOT
from tests.postgres import Cluster, binaries, cluster


pytestmark = pytest.mark.live

PASSWORDS = {"owner": "it's the owner's", "service": 'x"; DROP TABLE decisions; --'}


class Database(NamedTuple):
    """One database of a cluster, and the programs of the image in a folder."""

    server: Cluster
    folder: Path

    def url(self, account: str, scheme: str = "postgresql+psycopg") -> str:
        """For `owner` or `service`."""
        word = quote(PASSWORDS[account], safe="")
        return f"{scheme}://btce_{account}:{word}@127.0.0.1:{self.server.port}/btce_cds"

    def connect(self, account: str) -> "psycopg.Connection":
        return psycopg.connect(self.url(account, "postgresql"), autocommit=True)

    def run(self, program: str, *arguments: str, store: str = "") -> tuple[int, str]:
        """A program of the image with the URL in a file; its exit status and what it says."""
        secret = self.folder / "store"
        secret.write_text(store or self.url("owner"), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - this interpreter, a script of docker/image
            [sys.executable, str(self.folder / "image" / program), *arguments],
            env=os.environ | {"BTCE_STORE_FILE": str(secret)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A new server on which only the script of the postgres image's entry point has run."""
    folder = tmp_path_factory.mktemp("accounts")
    for source in read(DOCKER / "Dockerfile")[1][0].all("COPY")[-1].words[:-1]:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / "image", dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, folder / "image")
    for account, word in PASSWORDS.items():
        (folder / f"postgres-{account}").write_text(f"{word}\n", encoding="utf-8")
    with cluster() as server:
        server.execute("CREATE DATABASE btce_cds")
        found = binaries()
        assert found is not None
        environment = {
            "PATH": f"{found}:/usr/bin:/bin",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGPASSWORD": server.password,
            "POSTGRES_USER": "btce",
            "POSTGRES_DB": "btce_cds",
            "BTCE_PASSWORDS": str(folder),
            "BTCE_ACCOUNTS": str(ROOT / "docs/examples/postgresql.sql"),
        }
        script = str(DOCKER / "postgres/accounts.sh")
        done = subprocess.run(  # noqa: S603 - the script of the compose file
            ["/bin/sh", script], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        yield Database(server, folder)


@pytest.fixture(scope="module")
def migrated(database: Database) -> Database:
    """`migrate` by the owner, and no more."""
    config = database.folder / "site.toml"
    shutil.copy(ROOT / "docs/examples/site.toml", config)
    assert database.run("start.py", "migrate", "--config", str(config)) == (0, "")
    return database


REFUSED = [
    "DELETE FROM decisions",
    "UPDATE cards SET topic = ''",
    "DROP TABLE decisions",
    "CREATE TABLE mine (id integer)",
    "TRUNCATE chain",
]
ALLOWED = ["DELETE FROM inbox", "DELETE FROM jwt_ids", "SELECT count(*) FROM decisions"]


def test_the_serving_account_changes_what_it_may_only_after_the_grants(migrated: Database) -> None:
    with migrated.connect("service") as service:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute("DELETE FROM inbox")
        assert migrated.run("grants.py") == (0, "")
        for statement in ALLOWED:
            service.execute(statement.encode())
    assert migrated.run("grants.py") == (0, ""), "they may be made again"


@pytest.mark.parametrize("statement", REFUSED)
def test_the_serving_account_changes_nothing_that_was_kept(
    migrated: Database, statement: str
) -> None:
    assert migrated.run("grants.py") == (0, "")
    with (
        migrated.connect("service") as service,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        service.execute(statement.encode())


def test_whoever_is_not_the_owner_makes_no_grants(migrated: Database) -> None:
    status, said = migrated.run("grants.py", store=migrated.url("service"))
    assert status == 1
    assert said == "the grants were not made: 01007\n"  # privilege_not_granted


@pytest.mark.parametrize("store", ["sqlite:////x.db", "postgresql://somebody@127.0.0.1/x"])
def test_grants_need_the_url_of_a_postgresql_as_the_service_has_it(
    migrated: Database, store: str
) -> None:
    status, said = migrated.run("grants.py", store=store)
    assert status == 2
    assert said == "BTCE_STORE: must be postgresql+psycopg://...\n"


def test_a_database_that_does_not_answer_is_said_without_its_password(migrated: Database) -> None:
    url = "postgresql+psycopg://btce_owner:hidden-word@127.0.0.1:1/btce_cds"
    status, said = migrated.run("grants.py", store=url)
    assert status == 1
    assert said == "the grants were not made: OperationalError\n"
