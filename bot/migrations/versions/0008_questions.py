"""Questions that wait for people, and what an agent may do in a session."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing yet."""
