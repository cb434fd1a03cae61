"""The table of sessions that are planned: a title for a ticket's work, until somebody starts it."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from bot.sessions.columns import metadata, own_id, to

planned = Table(
    "planned",
    metadata,
    own_id(),
    Column("team", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    to("thread", "lane_id"),  # of the channel in which it was planned: who may see that, may see this
    Column("ticket_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),  # upcoming, starting, started, cancelled
    Column("key", Text, nullable=False),  # of the inbox row that asked for it, and which of its titles this is
    Column("by", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    Column("start_key", Text),  # of the inbox row that started it
    Column("session_id", Text),  # what became of it
    UniqueConstraint("team", "key"),
    Index("ix_planned_ticket", "team", "workspace", "ticket_id"),
)
