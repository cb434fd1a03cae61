"""Questions that wait for people, and what an agent may do in a session."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
OWN_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_table("question")  # nothing was ever asked with it
    op.create_table(
        "question",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tool_call_id", OWN_ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("who_may", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=True),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tool_call_id"], ["tool_call.id"], name=op.f("fk_question_tool_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("tool_call_id", "n", name=op.f("uq_question_tool_call_id_n")),
    )
    op.add_column("session", sa.Column("mode", sa.Text(), nullable=True))
    op.add_column("session", sa.Column("allowed", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("tool_call", sa.Column("before", sa.Text(), nullable=True))
