"""What the ticket server costs: `python -m benchmarks.mcp [--tickets 10000] [--calls 300]`.

Start-up beside what importing the SDK alone costs; calls over stdio beside those of a server with one empty tool, by
the same client, in turns; and what a model reads of the tools. Results are printed, not asserted.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles

from mcp import Client, StdioServerParameters

from benchmarks.workspace import make_workspace

ROOT = Path(__file__).parent.parent
EMPTY = """
from mcp.server import MCPServer
server = MCPServer("empty", log_level="ERROR")
@server.tool()
def nothing() -> str:
    return ""
server.run()
"""
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}
ALLOWED = {"start": 500.0, "get_ticket": 2.0, "change_status": 6.0}  # milliseconds more than the empty one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--starts", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_workspace(Path(folder), given.tickets)
        environment = {**os.environ, "SCIOREX_WORKSPACE": folder, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR"}
        print(f"{given.tickets:,} tickets, Python {sys.version.split()[0]}, {os.cpu_count()} processors\n")
        start_up(environment, given.starts)
        asyncio.run(calls(environment, given.calls))
        asyncio.run(tokens(environment))


def start_up(environment: dict[str, str], times: int) -> None:
    """From the start of a process to its end (the import alone) or to its first answer."""
    alone, ours, empty = [], [], []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "from mcp.server import MCPServer"], env=environment, check=True)
        alone.append((time.perf_counter() - began) * 1000)
        empty.append(first_answer(["-c", EMPTY], environment))
        ours.append(first_answer(["-m", "bot", "mcp"], environment))
    print(f"start-up, median of {times}, ms")
    print(f"  `from mcp.server import MCPServer` alone  {median(alone):8.0f}")
    print(f"  empty server, to its first answer         {median(empty):8.0f}")
    print(f"  python -m bot mcp, to its first answer    {median(ours):8.0f}", end="")
    print(f"  = {median(ours) - median(alone):+.0f} (allowed {ALLOWED['start']:+.0f})\n")


def first_answer(arguments: list[str], environment: dict[str, str]) -> float:
    """Milliseconds from the start of a server to its answer to `initialize`."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments], env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(json.dumps(HELLO).encode() + b"\n")
        server.stdin.flush()
        assert b'"result"' in server.stdout.readline()
        took = time.perf_counter() - began
        server.stdin.close()
    return took * 1000


async def calls(environment: dict[str, str], times: int) -> None:
    """The same client calls each server in turns, so that what slows the machine down slows all of them."""
    empty = StdioServerParameters(command=sys.executable, args=["-c", EMPTY], env=environment)
    ours = StdioServerParameters(command=sys.executable, args=["-m", "bot", "mcp"], env=environment, cwd=ROOT)
    async with Client(empty) as nothing, Client(ours) as server:
        began = time.perf_counter()
        await answer(server, "sciorex_list_tickets", limit=1)
        print(f"first list_tickets of the process: {(time.perf_counter() - began) * 1000:.0f} ms\n")
        planned = (await answer(server, "sciorex_list_tickets", status="planned", limit=500))["tickets"]
        ids = [ticket["id"] for ticket in planned][: max(1, min(times, 250))]
        took: dict[str, list[float]] = {"empty": [], "get_ticket": [], "change_status": [], "search": [], "list": []}
        for n in range(-20, times):
            ticket, to = ids[n % len(ids)], "in_progress" if (n // len(ids)) % 2 == 0 else "planned"
            for name, call in (
                ("empty", lambda: nothing.call_tool("nothing", {})),
                ("get_ticket", lambda t=ticket: answer(server, "sciorex_get_ticket", ticketId=t)),
                ("change_status", lambda t=ticket, s=to: answer(server, "sciorex_change_status", ticketId=t, status=s)),
                ("search", lambda: answer(server, "sciorex_search_tickets", query="webhook timeout")),
                ("list", lambda: answer(server, "sciorex_list_tickets", status="in_review")),
            ):
                if n >= 0 or name != "change_status":
                    took[name].append(await timed(call))
        report({name: values[20:] if name != "change_status" else values for name, values in took.items()})


def report(took: dict[str, list[float]]) -> None:
    base = median(took["empty"])
    print(
        f"calls over stdio, ms          median     p95    beside the empty tool ({len(took['empty'])} each, in turns)"
    )
    for name, values in took.items():
        allowed = f"  (allowed +{ALLOWED[name]:.0f})" if name in ALLOWED else ""
        beside = f"{median(values) - base:+6.2f}{allowed}" if name != "empty" else ""
        print(f"  {name:26} {median(values):8.2f} {quantiles(values, n=20)[-1]:7.2f}    {beside}")


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


async def answer(client: Client, name: str, **arguments: object) -> dict[str, list[dict[str, str]]]:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def tokens(environment: dict[str, str]) -> None:
    """Names, descriptions and input schemas, as bytes / 4."""
    print("\nwhat a model reads of the tools, in tokens (bytes / 4)")
    for extra, allowed in ((), 4_000), (("--core",), 1_700):
        arguments = ["-m", "bot", "mcp", *extra]
        server = StdioServerParameters(command=sys.executable, args=arguments, env=environment, cwd=ROOT)
        async with Client(server) as client:
            tools = (await client.list_tools()).tools
        shown = [{"name": t.name, "description": t.description, "inputSchema": t.input_schema} for t in tools]
        size = len(json.dumps(shown, separators=(",", ":")).encode()) / 4
        print(f"  {len(tools):2} tools {' '.join(extra):7} {size:6.0f} (allowed {allowed:,})")


if __name__ == "__main__":
    main()
