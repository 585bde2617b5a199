"""Acts on the map, and the outbox that carries them to Label Studio."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("control", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("edits", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_act_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    op.create_index(op.f("ix_act_project_id_id"), "act", ["project_id", "id"], unique=False)
    op.create_table(
        "outbox_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("annotator", sa.String(), nullable=False),
        sa.Column("unique_id", sa.String(), nullable=False),
        sa.Column("annotation_id", sa.Integer(), nullable=True),
        sa.Column("base", sa.JSON(), nullable=True),
        sa.Column("there", sa.JSON(), nullable=True),
        sa.Column("wanted", sa.JSON(), nullable=True),
        sa.Column("aside", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("retry_at", sa.Double(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_until", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_outbox_entry_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_entry")),
        sa.UniqueConstraint("unique_id", name=op.f("uq_outbox_entry_unique_id")),
    )
    for columns in (["project_id", "state", "person_id"], ["project_id", "task_id"], ["project_id", "annotation_id"]):
        op.create_index(op.f("ix_outbox_entry_" + "_".join(columns)), "outbox_entry", columns, unique=False)
    op.create_table(
        "act_item",
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_act_item_act_id_act"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["outbox_entry.id"], name=op.f("fk_act_item_entry_id_outbox_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("act_id", "entry_id", name=op.f("pk_act_item")),
    )
    op.create_index(op.f("ix_act_item_entry_id"), "act_item", ["entry_id"], unique=False)
