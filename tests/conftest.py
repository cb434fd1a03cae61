"""Fixtures that every test may ask for."""

import os
from collections.abc import Iterator

import pytest

from tests.postgres import database_url, postgres, postgres_url, sqlite_template, sqlite_url

__all__ = ["database_url", "postgres", "postgres_url", "sqlite_template", "sqlite_url"]


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Locks and catalogues of the workspaces that tests make lie in a folder that goes with them."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before
