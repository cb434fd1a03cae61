"""What can be found of all that was said, and summaries that are kept until something new is said."""

import sqlalchemy as sa
from alembic import op

from bot.sessions.searching.said import settle

revision = "0006"
down_revision = "0005"

# What is found, by table: the columns whose change makes it something else, and which rows count.
SOURCES = {
    "message": (("text", "files", "deleted_ms"), "NEW.deleted_ms IS NULL"),
    "step": (("body",), "NEW.role = 'assistant'"),
    "archive": (("note",), "NEW.note <> ''"),
    "session": (("title",), "NEW.thread_id IS NOT NULL"),
}
# In order of time, so that the newest have the highest numbers.
BACKLOG = """
    INSERT INTO unindexed (kind, of_id)
    SELECT kind, of_id FROM (
        SELECT 'message' AS kind, CAST(id AS TEXT) AS of_id, CAST(CAST(ts AS NUMERIC) * 1000 AS BIGINT) AS ms
        FROM message WHERE deleted_ms IS NULL
        UNION ALL SELECT 'step', CAST(id AS TEXT), ms FROM step WHERE role = 'assistant'
        UNION ALL SELECT 'archive', CAST(id AS TEXT), ms FROM archive
        UNION ALL SELECT 'session', id, started_ms FROM session
    ) AS everything ORDER BY ms
"""


def upgrade() -> None:
    tables()
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in sqlite_index() if on_sqlite else postgresql_index():
        op.execute(statement)
    op.execute(BACKLOG)
    settle(op.get_bind())


def tables() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "place",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
    )
    op.create_index("ix_place_channel", "place", ["team", "channel"])
    op.create_table(
        "said",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("of_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("place_id", big, nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_said_session_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_said_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_said")),
        sa.UniqueConstraint("kind", "of_id", name=op.f("uq_said_kind_of_id")),
    )
    op.create_index("ix_said_place", "said", ["place_id", "id"])
    op.create_index("ix_said_session", "said", ["session_id"])
    op.create_table(
        "unindexed",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("of_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unindexed")),
    )
    op.create_table(
        "summary",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("covers", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("usage", sa.Text(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summary")),
        sa.UniqueConstraint("key", name=op.f("uq_summary_key")),
    )
    op.create_table(
        "summary_of",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("summary_id", big, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["summary_id"], ["summary.id"], name=op.f("fk_summary_of_summary_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_summary_of_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summary_of")),
        sa.UniqueConstraint("summary_id", "session_id", name=op.f("uq_summary_of_summary_id_session_id")),
    )
    op.create_index("ix_summary_of_session", "summary_of", ["session_id"])


def sqlite_index() -> list[str]:
    """FTS5 over `said`, which holds the texts: the words are taken apart already, so at spaces alone."""
    index = [
        """CREATE VIRTUAL TABLE said_fts USING fts5(
            words, place_id, content='said', content_rowid='id', tokenize='ascii', prefix='3 4', columnsize=0)""",
        """CREATE TRIGGER said_in AFTER INSERT ON said BEGIN
            INSERT INTO said_fts (rowid, words, place_id) VALUES (NEW.id, NEW.words, NEW.place_id); END""",
        """CREATE TRIGGER said_out AFTER DELETE ON said BEGIN
            INSERT INTO said_fts (said_fts, rowid, words, place_id)
            VALUES ('delete', OLD.id, OLD.words, OLD.place_id); END""",
        """CREATE TRIGGER thread_moved AFTER UPDATE OF channel ON thread BEGIN
            UPDATE place SET channel = NEW.channel WHERE team = OLD.team AND channel = OLD.channel; END""",
    ]
    for table, (columns, counts) in SOURCES.items():
        differs = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
        note = f"INSERT INTO unindexed (kind, of_id) SELECT '{table}', NEW.id WHERE {counts};"
        gone = f"DELETE FROM said WHERE kind = '{table}' AND of_id = CAST(OLD.id AS TEXT);"
        if table == "message":
            gone += f" {SUMMARIES_GO};"
        index += [
            f"CREATE TRIGGER {table}_said AFTER INSERT ON {table} BEGIN {note} END",
            f"CREATE TRIGGER {table}_resaid AFTER UPDATE OF {', '.join(columns)} ON {table} WHEN {differs} "
            f"BEGIN {gone} {note} END",
            f"CREATE TRIGGER {table}_unsaid AFTER DELETE ON {table} BEGIN {gone} END",
        ]
    return index


def postgresql_index() -> list[str]:
    """A tsvector made of the words as they are: none of PostgreSQL's parsers and languages has a say.

    The place is in it as #12, which no word can be, so that the index finds a common word in a small channel.
    """
    index = [
        """CREATE FUNCTION words_vector(words text, place bigint) RETURNS tsvector
            LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT coalesce(string_agg(quote_literal(word) || ':' || n, ' '), '')::tsvector
                || array_to_tsvector(ARRAY['#' || place])
            FROM unnest(string_to_array(words, ' ')) WITH ORDINALITY AS one (word, n) WHERE word <> '' $$""",
        "ALTER TABLE said ADD COLUMN vector tsvector GENERATED ALWAYS AS (words_vector(words, place_id)) STORED",
        "CREATE INDEX ix_said_vector ON said USING gin (vector) WITH (fastupdate = off)",
        """CREATE FUNCTION thread_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE place SET channel = NEW.channel WHERE team = OLD.team AND channel = OLD.channel;
            RETURN NULL; END $$""",
        """CREATE TRIGGER thread_moved AFTER UPDATE OF channel ON thread FOR EACH ROW
            WHEN (OLD.channel IS DISTINCT FROM NEW.channel) EXECUTE FUNCTION thread_moved()""",
    ]
    for table, (columns, counts) in SOURCES.items():
        differs = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
        summaries = f"{SUMMARIES_GO};" if table == "message" else ""
        index += [
            f"""CREATE FUNCTION {table}_said() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF TG_OP <> 'INSERT' THEN
                    DELETE FROM said WHERE kind = '{table}' AND of_id = OLD.id::text;
                    {summaries}
                END IF;
                IF TG_OP <> 'DELETE' THEN
                    IF {counts} THEN INSERT INTO unindexed (kind, of_id) VALUES ('{table}', NEW.id::text); END IF;
                END IF;
                RETURN NULL; END $$""",
            f"CREATE TRIGGER {table}_said AFTER INSERT OR DELETE ON {table} FOR EACH ROW "
            f"EXECUTE FUNCTION {table}_said()",
            f"CREATE TRIGGER {table}_resaid AFTER UPDATE OF {', '.join(columns)} ON {table} FOR EACH ROW "
            f"WHEN ({differs}) EXECUTE FUNCTION {table}_said()",
        ]
    return index


SUMMARIES_GO = "DELETE FROM summary WHERE id IN (SELECT summary_id FROM summary_of WHERE session_id = OLD.session_id)"
