"""The tables. What comes from Slack knows its team; times are milliseconds since 1970, Slack's ts are text."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from bot.sessions.archives.archive_tables import archive, archive_entry, early, erased
from bot.sessions.columns import Id, metadata, own_id, to
from bot.sessions.context_tables import attachment, compaction, spent
from bot.sessions.planned_table import planned
from bot.sessions.reading_table import opened
from bot.sessions.searching.said_tables import place, said, summary, summary_of, unindexed

__all__ = [
    "archive",
    "archive_entry",
    "attachment",
    "compaction",
    "early",
    "erased",
    "metadata",
    "opened",
    "place",
    "planned",
    "said",
    "spent",
    "summary",
    "summary_of",
    "unindexed",
]

worker = Table(
    "worker",
    metadata,
    Column("id", Text, primary_key=True),
    Column("beat_ms", BigInteger, nullable=False),
)

# A Slack thread, leased as a whole to one worker. thread_ts is '' for the channel itself: what happens in a
# channel outside any thread (commands, invitations) goes in order too.
thread = Table(
    "thread",
    metadata,
    own_id(),
    Column("team", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread_ts", Text, nullable=False),
    Column("ready_ms", BigInteger),
    Column("owner", Text),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("stop_ms", BigInteger),
    UniqueConstraint("team", "channel", "thread_ts"),
    Index(
        "ix_thread_ready",
        "ready_ms",
        sqlite_where=text("ready_ms IS NOT NULL"),
        postgresql_where=text("ready_ms IS NOT NULL"),
    ),
)

inbox = Table(
    "inbox",
    metadata,
    own_id(),
    Column("team", Text, nullable=False),
    Column("key", Text, nullable=False),
    to("thread"),
    Column("kind", Text, nullable=False),
    Column("order_ts", Text, nullable=False),  # Slack's ts, or our clock in the same form
    Column("body", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False, server_default="new"),  # new, done
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("turn_id", Id),
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("team", "key"),
    Index(
        "ix_inbox_new",
        "thread_id",
        sqlite_where=text("state = 'new'"),
        postgresql_where=text("state = 'new'"),
    ),
)

session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("thread_id", Id, ForeignKey("thread.id"), unique=True),
    Column("kind", Text, nullable=False),  # chat, agent
    Column("state", Text, nullable=False),  # see session.FOLLOWS
    Column("title", Text, nullable=False),
    Column("titled_by", Text),  # who gave it a title of its own; null: it has the words of its first message
    Column("parent_id", Text),  # the session that this one was forked from,
    Column("fork_ts", Text),  # after which message of it (Slack's ts),
    Column("fork_turn", Integer),  # and up to which of its turns
    Column("mode", Text),  # the permission mode that somebody chose: ask, edits, yolo; null: the settings' own
    Column("allowed", Text, nullable=False, server_default="[]"),  # JSON: tools that need not be asked about again
    Column("quiet", Boolean, nullable=False, server_default=text("false")),  # answers only when it is mentioned
    Column("brief", Text),  # what earlier sessions of the ticket decided, when it was started
    Column("agent", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

message = Table(
    "message",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id"), nullable=False),
    Column("team", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("user_id", Text, nullable=False),  # of the person, or of the other bot
    Column("name", Text, nullable=False),
    Column("bot", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("files", Text, nullable=False, server_default="[]"),  # JSON: [{name, url}]
    Column("edited_ts", Text),
    Column("deleted_ms", BigInteger),
    UniqueConstraint("session_id", "ts"),
)

link = Table(
    "link",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id"), nullable=False),
    Column("team", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("ticket_id", Text, nullable=False),
    Column("epic_id", Text),
    Column("n", Integer, nullable=False),
    Column("key", Text, nullable=False),  # of the inbox row that asked for it
    Column("linked_by", Text, nullable=False),
    Column("linked_ms", BigInteger, nullable=False),
    Column("end_key", Text),  # of the inbox row that ended it
    Column("unlinked_by", Text),
    Column("unlinked_ms", BigInteger),
    UniqueConstraint("session_id", "n"),
    Index("ix_link_ticket", "team", "workspace", "ticket_id"),
    Index(
        "ix_link_current",
        "session_id",
        unique=True,
        sqlite_where=text("unlinked_ms IS NULL"),
        postgresql_where=text("unlinked_ms IS NULL"),
    ),
)

reference = Table(
    "reference",
    metadata,
    own_id(),
    Column("session_id", Text, ForeignKey("session.id"), nullable=False),
    Column("team", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("ticket_id", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    UniqueConstraint("session_id", "ticket_id"),
)

turn = Table(
    "turn",
    metadata,
    own_id(),
    Column("key", Text, nullable=False, unique=True),
    Column("session_id", Text, ForeignKey("session.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("state", Text, nullable=False),  # running, waiting, answered, done, stopped, failed
    Column("asked_by", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("agent", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("receipt", Text),
    Column("usage", Text),
    Column("error", Text),
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("deleted_ms", BigInteger),  # when somebody deleted its answer in Slack
    UniqueConstraint("session_id", "n"),
)

step = Table(
    "step",
    metadata,
    own_id(),
    to("turn", index=False),
    Column("n", Integer, nullable=False),
    Column("role", Text, nullable=False),  # user: {"messages": [id]}; assistant: the content as it came
    Column("body", Text, nullable=False),
    Column("stop_reason", Text),
    Column("usage", Text),
    Column("ms", BigInteger, nullable=False),
    UniqueConstraint("turn_id", "n"),
)

tool_call = Table(
    "tool_call",
    metadata,
    own_id(),
    to("turn", index=False),
    Column("step_n", Integer, nullable=False),
    Column("i", Integer, nullable=False),
    Column("op", Text, nullable=False, unique=True),
    Column("tool_use_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("state", Text, nullable=False),  # planned, started, waiting, done, unknown, cancelled
    Column("result", Text),
    Column("is_error", Boolean, nullable=False, server_default=text("false")),
    Column("before", Text),  # JSON: the ticket that it may change, as it was when it started
    Column("started_ms", BigInteger),
    Column("ended_ms", BigInteger),
    UniqueConstraint("turn_id", "step_n", "i"),
)

# What the agent needs of a person before a tool call can go on: an approval, or an answer. `n` counts how often the
# same call was asked about, since what it would change may have changed meanwhile.
question = Table(
    "question",
    metadata,
    Column("id", Text, primary_key=True),  # opaque: it stands in buttons
    to("tool_call", index=False),
    Column("n", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # approval, ask, request, elicitation
    Column("shown", Text, nullable=False),  # JSON: what the card shows, and the revision that it is bound to
    Column("who_may", Text, nullable=False),  # JSON: user ids, and `members`
    Column("state", Text, nullable=False),  # open, answered, superseded, expired
    Column("answer", Text),  # JSON
    Column("by", Text),
    Column("at_ms", BigInteger),
    Column("asked_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    UniqueConstraint("tool_call_id", "n"),
)

# The ticket workspace that a person chose for direct messages and App Home; the newest holds.
choice = Table(
    "choice",
    metadata,
    own_id(),
    Column("team", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("ms", BigInteger, nullable=False),
    Index("ix_choice_person", "team", "user_id"),
)

# The ids that a channel had before (Slack: channel_id_changed), for settings that still say the old one.
moved = Table(
    "moved",
    metadata,
    Column("team", Text, primary_key=True),
    Column("old", Text, primary_key=True),
    Column("new", Text, nullable=False),
)

# Messages that are to exist, not calls to make: header, notices and answers alike.
post = Table(
    "post",
    metadata,
    own_id(),
    Column("key", Text, nullable=False, unique=True),  # goes into the message's metadata: opaque
    to("thread"),
    to("turn", null=True, index=False),
    Column("role", Text, nullable=False),  # header, answer, notice, root
    Column("part", Integer, nullable=False, server_default="0"),
    Column("ts", Text),
    Column("trying_ms", BigInteger),
    Column("want", Text),  # JSON {text, blocks}; null until it is known what it shall say
    Column("want_rev", Integer, nullable=False, server_default="0"),
    Column("shown_rev", Integer, nullable=False, server_default="0"),
    Column("retry_ms", BigInteger),
    Column("error", Text),
    UniqueConstraint("turn_id", "role", "part"),
    UniqueConstraint("thread_id", "ts"),
)

seen_ticket = Table(
    "seen_ticket",
    metadata,
    own_id(),
    Column("workspace", Text, nullable=False),
    Column("ticket_id", Text, nullable=False),
    Column("digest", Text, nullable=False),  # of the ticket's file
    Column("fields", Text, nullable=False),  # JSON: {key: value}
    Column("history", Integer, nullable=False),  # how many lines
    UniqueConstraint("workspace", "ticket_id"),
)

seen_workspace = Table(
    "seen_workspace",
    metadata,
    own_id(),
    Column("workspace", Text, nullable=False, unique=True),
)
