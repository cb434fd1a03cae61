"""Files that people post: what of them the model is shown, decided by what is in them, as content blocks; no I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from bot.agent.told_ticket import one_line
from bot.sessions.attachments import REFUSED, Attachment, Wanted

MOST_FILES = 20  # of a session: with more, images may not be as large
MOST_BYTES = 16 * 1024 * 1024  # of a session: a request may have 32 MB, and base64 makes four of three
LARGEST = {"image": 3_700_000, "pdf": 8 * 1024 * 1024, "text": 200_000}  # bytes of one file
MOST_PIXELS = 8_000  # of an image, each way
BEGINNINGS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "application/pdf": b"%PDF-",
}
TEXTS = ("application/json", "application/xml", "application/yaml", "application/x-yaml", "application/javascript")
TOO_MANY = "the thread has shown me all the files that I can look at"


def kind_of(mimetype: str) -> str | None:
    """What a file is for the model, going by Slack's word for it; None for what it cannot be shown."""
    if mimetype in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        return "image"
    if mimetype == "application/pdf":
        return "pdf"
    return "text" if mimetype.startswith("text/") or mimetype in TEXTS else None


def refusal_before(wanted: Wanted, files: int, size: int) -> str | None:
    """Why a file is not even fetched, if so; the session shows `files` files of `size` bytes already."""
    kind = kind_of(wanted.mimetype)
    if kind is None:
        return f"I cannot read files of the type {one_line(wanted.mimetype)[:60] or 'unknown'}"
    if wanted.size > LARGEST[kind]:
        return too_big(kind)
    if files >= MOST_FILES or size + wanted.size > MOST_BYTES:
        return TOO_MANY
    return None


def too_big(kind: str) -> str:
    """The sentence on a file that is larger than the model is shown."""
    most = LARGEST[kind]
    return (
        f"it is larger than {most // 1_000} kB" if most < 1_000_000 else f"it is larger than {most / 1_000_000:.0f} MB"
    )


def judged(wanted: Wanted, content: bytes) -> Attachment:
    """A fetched file as it is kept: Slack's word for what it is must agree with what is in it."""
    kind = kind_of(wanted.mimetype)
    if kind is None or not content:
        return refused(wanted, "it is empty" if not content else "I cannot read files of this type")
    if len(content) > LARGEST[kind]:
        return refused(wanted, too_big(kind))
    if kind == "text":
        text = _text(content)
        if text is None:
            return refused(wanted, "it is not the text that it is said to be")
        return _kept(wanted, kind, "text/plain", text, len(content))
    if _found(content) != wanted.mimetype:
        return refused(wanted, f"it is not the {wanted.mimetype.rpartition('/')[2]} that it is said to be")
    if not _sound(content, wanted.mimetype):
        return refused(wanted, "it is damaged, locked or too large to be looked at")
    return _kept(wanted, kind, wanted.mimetype, b64encode(content).decode(), len(content))


def refused(wanted: Wanted, why: str) -> Attachment:
    """A file that the model is told of by name alone."""
    return _kept(wanted, REFUSED, "", why, 0)


def block_of(one: Attachment) -> dict[str, Any] | None:
    """The content block of a file; None for one that is not shown."""
    if one.kind == REFUSED:
        return None
    encoding = "text" if one.kind == "text" else "base64"
    source = {"type": encoding, "media_type": one.media_type, "data": one.content}
    if one.kind == "image":
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, "title": one_line(one.name)[:200] or "file"}


def named(files: Sequence[Mapping[str, object]], looked_at: Sequence[Attachment]) -> str:
    """The files of a message by name, and why some of them are not shown."""
    known = {one.file_id: one for one in looked_at}
    lines = []
    for file in files:
        one = known.get(str(file.get("id") or ""))
        why = f"; not shown: {one.content}" if one and one.kind == REFUSED else ""
        lines.append(f"\n(file: {one_line(one.name if one else str(file.get('name')))}{why})")
    return "".join(lines)


def _kept(wanted: Wanted, kind: str, media_type: str, content: str, size: int) -> Attachment:
    return Attachment(wanted.message_id, wanted.file_id, wanted.name, kind, media_type, content, size)


def _found(content: bytes) -> str | None:
    """What an image or PDF is, going by how it begins."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for media_type, begins in BEGINNINGS.items() if content.startswith(begins)), None)


def _sound(content: bytes, media_type: str) -> bool:
    """Whether a file looks whole: one that the model cannot read would make it refuse the thread for ever."""
    end = content[-1_024:]
    if media_type == "image/png":
        wide, high = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
        return b"IEND" in end and 0 < wide <= MOST_PIXELS and 0 < high <= MOST_PIXELS
    if media_type == "image/gif":
        return b";" in end and max(int.from_bytes(content[n : n + 2], "little") for n in (6, 8)) <= MOST_PIXELS
    if media_type == "image/jpeg":
        return b"\xff\xd9" in end
    if media_type == "image/webp":
        return int.from_bytes(content[4:8], "little") + 8 <= len(content)
    return b"%%EOF" in end and b"/Encrypt" not in content


def _text(content: bytes) -> str | None:
    """The text of a file in UTF-8, with or without a mark of it; None where it is none, or is blank."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text if "\x00" not in text and text.strip() else None
