"""A connection to a fresh database, for functions that take one."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from bot.database import Database


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A transaction on a fresh database; what it changes is gone afterwards."""
    database = Database(database_url)
    with database.engine.connect() as connection:
        yield connection
    asyncio.run(database.close())
