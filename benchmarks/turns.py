"""What a turn costs, and how soon it is seen: `python -m benchmarks.turns [--turns 30] [--seconds 90]`.

Local Slack and scripted model run here; the bot, and the bare loop beside it, each in a process of its own. Prints the
processor time of a turn with one tool call beside the bare loop's, in the same run; how long a first sign takes with
twenty threads at work; how far the text on screen is behind the model's; how the budget of appends is shared. Results
are printed, not asserted. Linux.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles

from benchmarks.turns_world import APPENDS_A_MINUTE, TimedModel, World, reads_and_tells, tells, told, world
from bot.demo import SAMPLE
from bot.local_slack.faults import Call

ALLOWED = {"cpu": 1.3, "sign": 0.5, "lag": 1.0, "share": 1.5}
THREADS = 20
MEASURES = ("cpu", "lag", "signs", "shares")
A_THREAD = 10  # turns in each, so that threads stay as long as real ones


async def cpu(folder: Path, turns: int, *, pieces: int = 40, pace: float = 0.03) -> tuple[float, float]:
    """Seconds of processor time a turn takes: the bot's, the bare loop's. Both answer at the same time."""
    script = reads_and_tells(pieces)
    async with world(script, pace=pace) as ours, world(script, pace=pace) as bare:
        start_bot(ours, folder)
        await ours.turn()
        request = {key: ours.model.requests[-1][key] for key in ("system", "tools")}
        (folder / "request.json").write_text(json.dumps(request))
        more = {"SCIOREX_WORKSPACE": str(folder / "workspace"), "TEAM": bare.slack.team_id}
        bare.start_program(["-m", "benchmarks.turns_bare", str(folder / "request.json")], more)
        await bare.turn()
        sides, took, left = (ours, bare), [0.0, 0.0], turns
        while left > 0:
            roots = [await side.turn() for side in sides]
            before = [side.cpu() for side in sides]
            for _ in range(min(left, A_THREAD)):
                await asyncio.gather(*(side.turn(root) for side, root in zip(sides, roots, strict=True)))
            took = [
                sum(one) for one in zip(took, (s.cpu() - b for s, b in zip(sides, before, strict=True)), strict=True)
            ]
            left -= A_THREAD
    return took[0] / turns, took[1] / turns


def start_bot(here: World, folder: Path) -> None:
    shutil.copytree(SAMPLE, folder / "workspace", dirs_exist_ok=True)
    more = {"SCIOREX_WORKSPACE": str(folder / "workspace"), "DATABASE_URL": f"sqlite:///{folder}/bot.db"}
    here.start_program(["-m", "bot", "run"], more)


async def lag(folder: Path, *, pieces: int = 600, pace: float = 0.04) -> list[float]:
    """For each piece of one thread's answer: seconds from the model's sending it to its standing in the thread."""
    async with world(tells(pieces), pace=pace) as here:
        start_bot(here, folder)
        root = await here.turn()
        here.model.sent.clear()
        before = len(here.slack.calls)
        await here.turn(root)
        return behind(here.model, here.slack.calls[before:], pieces)


def behind(model: TimedModel, calls: list[Call], pieces: int) -> list[float]:
    shown = [
        (call.at, len(str(call.args.get("markdown_text") or "")))
        for call in calls
        if call.method in ("chat.startStream", "chat.appendStream", "chat.stopStream") and call.answer.get("ok")
    ]
    lags, length, on_screen = [], 0, 0
    waiting = iter(shown)
    at = 0.0
    for sent, piece in zip(model.sent, told(pieces).split(), strict=True):
        length += len(piece)
        while on_screen < length:
            # What no stream brought stands in the messages that take its place at the end.
            at, more = next(waiting, (calls[-1].at, length))
            on_screen += more
        lags.append(at - sent)
    return lags


async def crowd(
    folder: Path, seconds: float, *, threads: int = THREADS, pieces: int = 100, pace: float = 0.1, apart: float = 0.5
) -> tuple[list[float], list[int], int, int]:
    """With so many threads at work, begun `apart` seconds after each other: seconds to each first sign; appends of each
    thread; the most appends within a minute; how many calls were answered 429."""
    async with world(tells(pieces), pace=pace) as here:
        start_bot(here, folder)
        await here.turn()
        ends, signs, before = time.monotonic() + seconds, [], len(here.slack.calls)

        async def one(n: int) -> None:
            await asyncio.sleep(n * apart)
            root = None
            while root is None or time.monotonic() < ends:
                began = time.time()
                root = await here.turn(root)
                calls = here.calls("agents.sessions.setStatus", root)
                signs.append(max(call.at for call in calls if call.args["status"] == "processing") - began)

        await asyncio.gather(*(one(n) for n in range(threads)))
        return signs, *shares(here.slack.calls[before:], threads)


def shares(calls: list[Call], threads: int) -> tuple[list[int], int, int]:
    started = {c.answer["ts"]: c.args["thread_ts"] for c in calls if c.method == "chat.startStream" and c.answer["ok"]}
    appends = [call for call in calls if call.method == "chat.appendStream" and call.answer["ok"]]
    each = Counter(started[call.args["ts"]] for call in appends)
    times = [call.at for call in appends]
    most = max((sum(1 for at in times if start <= at < start + 60) for start in times), default=0)
    refused = sum(call.answer.get("error") == "ratelimited" for call in calls)
    return sorted([*each.values(), *[0] * (threads - len(each))]), most, refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--only", choices=MEASURES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for measure in (given.only,) if given.only else MEASURES:
            folder = Path(name) / measure
            folder.mkdir()
            asyncio.run(printed(measure, folder, given.turns, given.seconds))


async def printed(measure: str, folder: Path, turns: int, seconds: float) -> None:
    if measure == "cpu":
        ours, bare = await cpu(folder, turns)
        print(
            f"processor time of a turn with one tool call: {ours * 1000:.0f} ms; the bare loop's: {bare * 1000:.0f} ms"
        )
        print(f"  {verdict(ours / bare, ALLOWED['cpu'], '×')}")
    elif measure == "lag":
        lags = await lag(folder)
        print(f"one thread's text on screen behind the model's: median {quantiles(lags, n=2)[0]:.2f} s, most")
        print(f"  {verdict(max(lags), ALLOWED['lag'], 's')}")
    elif measure == "signs":
        signs, _, most, refused = await crowd(folder, seconds)
        p99 = quantiles(signs, n=100, method="inclusive")[-1]
        print(f"{THREADS} threads at work, {len(signs)} first signs: median {quantiles(signs, n=2)[0]:.3f} s, p99")
        print(f"  {verdict(p99, ALLOWED['sign'], 's')}; the longest {max(signs):.2f} s")
        print(f"  most appends within a minute: {most} of {APPENDS_A_MINUTE}; answered 429: {refused}")
    else:
        _, each, most, refused = await crowd(folder, 0, pieces=150, pace=0.5, apart=0.1)
        print(f"appends of {THREADS} threads whose answers take 75 s: {each}, the most by the least")
        print(f"  {verdict(max(each) / max(1, min(each)), ALLOWED['share'], '×')}")
        print(f"  most appends within a minute: {most} of {APPENDS_A_MINUTE}; answered 429: {refused}")


def verdict(value: float, most: float, unit: str) -> str:
    """A value beside its aim."""
    return f"{value:.2f} {unit} (at most {most:g} {unit} wanted: {'holds' if value <= most else 'DOES NOT HOLD'})"


if __name__ == "__main__":
    main()
