"""A fresh database behind its door."""

from collections.abc import AsyncIterator

import pytest

from bot.database import Database


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()
