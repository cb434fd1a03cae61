"""When a person last read a session."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "opened",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_opened_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opened")),
        sa.UniqueConstraint("session_id", "user_id", name=op.f("uq_opened_session_id_user_id")),
    )
