"""Makes up a workspace of any size for benchmarks: `python -m benchmarks.workspace FOLDER COUNT`.

Lengths and shapes are those of real tickets, the sentences are words thrown together. A ticket depends on its number
and the seed alone: the first hundred of a hundred thousand are, byte for byte, those of a workspace of one hundred.
"""

import json
import random
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path

_TEXT = """
the a to of and in is for it on with that this be as by an are from or not when should must can will all one each
ticket status board list view page command option setting file folder branch commit merge release build test error
warning message label title description comment history subtask epic blocker session thread channel person agent flow
prompt tool answer request response server client process lock index cache search filter sort order page link reference
archive export import upload download avatar profile login password token permission role team company project sprint
parser editor terminal browser keyboard mouse button menu dialog form field value default empty missing duplicate
invalid broken slow fast large small first last next previous open close start stop add remove update change show hide
read write save load keep move copy rename delete create check validate render draw print format align wrap scroll
resize refresh reload retry cancel confirm undo redo select focus hover click drag drop type paste column row table
card header footer sidebar theme colour icon font spacing padding border shadow width height mobile desktop window
cli web api schema migration database query transaction backup restore log metric health timeout queue worker event
webhook signature secret encryption certificate proxy network socket stream buffer chunk encoding unicode locale
language translation date time zone calendar reminder notification email digest summary report chart dashboard
document guide example tutorial changelog version upgrade compatibility platform container image volume package
dependency licence vulnerability audit policy review approval feedback user customer support incident root cause
"""
_SOUNDS = "ba ko ri ten mol dex par vun sil tro gla hem nor quip zar fel wex ulm yor dap"
_COMMON, _SYLLABLES = _TEXT.split(), _SOUNDS.split()
# Words that few tickets hold.
_RARE = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in _SYLLABLES]
_WORDS = _COMMON + _RARE
# The n-th word comes up about 1/n as often as the first.
_WEIGHTS = list(accumulate(1 / (place + 8) for place in range(len(_WORDS))))
_UNUSUAL = ("→", "“quoted”", "café", "`T-001`", "≥ 3", "😀", "https://example.org/a?b=1#c", "naïve", "x: y", "#5")

_TYPES = ("task", "task", "task", "task", "bug", "bug", "feature", "feature", "research", "documentation", "refactor")
_PRIORITIES = ("medium", "medium", "medium", "medium", "high", "high", "low", "critical")
_STATUSES = ("done",) * 14 + ("planned",) * 4 + ("backlog",) * 3 + ("in_progress",) * 2 + ("in_review", "cancelled")
_PATHS = {
    "backlog": (),
    "planned": ("planned",),
    "in_progress": ("planned", "in_progress"),
    "in_review": ("planned", "in_progress", "in_review"),
    "done": ("planned", "in_progress", "in_review", "done"),
    "cancelled": ("cancelled",),
}
LABELS = ("cli", "bug", "sequences", "enhancement", "ui", "web", "config", "agents", "git", "ux", "board", "editor")
_START = datetime(2024, 1, 8, 9, 0)
_TICKETS_AN_EPIC = 25
_BY_HAND_EVERY = 40


def make_workspace(folder: Path, count: int, seed: int = 1) -> None:
    """Writes `.sciorex/` with so many tickets (T-001 on), an epic for every 25, and a config, below a folder."""
    root = folder / ".sciorex"
    for name in ("tickets", "epics"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "config.json").write_text(json.dumps({"prefixes": {"ticket": "T", "epic": "E"}}) + "\n")
    for number in range(1, count // _TICKETS_AN_EPIC + 2):
        (root / "epics" / f"E-{number:03d}.yaml").write_bytes(epic_text(number, seed).encode())
    for number in range(1, count + 1):
        (root / "tickets" / file_name(number)).write_bytes(ticket_text(number, seed).encode())


def ticket_id(number: int) -> str:
    return f"T-{number:03d}"


def file_name(number: int) -> str:
    """The name of a ticket's file; a few that people made are spelled otherwise than their id."""
    return f"t-{number}.yml" if number % (4 * _BY_HAND_EVERY) == _BY_HAND_EVERY else f"{ticket_id(number)}.yaml"


def ticket_text(number: int, seed: int = 1, history: int | None = None) -> str:
    """The text of a ticket's file; one in forty looks as if typed by hand. `history` asks for so many entries."""
    rng = random.Random(f"{seed}/{number}")
    if history is None and number % _BY_HAND_EVERY == 0:
        return _by_hand(rng, number)
    status = rng.choice(_STATUSES)
    created = _START + timedelta(minutes=rng.randrange(700 * 24 * 60))
    criteria = [_sentence(rng, rng.randrange(5, 16)).rstrip(".") for _ in range(_few(rng))]
    entries, updated = _history(rng, status, created, history)
    done = _time(updated) if status == "done" else None
    return "".join(
        (
            f"id: {ticket_id(number)}\ntitle: {_title(rng)}\ndescription: {_description(rng, criteria, number)}\n",
            f"type: {rng.choice(_TYPES)}\npriority: {rng.choice(_PRIORITIES)}\nstatus: {status}\n",
            _list("labels", rng.sample(LABELS, rng.choice((0, 0, 0, 1, 1, 2, 3, 3)))),
            f"epicId: {_epic_of(rng, number)}\nparentId: {_older(rng, number) if rng.random() < 0.03 else 'null'}\n",
            _list("blockedBy", [_older(rng, number) for _ in range(rng.choice((0,) * 8 + (1, 2)))]),
            _list("relatesTo", [_older(rng, number) for _ in range(rng.choice((0,) * 8 + (1, 3)))]),
            _subtasks(rng, criteria, status, updated),
            f"assignedFlowId: null\nlastSessionId: {'null' if rng.random() < 0.8 else f'session-{number}'}\n",
            f"createdAt: {_time(created)}\nupdatedAt: {_time(updated)}\ncompletedAt: {done or 'null'}\n",
            "archived: true\n" if rng.random() < 0.03 else "",
            f"history:\n{entries}",
        )
    )


def epic_text(number: int, seed: int = 1) -> str:
    """The text of an epic's file."""
    rng = random.Random(f"{seed}/epic/{number}")
    at = _time(_START + timedelta(days=rng.randrange(600)))
    return (
        f"id: E-{number:03d}\ntitle: {_sentence(rng, 4).rstrip('.')}\ndescription: {_sentence(rng, 20)}\n"
        f"status: {rng.choice(('open', 'in_progress', 'completed'))}\ncreatedAt: {at}\nupdatedAt: {at}\n"
        "completedAt: null\nhistory: []\n"
    )


def text_with_ids(length: int, count: int, seed: int = 1) -> str:
    """A text of so many characters that names existing and missing tickets, some of them in code and links."""
    rng, parts, size = random.Random(f"{seed}/text"), list[str](), 0
    while size < length:
        number = rng.randrange(1, count + 1)
        forms = (ticket_id(number), f"t-{number}", f"T-{number + 10**7}", f"`T-{number}`", f"https://x.org/T-{number}")
        parts.append(f"{_sentence(rng, 12)} See {rng.choice(forms)}, please.\n")
        size += len(parts[-1])
    return "".join(parts)[:length]


def _by_hand(rng: random.Random, number: int) -> str:
    """Forms that people type: the least there can be, flow lists with comments, subtasks without ids, CRLF, form B."""
    name, title, form = ticket_id(number), _sentence(rng, 6).rstrip("."), (number // _BY_HAND_EVERY) % 4
    if form == 0:
        return f"id: {name}\ntitle: {title}\n"
    if form == 1:
        return (
            f"# written by hand\nid: t-{number}   # any spelling\ntitle: '{title}'\nstatus: planned\n"
            f"labels: [ui, {rng.choice(LABELS)}]  # two\ncreatedAt: 2024-05-0{rng.randrange(1, 9)}\n\n"
            f"subtasks:\n  - title: {_sentence(rng, 5).rstrip('.')}\n    completed: true\n"
            f"  - {{title: {_sentence(rng, 4).rstrip('.')}, completed: false}}\n\nestimate: {rng.randrange(9)}\n"
        )
    if form == 2:
        text = f'id: {name}\ntitle: "{title}"\ndescription: "{_sentence(rng, 40)}"\nupdatedAt: 2024-07-01T10:00:00Z\n'
        return text.replace("\n", "\r\n")
    return (
        f"title: {title}\nid: {name}\nstatus: in_progress\npriority: high\ndescription: >\n"
        f"  {_sentence(rng, 14)}\n  {_sentence(rng, 14)}\nsubtasks:\n"
        f"  - id: sub-001\n    title: {_sentence(rng, 5).rstrip('.')}\n    status: in_progress\n"
    )


def _few(rng: random.Random) -> int:
    """How many subtasks: five or six mostly, at most some twenty."""
    return min(22, int(rng.gammavariate(2.6, 2.4)))


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, cum_weights=_WEIGHTS, k=words)).capitalize() + "."


def _title(rng: random.Random) -> str:
    title = _sentence(rng, rng.randrange(3, 12)).rstrip(".")
    return f"'{rng.choice(LABELS)}: {title}'" if rng.random() < 0.2 else title


def _description(rng: random.Random, criteria: Sequence[str], number: int) -> str:
    """Markdown of a few hundred to a few thousand characters, as a block text or (one in eight) in double quotes."""
    lines = ["## Description", ""]
    for _ in range(1 + min(9, int(rng.expovariate(0.4)))):
        unusual = f"{rng.choice(_UNUSUAL)} " if rng.random() < 0.3 else ""
        lines += [unusual + " ".join(_sentence(rng, rng.randrange(8, 26)) for _ in range(rng.randrange(1, 5))), ""]
    if rng.random() < 0.3:
        lines += ["```", f"run --{rng.choice(_WORDS)} {rng.choice(_RARE)} # {number}", "```", ""]
    lines += ["## Acceptance Criteria", "", *(f"- [ ] {criterion}" for criterion in criteria)]
    text = "\n".join(lines).rstrip()
    if rng.random() < 0.125:
        return json.dumps(text, ensure_ascii=False)
    return "|-\n" + "\n".join(f"  {line}" if line else "" for line in text.split("\n"))


def _subtasks(rng: random.Random, titles: Sequence[str], status: str, updated: datetime) -> str:
    if not titles:
        return "subtasks: []\n"
    ready = len(titles) if status == "done" else rng.randrange(len(titles)) if status.startswith("in_") else 0
    lines = ["subtasks:\n"]
    for number, title in enumerate(titles, 1):
        done = number <= ready
        at = _time(updated) if done else "null"
        lines.append(f"- id: sub-{number:03d}\n  title: {title}\n  completed: {str(done).lower()}\n")
        lines.append(f"  completedAt: {at}\n")
    return "".join(lines)


def _history(rng: random.Random, status: str, created: datetime, wanted: int | None) -> tuple[str, datetime]:
    """The entries of a ticket's history, and when the last one was made."""
    entries, at, before = [_entry(created, "created", " {}", rng)], created, "backlog"
    for after in _PATHS[status]:
        at += timedelta(minutes=rng.randrange(1, 9_000))
        entries.append(_entry(at, "status_changed", f"\n    from: {before}\n    to: {after}", rng))
        before = after
    comments = rng.choice((0, 0, 1, 1, 2, 5)) if wanted is None else max(0, wanted - len(entries))
    for _ in range(comments):
        at += timedelta(minutes=rng.randrange(1, 600))
        comment = _sentence(rng, rng.randrange(4, 30))
        entries.append(_entry(at, "comment_added", f"\n    comment: {comment}\n    onBehalfOf: U024BE7LH", rng))
    return "".join(entries), at


def _entry(at: datetime, action: str, details: str, rng: random.Random) -> str:
    kind, who = rng.choice((("user", "default"), ("agent", "coder"), ("agent", "reviewer")))
    return (
        f"- timestamp: {_time(at)}\n  action: {action}\n  details:{details}\n"
        f"  actor:\n    type: {kind}\n    id: {who}\n"
    )


def _epic_of(rng: random.Random, number: int) -> str:
    return f"E-{number // _TICKETS_AN_EPIC + 1:03d}" if rng.random() < 0.6 else "null"


def _older(rng: random.Random, number: int) -> str:
    """A ticket that was there before; one in thirty is there no more."""
    return f"T-{10**7 + number}" if rng.random() < 0.03 else ticket_id(rng.randrange(1, number + 1))


def _list(key: str, items: Sequence[str]) -> str:
    items = list(dict.fromkeys(items))
    return f"{key}:\n" + "".join(f"- {item}\n" for item in items) if items else f"{key}: []\n"


def _time(at: datetime) -> str:
    return f"'{at.isoformat(timespec='milliseconds')}Z'"


if __name__ == "__main__":
    make_workspace(Path(sys.argv[1]), int(sys.argv[2]))
