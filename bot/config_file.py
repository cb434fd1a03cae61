"""The YAML file of SCIOREX_CONFIG: what takes more than a line. Here the commands' names and the workspaces.

What agents may do stands in config_sections.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from bot.config_sections import CHANNEL_ID, Sections

KEYS = ("commands", "workspaces", *Sections.model_fields)
WORKSPACE_KEYS = ("folder", "channels", "default")
# It is kept in the database, in buttons and in files; people type it.
WORKSPACE_NAME = r"[a-z0-9][a-z0-9_-]{0,30}"


def _command(name: str) -> str:
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", name):
        raise ValueError("must be a slash and 1 to 31 small letters, digits, - or _")
    return name


CommandName = Annotated[str, AfterValidator(_command)]


class CommandNames(BaseModel):
    """What the slash commands are called here; the Slack app's manifest must say the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    link: CommandName = "/link"
    unlink: CommandName = "/unlink"
    ticket: CommandName = "/ticket"


@dataclass(frozen=True)
class WorkspaceEntry:
    """A ticket workspace as the file names it. `folder` holds .sciorex/; `channels` are ids of Slack's."""

    name: str
    folder: Path
    channels: tuple[str, ...] = ()
    default: bool = False


@dataclass(frozen=True)
class Config:
    """What the file says, as far as it can be read, and a sentence for each thing that is wrong with it."""

    commands: CommandNames = field(default_factory=CommandNames)
    workspaces: tuple[WorkspaceEntry, ...] = ()
    sections: Sections = field(default_factory=Sections)
    wrong: tuple[str, ...] = ()
    names_workspaces: bool = False  # whether it has the key, however wrong what stands there is


def read_config(file: Path) -> Config:
    """Reads the file; never raises. Folders in it are relative to the file's own."""
    try:
        text = file.read_text(encoding="utf-8")
        twice = list(_twice(yaml.compose(text, Loader=yaml.CSafeLoader)))
        content = yaml.load(text, Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return Config(wrong=(f"{file} cannot be read: {cause}",))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        return Config(wrong=(f"{file}, line {mark.line + 1 if mark else 1}: not valid YAML",))
    if content is None:
        return Config()
    known = ", ".join(KEYS)
    if not isinstance(content, dict):
        return Config(wrong=(f"{file} must hold keys and values; known: {known}",))
    wrong = [f"line {line}: the key {key} stands there twice" for line, key in twice]
    wrong += [f"the key {key} is not known; known: {known}" for key in content if key not in KEYS]
    commands, wrong_commands = _commands(content.get("commands") or {})
    workspaces, wrong_workspaces = _workspaces(content.get("workspaces"), file.parent)
    sections, wrong_sections = _sections(content)
    wrong += [*wrong_commands, *wrong_workspaces, *wrong_sections]
    named = content.get("workspaces") is not None
    return Config(commands, workspaces, sections, tuple(f"{file}: {one}" for one in wrong), named)


def sentences(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Pydantic's findings as (field, sentence); what was typed is left out, for it may be a secret."""
    for finding in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in finding["loc"])
        cause = finding.get("ctx", {}).get("error", "")
        yield where, str(cause) or finding["msg"].replace("Input should", "should")


def _commands(given: Any) -> tuple[CommandNames, list[str]]:
    try:
        commands = CommandNames.model_validate(given)
    except ValidationError as error:
        return CommandNames(), [f"commands.{name} {text}" for name, text in sentences(error)]
    twice = len({commands.link, commands.unlink, commands.ticket}) < 3
    return commands, ["two commands have the same name"] if twice else []


def _sections(content: dict[Any, Any]) -> tuple[Sections, list[str]]:
    """Each section as it stands there; one that is wrong has its defaults."""
    given = {key: content[key] for key in Sections.model_fields if content.get(key) is not None}
    try:
        return Sections.model_validate(given), []
    except ValidationError as error:
        wrong = list(sentences(error))
    right = {key: value for key, value in given.items() if all(where.split(".")[0] != key for where, _ in wrong)}
    return Sections.model_validate(right), [f"{where.removesuffix('.[key]')} {text}" for where, text in wrong]


def _workspaces(given: Any, base: Path) -> tuple[tuple[WorkspaceEntry, ...], list[str]]:
    """The workspaces that are right, in the file's order, and what is wrong with them and the others."""
    if given is None:
        return (), []
    if not isinstance(given, dict) or not given:
        return (), ["workspaces must hold a name for each, with its folder"]
    entries: list[WorkspaceEntry] = []
    wrong: list[str] = []
    for name, value in given.items():
        found = list(_wrong_with(name, value))
        wrong += found
        if not found:
            folder = base / Path(value["folder"]).expanduser()
            channels = tuple(dict.fromkeys(value.get("channels") or ()))
            entries.append(WorkspaceEntry(name, folder, channels, value.get("default") is True))
    wrong += _wrong_between(entries)
    defaults = [str(name) for name, value in given.items() if isinstance(value, dict) and value.get("default") is True]
    if len(given) == 1:
        entries = [replace(entry, default=True) for entry in entries]
    elif not defaults:
        wrong.append("none of the workspaces is the default; one needs default: true")
    elif len(defaults) > 1:
        wrong.append(f"workspaces {' and '.join(defaults)} each say default: true; only one can be")
    return tuple(entries), wrong


def _wrong_with(name: Any, value: Any) -> Iterator[str]:
    """What is wrong with one workspace, looked at by itself."""
    where = f"workspaces.{name}"
    if not isinstance(name, str) or not re.fullmatch(WORKSPACE_NAME, name):
        yield f"{where}: its name must be 1 to 31 small letters, digits, - or _ (in quotes, if it is a number)"
    if not isinstance(value, dict):
        yield f"{where} must hold a folder, and may hold channels and default"
        return
    for key in value:
        if key not in WORKSPACE_KEYS:
            yield f"{where}: the key {key} is not known; known: {', '.join(WORKSPACE_KEYS)}"
    folder = value.get("folder")
    if folder is None:
        yield f"{where} has no folder; name the one that holds .sciorex"
    elif not isinstance(folder, str) or not folder.strip() or "\0" in folder:
        yield f"{where}.folder must be the path of a folder"
    channels = value.get("channels")
    if channels is not None and not isinstance(channels, list):
        yield f"{where}.channels must be a list: [C0123456789]"
    for channel in channels if isinstance(channels, list) else ():
        if not isinstance(channel, str) or not re.fullmatch(CHANNEL_ID, channel):
            yield (
                f"{where}.channels: {channel} is no id of a channel (a name can change); Slack shows the id, such as "
                "C0123456789, at the bottom of the channel's details"
            )
    if not isinstance(value.get("default", False), bool):
        yield f"{where}.default must be true or false"


def _wrong_between(entries: list[WorkspaceEntry]) -> Iterator[str]:
    """What two workspaces may not share: a channel has one, and a folder is one."""
    owners: dict[str, str] = {}
    folders: dict[Path, str] = {}
    for entry in entries:
        for channel in entry.channels:
            if owners.setdefault(channel, entry.name) != entry.name:
                yield f"channel {channel} stands in workspaces.{owners[channel]} and in workspaces.{entry.name}"
        other = folders.setdefault(entry.folder.resolve(), entry.name)
        if other != entry.name:
            yield f"workspaces {other} and {entry.name} have the same folder"


def _twice(node: yaml.Node | None, depth: int = 0) -> Iterator[tuple[int, str]]:
    """The keys that stand twice in one mapping, with their lines; PyYAML would silently take the last."""
    if not isinstance(node, yaml.MappingNode) or depth > 3:
        return
    seen: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                yield key.start_mark.line + 1, key.value
            seen.add(key.value)
        yield from _twice(value, depth + 1)
