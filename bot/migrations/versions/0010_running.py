"""How a session runs: only when mentioned."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("session", sa.Column("quiet", sa.Boolean(), nullable=False, server_default=sa.false()))
