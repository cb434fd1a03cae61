"""The tables of what was archived: each archiving, the entries in their chain, what was erased; and early changes."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from bot.sessions.columns import metadata, own_id

archive = Table(
    "archive",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id"), nullable=False),
    Column("team", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("key", Text, nullable=False),  # of the inbox row that asked for it
    Column("ticket_id", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    Column("file", Text),  # where the transcript is, once written
    Column("sha256", Text),
    Column("until", Text),  # messages with a ts up to this one belong to it, however late they come
    Column("entries", Integer),  # how long the chain was with this archiving in it, and what its last link was
    Column("head", Text),
    Column("written", Integer),  # how many entries of the chain are in the file for certain
    UniqueConstraint("session_id", "n"),
    UniqueConstraint("session_id", "key"),
    Index("ix_archive_ticket", "team", "workspace", "ticket_id"),
)

# The chain, only added to. An entry that another of the same entry_id took the place of has lost content and salt.
# n = 0 is not in the chain: the rest of the file, with one salt.
archive_entry = Table(
    "archive_entry",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("salt", Text),
    Column("content", Text),  # JSON
    UniqueConstraint("session_id", "n"),
)

# What was erased on somebody's request, by the ids that entries have in a transcript.
erased = Table(
    "erased",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    UniqueConstraint("session_id", "entry_id"),
)

# What became of messages whose own event has not come yet.
early = Table(
    "early",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("ts", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("edited_ts", Text),
    Column("deleted", Boolean, nullable=False),
    Column("at_s", BigInteger, nullable=False),  # when: seconds since 1970
    UniqueConstraint("session_id", "ts"),
)
