"""The table of reading marks: when a person last read a session in the viewer, or opened its thread from there."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, UniqueConstraint

from bot.sessions.columns import metadata, own_id

opened = Table(
    "opened",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id"), nullable=False),
    Column("user_id", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    UniqueConstraint("session_id", "user_id"),
)
