"""The addresses of a local Slack: Web API, WebSocket, answers, files, and the page."""

from functools import partial

from aiohttp import web

from bot.local_slack import api, files, local_page, response_urls
from bot.local_slack.workspace import Workspace

MOST_BYTES = 64 * 1024 * 1024


class Server:
    """The one HTTP server of a workspace; `acts` are what the page may do, by name."""

    def __init__(self, workspace: Workspace, acts: dict[str, local_page.Act]) -> None:
        self._workspace, self._acts = workspace, acts
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        served = application(self._workspace, self._acts)
        self._runner = web.AppRunner(served, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        address = self._runner.addresses[0]
        self._workspace.url = f"http://{address[0]}:{address[1]}"
        self._workspace.deliveries.start()

    async def stop(self) -> None:
        self._workspace.faults.release_all()
        await self._workspace.deliveries.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._workspace.store.close()


def application(workspace: Workspace, acts: dict[str, local_page.Act]) -> web.Application:
    """Everything one server answers; `acts` are what the page may do, by name."""
    served = web.Application(middlewares=[local_page.only_this_machine], client_max_size=MOST_BYTES)
    served.add_routes(
        [
            web.route("*", "/api/{method}", partial(api.handle, workspace)),
            web.get("/link", workspace.deliveries.sockets.serve),
            web.post("/respond/{key}", partial(response_urls.handle, workspace)),
            web.post("/upload/v1/{file}", partial(files.upload, workspace)),
            web.get("/files/{file}/{name}", partial(files.download, workspace)),
            *(web.get(path, local_page.page_file) for path in local_page.FILES),
            web.get("/archives/{channel}/{message}", local_page.permalink),
            web.get("/local/state", partial(local_page.state, workspace)),
            web.get("/local/changes", partial(local_page.changes, workspace)),
            web.post("/local/act", partial(local_page.act, acts)),
        ]
    )
    return served
