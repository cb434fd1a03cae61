"""`workspace` in a thread, `/ticket workspace` in the composer: whose tickets these are, and choosing others."""

from __future__ import annotations

from bot.errors import BotError
from bot.inbox.claim import Claim, Item
from bot.sessions.choice import choose_workspace
from bot.sessions.session import find_by_thread
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer
from bot.slack.views import blocks


async def workspace(parts: Parts, claim: Claim, item: Item, wanted: str) -> None:
    """Says which ticket workspace counts here; in a direct message `wanted` becomes the person's choice.

    A channel's is the operator's to set, so nobody can move a channel to other tickets from within. A session keeps
    the workspace it began with.
    """
    user = str(item.body["user"])
    direct = bool(item.body.get("direct")) or await parts.is_direct(claim.channel)
    if len(parts.workspaces) == 1:
        said = "There is one ticket workspace here, for every channel and for direct messages."
    elif not direct:
        said = await _of_channel(parts, claim, item)
    elif wanted:
        said = await _choose(parts, claim, user, wanted.lower())
    else:
        said = await _of_person(parts, claim, user)
    await answer(parts, claim, item, blocks.said(said))


async def _of_channel(parts: Parts, claim: Claim, item: Item) -> str:
    here = await parts.workspace_of(claim, item)
    return (
        f"Tickets here are those of the workspace `{here.name}`. Whoever runs me sets that in the file of "
        "SCIOREX_CONFIG, under `workspaces`. For direct messages you choose yourself: write `workspace` to me there."
    )


async def _of_person(parts: Parts, claim: Claim, user: str) -> str:
    chosen = await parts.workspace_chosen(user)
    others = [f"`workspace {name}`" for name in await _names(parts, user) if name != chosen.name]
    more = f" Choose another with {' or '.join(others)}." if others else ""
    return f"In direct messages with me you work in the workspace `{chosen.name}`.{more}{await _kept(parts, claim)}"


async def _choose(parts: Parts, claim: Claim, user: str, wanted: str) -> str:
    names = await _names(parts, user)
    if wanted not in names:
        known = ", ".join(f"`{name}`" for name in names)
        raise BotError(f"There is no workspace {wanted} for you to choose. You can choose {known}.")
    now = parts.now_ms()
    await claim.write("choose workspace", lambda c: choose_workspace(c, parts.me.team, user, wanted, now))
    return f"From now on you work in `{wanted}` in direct messages with me.{await _kept(parts, claim)}"


async def _names(parts: Parts, user: str) -> list[str]:
    """The workspaces that this person may choose."""
    return [one.name for one in parts.workspaces if await parts.may_choose(user, one)]


async def _kept(parts: Parts, claim: Claim) -> str:
    """A word about the thread itself, where it is a session of another workspace than new ones would be."""
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    return f" This thread began in `{session.workspace}` and stays there." if session else ""
