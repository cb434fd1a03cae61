"""What was last seen of each ticket."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "seen_ticket",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("history", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen_ticket")),
        sa.UniqueConstraint("workspace", "ticket_id", name=op.f("uq_seen_ticket_workspace_ticket_id")),
    )
    op.create_table(
        "seen_workspace",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen_workspace")),
        sa.UniqueConstraint("workspace", name=op.f("uq_seen_workspace_workspace")),
    )
