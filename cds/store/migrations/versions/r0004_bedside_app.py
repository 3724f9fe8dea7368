"""Launches of the bedside app, and what clinicians stated in it."""

import sqlalchemy as sa
from alembic import op

from cds.store.instant import Instant


revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "launches",
        sa.Column("id", sa.String(32), nullable=False),
        _text("site"),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _instant("touched_at"),
        _instant("ends_at"),
        sa.PrimaryKeyConstraint("id", name="pk_launches"),
    )
    op.create_index("ix_launches_ends_at", "launches", ["ends_at"])
    op.create_table(
        "statements",
        _text("site"),
        _text("patient"),
        sa.Column("submission", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("kind"),
        _text("resource"),
        _instant("charted_at"),
        sa.Column("state", sa.String(10), nullable=False),
        _instant("held_until", nullable=True),
        _text("ref"),
        _text("problem"),
        sa.PrimaryKeyConstraint("site", "patient", "submission", "position", name="pk_statements"),
    )
    op.create_index(
        "ix_statements_site_patient_charted_at", "statements", ["site", "patient", "charted_at"]
    )


def downgrade() -> None:
    """Not offered: it would delete what clinicians stated."""
    raise NotImplementedError


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, Instant(), nullable=nullable)
