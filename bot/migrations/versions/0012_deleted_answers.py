"""When somebody deleted an answer of the bot in Slack."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("turn", sa.Column("deleted_ms", sa.BigInteger(), nullable=True))
