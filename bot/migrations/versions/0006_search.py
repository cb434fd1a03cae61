"""What follows is being made."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
