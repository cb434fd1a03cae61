"""What the benchmarks of turns stand in: a local Slack and a scripted model here, the measured program in a process of
its own."""

import asyncio
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from bot.local_model import LocalModel, Reply, ToolCall, say
from bot.local_model.reply import Script, Text
from bot.local_slack import LocalSlack
from bot.local_slack.faults import Call, Fault, Faults
from bot.settings import read_manifest
from tests.bench import everything_in

ROOT = Path(__file__).parent.parent
APPENDS_A_MINUTE = 100
TOOL = "mcp__sciorex-tickets__sciorex_get_ticket"
END = "That is all."


class Budget(Faults):
    """Slack's budget of appends: more than so many within a minute are answered 429."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0
        self._taken: deque[float] = deque()

    def take(self, method: str) -> Fault | None:
        if method != "chat.appendStream":
            return super().take(method)
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - 60:
            self._taken.popleft()
        if len(self._taken) >= APPENDS_A_MINUTE:
            self.refused += 1
            return Fault("ratelimited", 1, after=False)
        self._taken.append(now)
        return super().take(method)


class TimedModel(LocalModel):
    """Notes when each delta was sent, of all streams together."""

    def __init__(self, script: Script, *, pace: float) -> None:
        super().__init__(script, pace=pace)
        self.sent: list[float] = []

    async def _held(self, sent: int) -> None:
        if sent:
            self.sent.append(time.time())
        await super()._held(sent)


class World:
    """A Slack workspace, people in one channel, a model; `process` is the measured program."""

    def __init__(self, script: Script, pace: float) -> None:
        self.slack, self.model, self.budget = LocalSlack(read_manifest()), TimedModel(script, pace=pace), Budget()
        self.slack._workspace.faults = self.budget
        self.alice = self.slack.add_user("Alice")
        self.general = self.slack.add_channel("general", members=(self.alice, self.slack.bot_user_id))
        self.process: subprocess.Popen[bytes] | None = None

    def start_program(self, arguments: Sequence[str], more: Mapping[str, str]) -> None:
        """Starts `python …` with what it needs to find this world."""
        given = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "ANTHROPIC_API_KEY": "scripted",
            "ANTHROPIC_BASE_URL": self.model.url,
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(ROOT),
        }
        environment = {**os.environ, **given, **more}
        self.process = subprocess.Popen([sys.executable, *arguments], env=environment, cwd=more["SCIOREX_WORKSPACE"])

    def end_program(self) -> None:
        if self.process is not None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()

    def cpu(self) -> float:
        """Seconds of processor time that the program has taken, its ended children's too (Linux)."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    async def turn(self, thread_ts: str | None = None, timeout: float = 300) -> str:
        """Asks something, waits till the answer is whole and the thread rests, and gives the thread."""
        asked = await self.slack.say(self.alice, self.general, f"<@{self.slack.bot_user_id}> What is left?", thread_ts)
        root = thread_ts or asked

        def whole(_: LocalSlack) -> bool:
            if self.slack.agent_status(self.general, root) != "active":
                return False
            last = [m for m in self.slack.messages(self.general, root) if m.get("bot_id") and m["ts"] > asked]
            return any(END in everything_in(m) for m in last)

        await self.slack.until(whole, timeout=timeout)
        return root

    def calls(self, method: str, thread_ts: str) -> list[Call]:
        """The answered calls of a method in a thread."""
        return [c for c in self.slack.calls if c.method == method and c.args.get("thread_ts") == thread_ts]


@asynccontextmanager
async def world(script: Script, *, pace: float) -> AsyncIterator[World]:
    """A world at work; the program in it is ended with it."""
    made = World(script, pace)
    for part in (made.slack, made.model):
        await part.start()
    try:
        yield made
    finally:
        await asyncio.to_thread(made.end_program)
        await made.slack.stop()
        await made.model.stop()


def reads_and_tells(pieces: int) -> Script:
    """A model that reads the ticket, then tells in so many pieces of two words."""

    def script(request: dict[str, Any]) -> Reply:
        last = request["messages"][-1]["content"]
        if any(isinstance(block, dict) and block.get("type") == "tool_result" for block in last):
            return say(told(pieces))
        return say("I look at the ticket.", ToolCall(TOOL, {"ticketId": "T-042"}))

    return script


def tells(pieces: int) -> Script:
    """A model that answers at once the first time, then in so many pieces of two words."""
    asked = count()
    return lambda _: say(told(pieces if next(asked) else 0))


def told(pieces: int) -> Text:
    """A text in pieces of two words."""
    return Text(END, (*(f"word{n} and " for n in range(pieces)), END))
