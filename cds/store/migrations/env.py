"""Alembic runs this file: the migrations on the connection that `migrate` opened."""

from alembic import context

from cds.store.tables import metadata


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
