"""New threads that the bot opens: the first message, posted once, and the item with which its thread begins."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.inbox.intake import Arrival, take_in
from bot.slack.delivery import deliver
from bot.slack.parts import Parts
from bot.slack.views.blocks import Shown


async def open_thread(
    parts: Parts, claim: Claim, item: Item, shown: Shown, kind: str, body: Mapping[str, object]
) -> str:
    """Posts the root in the channel whose lane is claimed, hands over to its thread, and is done with the item.

    Gives the root's ts. `body` goes with an item of this kind into the new thread. Raises NotInChannel where Slack
    takes no root. Can be run again from the top after a crash: root and item have the key of the item asking for them.
    """
    key = f"root.{item.id}"
    await claim.write(
        "root wanted",
        lambda c: posts.put(c, key=key, thread_id=claim.thread_id, role="root", want=shown.as_want()),
    )
    await deliver(parts, claim)
    root = await claim.read(lambda c: posts.by_key(c, key))
    if root is None or root.ts is None:
        raise parts.not_in_channel()
    born = Arrival(claim.team, claim.channel, root.ts, f"{item.key}:{kind}", kind, root.ts, body)

    def begin(connection: Connection) -> None:
        take_in(connection, born, parts.now_ms())
        finish(connection, [item])

    await claim.write("thread begins", begin)
    parts.wake()
    return root.ts
