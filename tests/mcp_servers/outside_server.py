"""An MCP server of somebody else's, for tests: `outside_server.py FOLDER [PORT]`; FOLDER/did lists the calls."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.request_state import RequestStateSecurity
from mcp.types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequests,
    InputRequiredResult,
    ToolAnnotations,
)

FOLDER = Path(sys.argv[1])
KEPT = RequestStateSecurity(keys=["a key that outlives the process" * 2]) if "forgetful" not in os.environ else None
server = MCPServer("else", log_level="ERROR", request_state_security=KEPT)


def did(what: str) -> None:
    with (FOLDER / "did").open("a", encoding="utf-8") as lines:
        lines.write(f"{what}\n")


async def die_or_hang() -> None:
    """What FOLDER/next says: the first time."""
    order = FOLDER / "next"
    what = order.read_text() if order.exists() else ""
    order.unlink(missing_ok=True)
    if what == "die":
        os._exit(1)
    if what == "hang":
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            did("cancelled")
            raise


@server.tool()
async def deploy(where: str) -> str:
    """Puts it there."""
    did(f"deploy {where}")
    await die_or_hang()
    return f"It is on {where}."


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def look(at: str) -> str:
    """Looks at it."""
    did(f"look {at}")
    await die_or_hang()
    return f"I see {at}."


@server.tool()
def surroundings() -> str:
    """What it was started with."""
    return (
        "\n".join(f"{name}={value}" for name, value in sorted(os.environ.items()))
        + f"\ncwd={os.getcwd()}\npid={os.getpid()}"
    )


@server.tool()
def much() -> str:
    """A lot, with a sign that no database takes."""
    return "a\0" + "b" * 1_000_000


def question(message: str, field: str) -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": "string", "title": field}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


@server.tool()
def release(what: str, ctx: Context) -> str | InputRequiredResult:
    """Releases it, when a person says which version and which day."""
    given = ctx.input_responses or {}
    version, day = given.get("version"), given.get("day")
    if not isinstance(version, ElicitResult) or not isinstance(day, ElicitResult):
        asked: InputRequests = {
            "version": question("Which version?", "version"),
            "day": question("On which day?", "day"),
        }
        return InputRequiredResult(input_requests=asked, request_state=f"release of {what}")
    if version.action != "accept":
        return f"{version.action}d, {day.action}d"
    assert ctx.request_state == f"release of {what}"
    did(f"release {what}")
    return f"{what} {(version.content or {})['version']} on {(day.content or {})['day']}"


if __name__ == "__main__":
    if len(sys.argv) > 2:
        server.run("streamable-http", port=int(sys.argv[2]))
    else:
        server.run("stdio")
