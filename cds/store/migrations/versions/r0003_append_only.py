"""Triggers that keep what is kept; rows from before the chain are linked to it, oldest first."""

from alembic import op

from cds.store import append_only, chain_rows


revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the triggers, and the rows that are there to the chain."""
    connection = op.get_bind()
    chain_rows.append_unlinked(connection)
    append_only.install(connection)


def downgrade() -> None:
    """Not offered: what is kept would not be kept any more."""
    raise NotImplementedError
