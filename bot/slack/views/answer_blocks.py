"""What stands below an answer, and beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.views.blocks import Block, Shown, button, cut, notice


def answer_actions(turn_key: str, *, failed: bool, undo: bool) -> list[Block]:
    """Buttons below a turn's answer: what it cost, taking back what it did, and trying again."""
    buttons = [
        *([button("Retry", "turn_retry", turn_key, style="primary")] if failed else []),
        *([button("Undo", "turn_undo", turn_key)] if undo else []),
        button("Receipt", "receipt_open", turn_key),
    ]
    return [{"type": "actions", "block_id": f"turn {turn_key}", "elements": buttons}]


def with_stop(shown: Shown) -> Shown:
    """A message that still grows by being updated, with what ends that."""
    actions = {"type": "actions", "block_id": "stop", "elements": [button("Stop", "turn_stop")]}
    return Shown(shown.text, [*shown.blocks, actions])


def not_offered(agent: str, names: Sequence[str]) -> Shown:
    """Said once in a thread: tools that an agent's file names and nobody has here."""
    listed = ", ".join(cut(name, 60) for name in names[:20])
    return notice(f"🧰 {cut(agent, 80)} also names {listed}, which I do not offer here. It works without.")


def servers_away(sentences: Sequence[str]) -> Shown:
    """Said in the thread when a server of tools that the agent has is away."""
    return notice("🔌 " + " ".join(cut(sentence, 300) for sentence in sentences[:5]))


def undone(by: str, taken: Sequence[tuple[str, str | None]]) -> Shown:
    """Said in the thread when somebody took back what the agent did: each call, and why not where it stays."""
    done = [cut(what, 150) for what, refusal in taken if refusal is None]
    kept = [f"{cut(what, 150)}: {cut(refusal, 300)}" for what, refusal in taken if refusal is not None]
    lines = [f"↩️ <@{by}> took back: {'; '.join(done[:20])}"] if done else []
    lines += [f"⚠️ This stays. {line}" for line in kept[:10]]
    return notice("\n".join(lines))
