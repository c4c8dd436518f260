"""What Alembic runs: the steps that a database lacks, all of them or none."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=context.config.attributes["tables"], transaction_per_migration=False
)
with context.begin_transaction():
    context.run_migrations()
