"""Triggers that refuse to change or delete what is kept; retention alone goes past them, marked.

They hold up a slip and a careless statement. Who owns the database can take them away: that is what
the chain is for, and a service account that does not own it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from cds.store.tables import cards, chain, decisions, feedback


_LATER = {feedback.c.known}  # found out later
_FIXED = {
    table.name: tuple(column.name for column in table.columns if column not in _LATER)
    for table in (decisions, cards, chain, feedback)
}
_REFUSED = "what is kept is neither changed nor deleted"
_MARK = "btce.retention"  # a setting of one transaction

_POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION btce_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('{_MARK}', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'restrict_violation';
END
$$
"""


def install(connection: Connection) -> None:
    """Create the triggers; for a migration, and again after one that makes a table anew."""
    statements = _sqlite() if connection.dialect.name == "sqlite" else _postgresql()
    for statement in statements:
        connection.exec_driver_sql(statement)


@contextmanager
def deleting(connection: Connection) -> Iterator[None]:
    """Within: rows may be deleted, in this transaction alone. For `retention`."""
    if connection.dialect.name == "sqlite":
        for name in _FIXED:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}_no_delete")
        yield
        for statement in _sqlite_deletes():
            connection.exec_driver_sql(statement)
    else:
        connection.exec_driver_sql(f"SET LOCAL {_MARK} = 'on'")
        yield
        connection.exec_driver_sql(f"SET LOCAL {_MARK} = 'off'")


def _sqlite() -> Iterator[str]:
    for name, columns in _FIXED.items():
        yield f"DROP TRIGGER IF EXISTS {name}_no_update"
        yield (
            f"CREATE TRIGGER {name}_no_update BEFORE UPDATE OF {_listed(columns)} ON {name}"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
        yield f"DROP TRIGGER IF EXISTS {name}_no_delete"
    yield from _sqlite_deletes()


def _sqlite_deletes() -> Iterator[str]:
    for name in _FIXED:
        yield (
            f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name}"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )


def _postgresql() -> Iterator[str]:
    yield _POSTGRESQL_FUNCTION
    run = "EXECUTE FUNCTION btce_append_only()"
    for name, columns in _FIXED.items():
        yield f"DROP TRIGGER IF EXISTS {name}_no_update ON {name}"
        yield (
            f"CREATE TRIGGER {name}_no_update BEFORE UPDATE OF {_listed(columns)} ON {name}"
            f" FOR EACH ROW {run}"
        )
        yield f"DROP TRIGGER IF EXISTS {name}_no_delete ON {name}"
        yield f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} FOR EACH ROW {run}"
        yield f"DROP TRIGGER IF EXISTS {name}_no_truncate ON {name}"
        yield f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} {run}"


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
