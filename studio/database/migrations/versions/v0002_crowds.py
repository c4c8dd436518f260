"""Batches of photos about which several people are asked, and their answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "crowd_batches",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("task", sa.String(200), nullable=False),
        sa.Column("question", sa.String(300), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("answers_each", sa.Integer(), nullable=False),
    )
    op.create_table(
        "crowd_answers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("batch_id", sa.Integer(), sa.ForeignKey("crowd_batches.id"), nullable=False),
        sa.Column("item_id", sa.String(1000), nullable=False),
        sa.Column("worker", sa.String(100), nullable=False),
        sa.Column("answer", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint("batch_id", "item_id", "worker", name="uq_crowd_answers_batch_id_item_id_worker"),
    )
