"""`python -m bot mcp`: the sciorex-tickets server as a process of its own, over stdio or HTTP."""

import asyncio
import logging
import signal
import socket
import threading

from mcp.server import MCPServer

from bot.errors import BotError
from bot.mcp_servers.reads import Reads
from bot.mcp_servers.stdio import serve_stdio
from bot.mcp_servers.tickets import ticket_server
from bot.tickets.store import TicketStore

HOST, PATH = "127.0.0.1", "/mcp"
LAST_ANSWERS = 3  # seconds for what is in work when the end comes
log = logging.getLogger(__name__)


class PortTaken(BotError):
    """The port cannot be listened on."""


def serve(store: TicketStore, *, core: bool = False, port: int | None = None) -> None:
    """Serves until the input ends (stdio) or SIGTERM or SIGINT comes; raises PortTaken.

    Edits made outside are followed from the start on, beside the first requests.
    """
    threading.Thread(target=_follow, args=(store,), name="tickets-follow", daemon=True).start()
    try:
        asyncio.run(_serve(ticket_server(store, core=core), port))
    finally:
        store.close()


async def _serve(server: MCPServer[Reads], port: int | None) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if port is None:
        await serve_stdio(server, stop)
    else:
        await _serve_http(server, port, stop)


async def _serve_http(server: MCPServer[Reads], port: int, stop: asyncio.Event) -> None:
    """Streamable HTTP for programs of this machine: other names in Host or Origin are refused by the SDK."""
    import uvicorn

    listener = _listener(port)
    app = server.streamable_http_app(streamable_http_path=PATH, host=HOST)
    web = uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_keep_alive=60, timeout_graceful_shutdown=LAST_ANSWERS
        )
    )
    serving = asyncio.create_task(web._serve([listener]))
    stopping = asyncio.create_task(stop.wait())
    log.info("sciorex-tickets is at http://%s:%s%s", HOST, listener.getsockname()[1], PATH)
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    web.should_exit = True
    await serving
    stopping.cancel()


def _listener(port: int) -> socket.socket:
    """A socket that listens; made by hand it needs IPPROTO_TCP, or each answer takes 44 ms more."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"Port {port} cannot be used: {error.strerror}. Give another one with --http.") from error
    return listener


def _follow(store: TicketStore) -> None:
    try:
        store.watch()
    except Exception:
        log.exception("edits made outside are not followed; they are still noticed when a ticket is read")
