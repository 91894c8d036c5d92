"""Alembic runs this to carry out revisions on the connection that ``bring_up`` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from workbench.journal.migrations import VERSION_TABLE
from workbench.journal.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite has transactions for tables too; Alembic does not expect the driver to let us use them.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
