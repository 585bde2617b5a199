"""Run by Alembic: migrates the connection that `ml_backend.store.migrate` hands over, in that transaction."""

from __future__ import annotations

from alembic import context

from ml_backend.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter a column: batch mode copies the table
)
context.run_migrations()
