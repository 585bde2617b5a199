"""Entries of the outbox say when they were wanted, and what was tried without an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_entry", sa.Column("wanted_at", sa.Double(), nullable=False, server_default="0"))
    op.add_column("outbox_entry", sa.Column("tried", sa.JSON(), nullable=False, server_default="[]"))
