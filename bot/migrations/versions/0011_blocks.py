"""The words' index on PostgreSQL knows blocks of ids and beginnings of words, to be asked for the newest hits alone."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Blocks stand in the index as @12.7 and the like, the first three and four letters of a word as ^wor and ^word.

    No word can be such a one. They are not in the rows.
    """
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(
        """CREATE FUNCTION when_vector(vector tsvector, id bigint) RETURNS tsvector
            LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT vector || array_to_tsvector(ARRAY[
                '@12.' || (id >> 12), '@14.' || (id >> 14), '@16.' || (id >> 16),
                '@18.' || (id >> 18), '@20.' || (id >> 20), '@22.' || (id >> 22)]
                || array_agg('^' || left(word, 3)) FILTER (WHERE length(word) > 2)
                || array_agg('^' || left(word, 4)) FILTER (WHERE length(word) > 3))
            FROM unnest(tsvector_to_array(vector)) AS one (word) $$"""
    )
    op.execute("DROP INDEX ix_said_vector")
    op.execute("CREATE INDEX ix_said_vector ON said USING gin (when_vector(vector, id)) WITH (fastupdate = off)")
