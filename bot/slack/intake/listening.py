"""When the bot answers: always in direct messages; in a channel only where it is spoken to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.slack.intake.words import mentioned


@dataclass(frozen=True)
class Room:
    """Where a message was said: a direct message or not, who has spoken there, whom the bot asked something."""

    direct: bool
    speakers: Collection[str]  # people who have said something in the thread, the writer left out or not
    asked: str | None = None  # the person to whom the bot's last answer put a question, if nobody has spoken since
    session: bool = True  # whether the thread is one
    quiet: bool = False  # somebody set it to answer only when it is mentioned


def answers(text: str, user: str, *, by_bot: bool, bot_user: str, room: Room) -> bool:
    """Whether the message is for the bot; what is not is kept, and seen at the next turn.

    Bots are never answered, so that two of them cannot talk for ever. A message that mentions somebody else,
    and not the bot, is for that person. In a quiet thread a mention alone counts, in direct messages too.
    """
    if by_bot:
        return False
    named = mentioned(text)
    if bot_user in named or (room.direct and not room.quiet):
        return True
    if room.quiet or named or not room.session:
        return False
    return not (set(room.speakers) - {user}) or room.asked == user
