"""The tables of what the model is given beside words, and of what it cost: files, compactions, tokens spent."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from bot.sessions.columns import Id, metadata, own_id

# A file of a message as it was fetched from Slack, once; or why the model is not shown it. It goes with its message:
# triggers see to that (migration 0009).
attachment = Table(
    "attachment",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", Id, ForeignKey("message.id", ondelete="CASCADE"), nullable=False),
    Column("file_id", Text, nullable=False),  # Slack's
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # image, pdf, text; refused: `content` says why
    Column("media_type", Text, nullable=False),
    Column("content", Text, nullable=False),  # base64, or a text
    Column("size", Integer, nullable=False),  # bytes
    Column("ms", BigInteger, nullable=False),
    UniqueConstraint("message_id", "file_id"),
    Index("ix_attachment_session", "session_id"),
)

# What stands before the model in place of a session's turns up to this one. The transcript keeps them all.
compaction = Table(
    "compaction",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("turn_n", Integer, nullable=False),
    Column("last_ts", Text, nullable=False),  # of the newest message in it: edits of later ones do not matter
    Column("covers", Text, nullable=False),  # a hash of what it was made of
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("usage", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    UniqueConstraint("session_id", "turn_n"),
)

# Tokens, one row for each answer of the model. Summaries of several sessions belong to none of them.
spent = Table(
    "spent",
    metadata,
    own_id(),
    Column("team", Text, nullable=False),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE")),
    Column("turn_id", Id, ForeignKey("turn.id", ondelete="CASCADE")),
    Column("kind", Text, nullable=False),  # step, summary, compaction
    Column("model", Text, nullable=False),
    Column("input", Integer, nullable=False),  # without what came from the cache or went into it
    Column("output", Integer, nullable=False),
    Column("cache_read", Integer, nullable=False),
    Column("cache_write", Integer, nullable=False),
    Column("ms", BigInteger, nullable=False),
    Index("ix_spent_session", "session_id"),
    Index("ix_spent_turn", "turn_id"),
    Index("ix_spent_day", "team", "ms"),
)
