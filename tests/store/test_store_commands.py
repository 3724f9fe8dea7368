"""The commands that look after the store: what they print, and what they refuse."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text, update

from cds import store_commands
from cds.store import Store, StoreDown, open_store
from cds.store.engine import writing
from cds.store.errors import ChainBroken
from cds.store.migrations import migrate
from cds.store.retention import remove_before
from cds.store.statements_kept import State, StatementRow, StatementsKept
from cds.store.tables import decisions
from cds.store.verify import heads, verify
from tests.postgres import Cluster
from tests.store.rows import NOW, answer, card, decision, uuid
from tests.store.test_chain import tampering


DAY = timedelta(days=1)
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def config(migrated: str, tmp_path: Path) -> Path:
    """A configuration whose store is the database of this test."""
    return configured(tmp_path / "btce.toml", migrated)


def configured(file: Path, url: str) -> Path:
    file.write_text(f"""
bind = "127.0.0.1:8090"
public_url = "http://127.0.0.1:8090"
auth = "off"
default_site = "north"
store = "{url}"

[sites.north]
fhir_base = "http://127.0.0.1:8080/fhir"
protocol = "us-label"
time_zone = "Europe/London"
""")
    return file


@pytest.fixture
def kept(store: Store) -> Store:
    """Two old decisions and a new one at site north, one at site south."""
    for name, age in (("a", 400), ("b", 300), ("c", 0)):
        store.record(decision(name, evaluated_at=NOW - age * DAY))
    store.record(decision("south", site="south"))
    return store


def lines(config: Path, *, noted: tuple[str, ...] = (), site: str | None = None) -> list[str]:
    return list(store_commands.verify_chain(config, {}, site=site, noted=noted))


def test_without_a_difference_the_heads_are_printed_and_can_be_given_back(
    config: Path, kept: Store
) -> None:
    printed = lines(config)

    assert [line.split(":")[:2] for line in printed] == [["north", "3"], ["south", "1"]]
    kept.record(decision("more"))
    assert len(lines(config, noted=tuple(printed))) == 2
    assert lines(config, site="south") == printed[1:]


def test_a_difference_is_a_line_and_a_failure_and_names_no_patient(
    config: Path, kept: Store
) -> None:
    noted = lines(config)
    with tampering(kept) as connection:
        one = decisions.c.id == uuid("b")
        connection.execute(update(decisions).where(one).values(patient="canary"))

    every = store_commands.verify_chain(config, {}, noted=tuple(noted))
    broken = [next(every), next(every)]
    with pytest.raises(ChainBroken, match=r"^1 differences"):
        next(every)
    assert broken[0] == f"north  2  decision {uuid('b')}  is not what was kept"
    assert broken[1].startswith("south:1:")
    assert "canary" not in str(broken)


@pytest.mark.parametrize("word", ["", "north", "north:1", "north:x:" + "0" * 64, "north:1:ABC"])
def test_what_is_no_head_is_refused(config: Path, word: str) -> None:
    with pytest.raises(ValueError, match=r"^--noted: "):
        lines(config, noted=(word,))


def test_a_noted_site_of_which_nothing_is_left_is_a_difference(config: Path, kept: Store) -> None:
    with pytest.raises(ChainBroken):
        lines(config, noted=("gone:3:" + "a" * 64,))


def test_what_was_removed_is_counted_by_site(config: Path, kept: Store) -> None:
    printed = list(store_commands.remove_old(config, {}, before=NOW - 90 * DAY, now=NOW))

    assert printed[0].startswith("north: 2 decisions, 0 feedback")
    assert printed[1].startswith("south: 0 decisions")
    assert len(lines(config)) == 2


def test_what_stays_of_the_statements_is_counted_and_their_site_needs_no_decision(
    config: Path, kept: Store
) -> None:
    old = NOW - 400 * DAY
    StatementsKept(kept).keep(
        [
            StatementRow(
                site="bedside",
                patient="p1",
                submission=state,
                position=0,
                kind="crs-grade",
                resource="{}",
                charted_at=old,
                state=state,
            )
            for state in get_args(State)
        ]
    )
    printed = list(store_commands.remove_old(config, {}, before=NOW - 90 * DAY, now=NOW))

    assert [line.partition(":")[0] for line in printed] == ["bedside", "north", "south"]
    assert ", 2 statements, 0 launches;" in printed[0]
    assert printed[0].endswith("; 3 old statements kept that are in no chart")
    assert "kept that are in no chart" not in printed[1]


def test_what_is_not_90_days_old_is_not_removed(config: Path, kept: Store) -> None:
    too_near = NOW - 90 * DAY + timedelta(seconds=1)
    with pytest.raises(ValueError, match=r"^--before: "):
        list(store_commands.remove_old(config, {}, before=too_near, now=NOW))
    assert len(list(kept.decisions())) == 4


def test_a_backup_and_its_restore_say_so(config: Path, kept: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert list(store_commands.back_up(config, {}, copy)) == [
        f"{copy}: {copy.stat().st_size} bytes"
    ]
    if kept.engine.dialect.name == "sqlite":
        other = configured(tmp_path / "other.toml", f"sqlite:///{tmp_path / 'other.db'}")
        assert list(store_commands.restore(other, {}, copy))
        assert lines(other) == lines(config)


@pytest.fixture
def accounts(postgres: Cluster, postgres_database: str) -> Iterator[tuple[str, str]]:
    """URLs of the owner and of the service, made as the documentation says."""
    with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute((EXAMPLES / "postgresql.sql").read_bytes())
        for role in ("btce_owner", "btce_service"):
            admin.execute(f"ALTER ROLE {role} PASSWORD '{postgres.password}'".encode())
        url = make_url(postgres_database)
        owner, service = (
            url.set(username=role).render_as_string(hide_password=False)
            for role in ("btce_owner", "btce_service")
        )
        yield owner, service
        admin.execute(b"DROP OWNED BY btce_service, btce_owner")
        admin.execute(b"DROP ROLE btce_service, btce_owner")


def test_an_account_that_only_serves_can_do_all_that_and_delete_nothing(
    accounts: tuple[str, str],
) -> None:
    owner, service = accounts
    migrate(owner)
    engine = create_engine(owner)
    with engine.begin() as connection:
        connection.execute(text((EXAMPLES / "postgresql-grants.sql").read_text()))
    engine.dispose()

    store = open_store(service)
    store.add_feedback([answer("early")], NOW)
    store.record(decision(cards=(card(), card("early", program="p"))))
    store.record(decision("old", evaluated_at=NOW - 400 * DAY))
    assert store.first_use("https://a", "id", NOW, NOW)
    assert store.forget_jwt_ids(NOW + DAY) == 1
    assert [list(verify(store, head.site)) for head in heads(store)] == [[]]
    deletes = "SET LOCAL btce.retention = 'on'; DELETE FROM decisions"
    with pytest.raises(StoreDown), writing(store.engine) as connection:
        connection.execute(text(deletes))
    with pytest.raises(StoreDown), writing(store.engine) as connection:
        connection.execute(text("DROP TRIGGER decisions_no_delete ON decisions"))
    store.close()

    owned = open_store(owner)
    assert remove_before(owned, NOW - DAY, site="north").decisions == 0  # behind a younger one
    owned.close()
