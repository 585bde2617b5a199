"""Training runs: stopped by hand, measured, brought back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("training_run", sa.Column("stop_requested_at", sa.Double(), nullable=True))
    op.add_column("training_run", sa.Column("effect", sa.JSON(), nullable=True))
    op.add_column("training_run", sa.Column("model_path", sa.String(), nullable=True))
