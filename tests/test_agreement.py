"""What must not drift apart: manifest and doors, README and settings, commands in documents and what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from bot.__main__ import main
from bot.config_file import CommandNames
from bot.settings import Settings, read_manifest, setting_names
from bot.slack.doors import DOORS, SCOPES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = read_manifest()
    return loaded


def shortcuts(manifest: dict[str, Any], kind: str) -> list[str]:
    return sorted(row["callback_id"] for row in manifest["features"]["shortcuts"] if row["type"] == kind)


def code_in(text: str) -> str:
    """The code of a Markdown text: fenced, indented and between backticks."""
    blocks = re.findall(r"```.*?```|^(?: {4,}.*\n)+|`[^`\n]+`", text, re.S | re.M)
    return "\n".join(blocks)


def test_the_manifest_declares_the_doors_that_are_registered(manifest: dict[str, Any]) -> None:
    declared = {
        "events": sorted(manifest["settings"]["event_subscriptions"]["bot_events"]),
        "commands": sorted(row["command"] for row in manifest["features"]["slash_commands"]),
        "message": shortcuts(manifest, "message"),
        "global": shortcuts(manifest, "global"),
    }
    assert declared == {
        "events": sorted(DOORS.events),
        "commands": sorted(DOORS.commands),
        "message": sorted(DOORS.message_shortcuts),
        "global": sorted(DOORS.global_shortcuts),
    }


def test_the_manifest_asks_for_the_scopes_that_are_used(manifest: dict[str, Any]) -> None:
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(SCOPES)


def test_the_manifest_switches_on_what_the_bot_relies_on(manifest: dict[str, Any]) -> None:
    settings = manifest["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}
    assert manifest["features"]["app_home"]["messages_tab_enabled"] is True
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True


def test_the_manifest_keeps_to_the_lengths_that_slack_allows(manifest: dict[str, Any]) -> None:
    assert len(manifest["display_information"]["description"]) <= 140
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300
    for row in manifest["features"]["shortcuts"]:
        assert len(row["name"]) <= 24
        assert len(row["description"]) <= 150
    for row in manifest["features"]["slash_commands"]:
        assert row["command"] == row["command"].lower()
        assert len(row["command"]) <= 32


def test_the_default_command_names_are_those_of_the_manifest() -> None:
    assert sorted(CommandNames().model_dump().values()) == sorted(DOORS.commands)


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", README, re.M))
    assert set(rows) == set(setting_names())
    for name, shown in rows.items():
        default = Settings.model_fields[name.lower()].default
        if isinstance(default, str):
            assert shown == f"`{default}`"


def test_the_example_file_names_settings_alone() -> None:
    names = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M)
    assert set(names) <= set(setting_names())


@pytest.mark.parametrize(
    "text", [README, (ROOT / "docs/operating.md").read_text(encoding="utf-8")], ids=["README", "operating"]
)
def test_commands_in_the_documents_exist(text: str) -> None:
    code = code_in(text)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"\bmake ([a-z]+)", code)) <= targets
    for name, rest in re.findall(r"\b(?:python -m bot|sciorex-slack) ([a-z]+)([^`#\n]*)", code):
        command = main.commands[name]
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z]+", rest)) <= options


def test_the_readme_names_every_command() -> None:
    assert set(main.commands) == set(re.findall(r"python -m bot ([a-z]+)", README))
    assert all(isinstance(command, click.Command) and command.help for command in main.commands.values())


def test_slash_commands_in_the_readme_are_declared() -> None:
    typed = set(re.findall(r"`(/[a-z]+)(?: [^`]*)?`", README))
    slacks_own = {"/invite"}
    assert typed - slacks_own == set(DOORS.commands)


def test_files_and_folders_that_the_readme_names_exist() -> None:
    named = re.findall(r"`((?:bot|docs|tests)/[\w./]*|[\w.]+\.(?:yml|lock|md))`|\]\(([\w./]+)\)", README)
    paths = {one or other for one, other in named}
    not_ours = {".mcp.json", "docs/thread.png"}
    assert [path for path in sorted(paths - not_ours) if not (ROOT / path).exists()] == []


def test_every_dependency_has_its_reason_in_the_decisions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[\[>]", requirement)[0] for requirement in wanted}
    reasons = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    assert sorted(name for name in names if f"**{name}**" not in reasons) == []


def test_the_lock_files_pin_everything_and_name_no_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for file, wanted in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-test.lock", project["dependencies"] + project["optional-dependencies"]["test"]),
    ):
        text = (ROOT / file).read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line]
        assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+(?: ; .+)?", line)] == []
        pinned = {line.split("==")[0] for line in lines}
        names = {re.split(r"[\[>]", requirement)[0].lower() for requirement in wanted}
        assert names - pinned == set()
