"""Reads the flows of a workspace, .sciorex/flows/**/*.json (or YAML), as they are drawn; nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.definitions.reading import Invalid, Problem, read_folder, text_of

FOLDER, ENDINGS = ".sciorex/flows", (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Flow:
    """A flow as its file draws it: `nodes` and `edges` as they stand there, whatever their types are."""

    id: str
    name: str
    description: str = ""
    nodes: tuple[Mapping[str, Any], ...] = ()
    edges: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Flows:
    """The workspace's flows by id, and the files that are none; `files` as those of agents."""

    by_id: Mapping[str, Flow]
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)


def read_flows(folder: Path) -> Flows:
    """The flows of the workspace in `folder`; no folder of flows means none.

    Two files with one id are both named as a problem, and neither is taken.
    """
    found = read_folder(folder, FOLDER, ENDINGS, "flow", flow_from)
    return Flows(found.by_id, found.problems, found.files)


def flow_from(raw: Mapping[str, Any]) -> Flow:
    """What a file's keys and values draw; raises Invalid."""
    flow_id = text_of(raw, "id")
    if not flow_id:
        raise Invalid("it has no id")
    return Flow(
        id=flow_id,
        name=text_of(raw, "name") or flow_id,
        description=text_of(raw, "description"),
        nodes=_mappings(raw, "nodes"),
        edges=_mappings(raw, "edges"),
    )


def _mappings(raw: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
    value = raw.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Invalid(f"{key} is not a list of mappings")
    return tuple(value)
