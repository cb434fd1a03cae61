"""The tables of what can be found, and of summaries that are kept. All of it is derived and may be thrown away.

The full-text index itself is each database's own and stands in migration 0006: on SQLite the table `said_fts`, on
PostgreSQL the column `said.vector`. Triggers there take away what is no longer said, and note in `unindexed` what is
new, so that no feature can forget to; `bot.sessions.said.settle` takes it in before the change is committed.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from bot.sessions.columns import metadata, own_id, to

# The channels in which something was said, as numbers that stay when a channel's id changes: one channel may have
# several of them then. `said` keeps the number, so that what somebody may not see is passed over inside the index.
place = Table(
    "place",
    metadata,
    own_id(),
    Column("team", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Index("ix_place_channel", "team", "channel"),
)

said = Table(
    "said",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),  # message, step, archive, session: the table of the row that says it
    Column("of_id", Text, nullable=False),  # the id of that row
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    to("place", index=False),
    Column("ms", BigInteger, nullable=False),
    Column("words", Text, nullable=False),  # bot.sessions.terms: what is found and what is ranked
    UniqueConstraint("kind", "of_id"),
    Index("ix_said_place", "place_id", "id"),
    Index("ix_said_session", "session_id"),
)

unindexed = Table(
    "unindexed",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    Column("of_id", Text, nullable=False),
)

# What the model said when it was asked to sum up, until something new is said.
summary = Table(
    "summary",
    metadata,
    own_id(),
    Column("key", Text, nullable=False, unique=True),  # what it is of: a session; a ticket and the sessions of it
    Column("covers", Text, nullable=False),  # a hash of all that was said there then
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("usage", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
)

# A summary goes as soon as anything in one of its sessions is edited or deleted: it may repeat that.
summary_of = Table(
    "summary_of",
    metadata,
    own_id(),
    Column("summary_id", own_id().type, ForeignKey("summary.id", ondelete="CASCADE"), nullable=False),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("summary_id", "session_id"),
    Index("ix_summary_of_session", "session_id"),
)
