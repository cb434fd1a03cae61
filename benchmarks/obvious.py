"""The obvious program, to compare with: it loads all files with the C loader into a list, and scans the list."""

from pathlib import Path
from typing import Any

import yaml


def load(folder: Path) -> list[dict[str, Any]]:
    """Every ticket of a workspace, as the YAML library gives it."""
    tickets = []
    for path in sorted((folder / ".sciorex" / "tickets").iterdir()):
        with path.open(encoding="utf-8") as file:
            tickets.append(yaml.load(file, Loader=yaml.CSafeLoader))
    return tickets


def search(tickets: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """The tickets with a text in id, title or description, in any case, latest first; archived ones left out."""
    wanted = query.lower()
    found = [
        ticket
        for ticket in tickets
        if not ticket.get("archived")
        and (
            wanted in ticket["id"].lower()
            or wanted in ticket["title"].lower()
            or wanted in (ticket.get("description") or "").lower()
        )
    ]
    return latest_first(found)


def filtered(tickets: list[dict[str, Any]], **fields: str) -> list[dict[str, Any]]:
    """The tickets whose fields are these (`labels` names one of several), latest first; archived ones left out."""
    found = [ticket for ticket in tickets if not ticket.get("archived") and _fits(ticket, fields)]
    return latest_first(found)


def latest_first(tickets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By the time of the last change, whether YAML gave a text or a time."""
    return sorted(tickets, key=lambda ticket: str(ticket.get("updatedAt") or ticket.get("createdAt")), reverse=True)


def _fits(ticket: dict[str, Any], fields: dict[str, str]) -> bool:
    return all(
        value in (ticket.get("labels") or []) if key == "labels" else ticket.get(key) == value
        for key, value in fields.items()
    )
