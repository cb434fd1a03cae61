"""The steps that bring a database to today's tables (Alembic); shipped in the wheel."""
