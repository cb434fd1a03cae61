import time, asyncio
from pathlib import Path
from tests.slack.test_outside import *
async def test_x(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "next").write_text("hang")
    more = named(over_stdio(tmp_path), tmp_path)
    async with bench(tmp_path, sqlite_url, script=calls("deploy", where="live"), more=more) as here:
        t=time.monotonic()
        root = await here.slack.say(here.alice, here.general, f"{here.at} deploy it")
        await press(here, here.alice, await card(here, root), "question_approve")
        await here.slack.until(lambda _: did(tmp_path) == ["deploy live"], timeout=20)
        print("did", time.monotonic()-t)
        stop=asyncio.create_task(here.stop())
        await asyncio.sleep(5)
        print("stopping", time.monotonic()-t, did(tmp_path), here.bot.worker._running)
        for task in asyncio.all_tasks():
            print(task.get_name(), task.get_coro().__qualname__)
            if 'hold' in task.get_coro().__qualname__.lower() or 'stop' in task.get_coro().__qualname__: task.print_stack()
        await stop
        print("stopped", time.monotonic()-t, did(tmp_path))
        await here.start()
        await here.seen(here.general, root, "may have been done or not")
        print("seen", time.monotonic()-t)
