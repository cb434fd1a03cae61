"""Fixtures that every test may ask for."""

import os
from collections.abc import Generator, Iterator
from typing import Any

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


# Few tests that take long: first, so that no core is left alone with them at the end.
SLOW = ("crash/", "tickets/test_torture", "audience/", "test_demo", "benchmarks/", "slack/test_bad_input")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files begin; all else stays in its order."""
    items.sort(key=lambda item: not any(f"tests/{name}" in item.nodeid for name in SLOW))


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """What a test on another core has to say may hold half characters, which no wire takes: the run would end there."""
    return _whole((yield))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    return type(value)(map(_whole, value)) if isinstance(value, list | tuple) else value
