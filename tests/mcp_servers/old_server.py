"""An MCP server from before 2026, by hand, for tests: `old_server.py [FLAW]`. Its tools ask in the middle of a call."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

FLAW = sys.argv[1] if len(sys.argv) > 1 else ""
OBJECT = {"type": "object", "properties": {}}
TOOLS: list[dict[str, Any]] = [
    {"name": "ask", "description": "Asks.", "inputSchema": OBJECT},
    {"name": "number", "description": "Its process.", "inputSchema": OBJECT},
    {"name": "bad.name", "inputSchema": OBJECT},
    {"name": "choice", "inputSchema": {"type": "object", "anyOf": [OBJECT]}},
    {"name": "nonsense", "inputSchema": {"type": "object", "properties": {"a": {"type": "no such type"}}}},
    {"name": "elsewhere", "inputSchema": {"type": "object", "properties": {"a": {"$ref": "https://example.com/a"}}}},
    {"name": "a" * 70, "inputSchema": OBJECT},
    {"name": "odd", "inputSchema": {"type": "object", "properties": {"a b": {"type": "string"}}}},
]


def say(**message: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def answer(message: dict[str, Any]) -> None:
    method, number = message["method"], message["id"]
    if method == "initialize":
        info = {"name": "old", "version": "1"}
        capabilities: dict[str, Any] = {"tools": {}}
        result = {"protocolVersion": "2025-06-18", "capabilities": capabilities, "serverInfo": info}
        say(id=number, result=result)
    elif method == "tools/list":
        say(id=number, result={"tools": TOOLS})
    elif method == "tools/call" and message["params"]["name"] == "number":
        say(id=number, result={"content": [{"type": "text", "text": str(os.getpid())}]})
    elif method == "tools/call" and FLAW == "hangs":
        time.sleep(3_600)
    elif method == "tools/call":
        say(
            id="q1",
            method="elicitation/create",
            params={"message": "Which color?", "requestedSchema": {"type": "object", "properties": {}}},
        )
        told = json.loads(sys.stdin.readline())
        said = told.get("result", {}).get("action", "nothing")
        say(id=number, result={"content": [{"type": "text", "text": f"I was told: {said}"}]})
    else:
        say(id=number, error={"code": -32601, "message": "Method not found"})


if FLAW == "dies at once":
    print("no license for token-123", file=sys.stderr)
    raise SystemExit(1)
for line in sys.stdin if __name__ == "__main__" else ():
    said = json.loads(line)
    if FLAW == "says nothing":
        continue
    if said.get("method") == "server/discover" and FLAW == "knows one greeting":
        raise SystemExit(2)
    if "id" in said:
        answer(said)
