"""The map: places of items, and who watches them move."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "layout",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("publication_number", sa.Integer(), nullable=False),
        sa.Column("description_path", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("fitted_to", sa.String(), nullable=False),
        sa.Column("fitted_items", sa.Integer(), nullable=False),
        sa.Column("fitted_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_layout_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "number", name=op.f("pk_layout")),
    )
    op.create_table(
        "map_watch",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("watched_until", sa.Double(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("frame_path", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_map_watch_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_map_watch")),
    )
