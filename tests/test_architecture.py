"""The plan of the house: imports point one way, libraries have homes, importing does nothing, parts stay small."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "bot").rglob("*.py"))

# What each part of bot/ may import of the others. The roots, where the parts meet, may import all of them.
BELOW = {
    "errors": set[str](),
    "tickets": {"errors"},
    "sessions": {"tickets", "errors", "database"},
    "inbox": {"sessions", "tickets", "errors", "database"},
    "definitions": {"errors"},
    "mcp_servers": {"definitions", "tickets", "errors", "config_sections"},
    "agent": {"mcp_servers", "definitions", "inbox", "sessions", "tickets", "errors", "database", "config_sections"},
    "slack": {
        *("agent", "mcp_servers", "definitions", "inbox", "sessions", "tickets", "errors", "database"),
        "config_sections",
    },
    "database": set[str](),
    "migrations": {"sessions"},
    "settings": {"errors", "config_file", "config_sections"},
    "config_file": {"config_sections"},
    "config_sections": set[str](),
    "logs": set[str](),
    "local_slack": set[str](),
    "local_model": set[str](),
    "archives": {"inbox", "sessions", "errors", "database", "settings"},
    "doctor": {
        "slack",
        "mcp_servers",
        "definitions",
        "sessions",
        "tickets",
        "errors",
        "database",
        "settings",
        "config_file",
        "doctor_agents",
    },
    "doctor_agents": {"agent", "mcp_servers", "definitions", "tickets", "errors", "settings", "config_sections"},
}
ROOTS = {"__main__", "app", "demo", "__init__"}
# Where an outside library may be imported.
HOMES = {
    "slack_bolt": {"slack", "app"},
    "slack_sdk": {"slack", "app"},
    "anthropic": {"agent"},
    "sqlalchemy": {"database", "sessions", "inbox", "migrations"},
    "alembic": {"database", "migrations"},
    "psycopg": {"database"},
    "yaml": {"tickets", "settings", "config_file", "definitions"},
    "mcp": {"mcp_servers", "agent"},
}
# The type of what db.write hands to a function; naming it is not SQL.
PASSED_THROUGH = {"sqlalchemy.Connection"}
DOES_SOMETHING = {
    "environ",
    "getenv",
    "open",
    "read_text",
    "read_bytes",
    "mkdir",
    "write_text",
    "print",
    "connect",
}
NO_EFFECT = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)
LINES_A_MODULE, LINES_A_FUNCTION = 300, 60


def name_of(module: Path) -> str:
    return str(module.relative_to(ROOT))


def part_of(module: Path) -> str:
    """The folder or file right below bot/ that a module belongs to."""
    return module.relative_to(ROOT / "bot").parts[0].removesuffix(".py")


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def imported(module: Path) -> Iterator[tuple[int, str]]:
    """Every name a module imports, inside functions too: the line, and the name with where it comes from."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(module)}:{node.lineno} imports relatively"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_every_part_of_the_bot_has_its_place_in_the_plan() -> None:
    assert {part_of(module) for module in MODULES} - BELOW.keys() - ROOTS == set()


def test_imports_point_one_way() -> None:
    wrong = [
        f"{name_of(module)}:{line} imports {name}"
        for module in MODULES
        if (part := part_of(module)) not in ROOTS
        for line, name in imported(module)
        if name.startswith("bot.") and name.split(".")[1] not in BELOW[part] | {part}
    ]
    assert wrong == []


def test_outside_libraries_are_used_in_their_homes_alone() -> None:
    wrong = [
        f"{name_of(module)}:{line} imports {name}"
        for module in MODULES
        for line, name in imported(module)
        if name not in PASSED_THROUGH and part_of(module) not in HOMES.get(name.split(".")[0], {part_of(module)})
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_importing_a_module_does_nothing(module: Path) -> None:
    if part_of(module) == "migrations" and module.name == "env.py":
        return  # Alembic runs this file to migrate
    wrong = []
    for node in tree_of(module).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        guard = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'")
        if not docstring and not guard and not isinstance(node, NO_EFFECT):
            wrong.append(f"{name_of(module)}:{node.lineno} is run at import")
        if isinstance(node, ast.Assign | ast.AnnAssign):
            names = {ast.unparse(inner).split(".")[-1] for inner in ast.walk(node) if isinstance(inner, ast.expr)}
            if names & DOES_SOMETHING:
                wrong.append(f"{name_of(module)}:{node.lineno} reads or writes at import")
    assert wrong == []


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_says_what_lives_there_and_stays_small(module: Path) -> None:
    tree = tree_of(module)
    assert (ast.get_docstring(tree) or "").strip(), f"{name_of(module)} opens without a docstring"
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= LINES_A_MODULE, f"{name_of(module)} has {lines} lines; it holds two things"
    if part_of(module) == "migrations":
        return  # a migration is one list of tables
    long = [
        f"{name_of(module)}:{node.lineno} {node.name} has {length} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LINES_A_FUNCTION
    ]
    assert long == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "manager", "misc"}
    assert [name_of(module) for module in MODULES if module.stem in drawers or part_of(module) in drawers] == []
