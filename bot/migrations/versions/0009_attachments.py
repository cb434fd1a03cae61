"""Files of messages as the model is shown them, compactions of long threads, and what every answer cost."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
OWN_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    attachments()
    compactions()
    spending()
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in postgresql_triggers() if postgresql else sqlite_triggers():
        op.execute(statement)


def attachments() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", OWN_ID, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("message_id", OWN_ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("file_id", "name", "kind", "media_type", "content")),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        of_session("attachment"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_attachment_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("message_id", "file_id", name=op.f("uq_attachment_message_id_file_id")),
    )
    op.create_index("ix_attachment_session", "attachment", ["session_id"])


def compactions() -> None:
    op.create_table(
        "compaction",
        sa.Column("id", OWN_ID, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("turn_n", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("last_ts", "covers", "text", "model", "usage")),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        of_session("compaction"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compaction")),
        sa.UniqueConstraint("session_id", "turn_n", name=op.f("uq_compaction_session_id_turn_n")),
    )


def spending() -> None:
    op.create_table(
        "spent",
        sa.Column("id", OWN_ID, autoincrement=True, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("turn_id", OWN_ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("input", "output", "cache_read", "cache_write")),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        of_session("spent"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_spent_turn_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spent")),
    )
    op.create_index("ix_spent_session", "spent", ["session_id"])
    op.create_index("ix_spent_turn", "spent", ["turn_id"])
    op.create_index("ix_spent_day", "spent", ["team", "ms"])


def of_session(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["session_id"], ["session.id"], name=op.f(f"fk_{table}_session_id"), ondelete="CASCADE"
    )


# What a compaction may repeat was edited or deleted, in this session or in the one that it was forked from.
REPEATS = """DELETE FROM compaction WHERE (session_id = OLD.session_id AND last_ts >= OLD.ts)
    OR session_id IN (SELECT id FROM session WHERE parent_id = OLD.session_id AND fork_ts >= OLD.ts);"""
FILES_GO = "DELETE FROM attachment WHERE message_id = OLD.id;"


def sqlite_triggers() -> list[str]:
    return [
        f"""CREATE TRIGGER message_uncompacted AFTER UPDATE OF text, files, deleted_ms ON message
            WHEN OLD.text IS NOT NEW.text OR OLD.files IS NOT NEW.files OR OLD.deleted_ms IS NOT NEW.deleted_ms
            BEGIN {REPEATS} END""",
        f"""CREATE TRIGGER message_unattached AFTER UPDATE OF deleted_ms ON message
            WHEN NEW.deleted_ms IS NOT NULL BEGIN {FILES_GO} END""",
    ]


def postgresql_triggers() -> list[str]:
    return [
        f"""CREATE FUNCTION message_uncompacted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            {REPEATS}
            IF NEW.deleted_ms IS NOT NULL THEN {FILES_GO} END IF;
            RETURN NULL; END $$""",
        """CREATE TRIGGER message_uncompacted AFTER UPDATE OF text, files, deleted_ms ON message FOR EACH ROW
            WHEN (OLD.text IS DISTINCT FROM NEW.text OR OLD.files IS DISTINCT FROM NEW.files
                OR OLD.deleted_ms IS DISTINCT FROM NEW.deleted_ms) EXECUTE FUNCTION message_uncompacted()""",
    ]
