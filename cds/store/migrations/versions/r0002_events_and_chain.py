"""Inbox, cohort and subscriptions; what a decision was made from; the chain over what is kept."""

import sqlalchemy as sa
from alembic import op

from cds.store.instant import Instant


revision = "0002"
down_revision = "0001"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables and the column."""
    with op.batch_alter_table("decisions") as table:
        none = sa.text("x''" if op.get_bind().dialect.name == "sqlite" else "''")  # no bytes
        table.add_column(sa.Column("record", sa.LargeBinary(), nullable=False, server_default=none))
        table.add_column(sa.Column("crs_events", sa.Text()))
        table.add_column(sa.Column("icans_events", sa.Text()))
    with op.batch_alter_table("decisions") as table:
        table.alter_column("record", server_default=None)
    _chain()
    _inbox()
    _cohort()
    _subscriptions()


def downgrade() -> None:
    """Not offered: it would delete the records."""
    raise NotImplementedError


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, Instant(), nullable=nullable)


def _sha256(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _chain() -> None:
    op.create_table(
        "chain",
        _text("site"),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        _sha256("id"),
        _sha256("digest"),
        _sha256("link"),
        _key("chain", "site", "position"),
    )
    op.create_index("ix_chain_kind_id", "chain", ["kind", "id"])
    op.create_table(
        "chain_heads",
        _text("site"),
        _number("position"),
        _sha256("link"),
        _number("kept_from"),
        _sha256("kept_link"),
        _key("chain_heads", "site"),
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", _SERIAL, nullable=False),
        _text("site"),
        _text("source"),
        _text("event"),
        _text("patient"),
        _text("ref"),
        _instant("received_at"),
        _instant("done_at", nullable=True),
        sa.Column("decision", sa.String(36)),
        _key("inbox", "id"),
    )
    op.create_index("ux_inbox_site_source_event", "inbox", ["site", "source", "event"], unique=True)
    waiting = sa.text("done_at IS NULL")
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["site", "patient"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_inbox_done_at", "inbox", ["done_at"])
    op.create_table(
        "turns",
        _text("site"),
        _text("patient"),
        _instant("not_before"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _key("turns", "site", "patient"),
    )
    op.create_index("ix_turns_site_not_before_patient", "turns", ["site", "not_before", "patient"])


def _cohort() -> None:
    op.create_table(
        "watched",
        _text("site"),
        _text("patient"),
        _text("agent"),
        _instant("last_dose"),
        _instant("until"),
        _instant("seen_at"),
        _key("watched", "site", "patient"),
    )
    op.create_index("ix_watched_site_until", "watched", ["site", "until"])
    op.create_table(
        "told",
        _text("site"),
        _text("patient"),
        sa.Column("toxicity", sa.String(10), nullable=False),
        _instant("onset"),
        _text("said"),
        _text("ref"),
        _instant("at"),
        _key("told", "site", "patient", "toxicity", "onset"),
    )


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(36), nullable=False),
        _text("site"),
        _text("remote"),
        _text("patient"),
        _text("criteria"),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("content", sa.String(15), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("heartbeat_seconds", sa.Integer()),
        _instant("ends_at", nullable=True),
        _number("last_event"),
        _instant("heard_at"),
        _number("gap_from", nullable=True),
        _instant("gap_at", nullable=True),
        _text("missing"),
        _key("subscriptions", "id"),
    )
    op.create_index("ix_subscriptions_site_patient", "subscriptions", ["site", "patient"])
