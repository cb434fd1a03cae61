"""The life of sessions: titles of their own, forks, hand-over briefs; and sessions that are planned."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name in ("titled_by", "parent_id", "fork_ts", "brief"):
        op.add_column("session", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("session", sa.Column("fork_turn", sa.Integer(), nullable=True))
    op.create_index("ix_archive_ticket", "archive", ["team", "workspace", "ticket_id"], unique=False)
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "planned",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("lane_id", big, nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.Column("start_key", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["lane_id"], ["thread.id"], name=op.f("fk_planned_lane_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned")),
        sa.UniqueConstraint("team", "key", name=op.f("uq_planned_team_key")),
    )
    op.create_index(op.f("ix_planned_lane_id"), "planned", ["lane_id"], unique=False)
    op.create_index("ix_planned_ticket", "planned", ["team", "workspace", "ticket_id"], unique=False)
