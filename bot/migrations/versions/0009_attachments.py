"""Files of messages, as the model is shown them, and what turns were given."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing yet."""
