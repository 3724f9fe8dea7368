"""Decisions, cards, feedback, JWT ids and acknowledgements."""

import sqlalchemy as sa
from alembic import op

from cds.store.instant import Instant


revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create the first tables."""
    _decisions()
    _cards()
    _feedback()
    _jwt_ids()
    _acknowledgements()


def downgrade() -> None:
    """Not offered: it would delete the records."""
    raise NotImplementedError


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, Instant(), nullable=False)


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(36), nullable=False),
        _text("site"),
        _text("patient"),
        _text("hook"),
        _text("hook_instance"),
        _text("service"),
        _instant("evaluated_at"),
        sa.Column("mode", sa.String(10), nullable=False),
        _text("protocol"),
        _text("knowledge_version"),
        sa.Column("knowledge_sha256", sa.String(64), nullable=False),
        _text("engine_version"),
        _text("source_commit"),
        _text("assessment"),
        sa.Column("cannot_evaluate", sa.Boolean(), nullable=False),
        _text("rules"),
        _text("inputs"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    _index("decisions", "evaluated_at")
    _index("decisions", "site", "patient", "evaluated_at")
    _index("decisions", "knowledge_sha256", "evaluated_at")


def _cards() -> None:
    op.create_table(
        "cards",
        sa.Column("decision", sa.String(36), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        _text("site"),
        _text("topic"),
        sa.Column("indicator", sa.String(10), nullable=False),
        _text("suggestions"),
        _text("program", nullable=True),
        sa.PrimaryKeyConstraint("decision", "uuid", name="pk_cards"),
        sa.ForeignKeyConstraint(["decision"], ["decisions.id"], name="fk_cards_decision"),
    )
    _index("cards", "site", "uuid")


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(64), nullable=False),
        _text("site"),
        _text("service"),
        _text("card"),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        _instant("at"),
        _instant("received_at"),
        _text("suggestions"),
        _text("reasons"),
        _text("comment"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
    )
    _index("feedback", "site", "card")


def _jwt_ids() -> None:
    op.create_table(
        "jwt_ids",
        sa.Column("iss_sha256", sa.String(64), nullable=False),
        sa.Column("jti_sha256", sa.String(64), nullable=False),
        _instant("until"),
        sa.PrimaryKeyConstraint("iss_sha256", "jti_sha256", name="pk_jwt_ids"),
    )
    _index("jwt_ids", "until")


def _acknowledgements() -> None:
    op.create_table(
        "acknowledgements",
        _text("site"),
        _text("patient"),
        _text("program"),
        _instant("at"),
        _text("card"),
        sa.PrimaryKeyConstraint(
            "site", "patient", "program", "at", "card", name="pk_acknowledgements"
        ),
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
