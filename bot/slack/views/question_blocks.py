"""What the agent needs of people, as cards and forms: approvals with before and after, questions. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.sessions.questions import Question
from bot.slack.views.blocks import Block, Shown, aloud, button, context, cut, section
from bot.slack.views.markdown import doing, fitting, plain
from bot.slack.views.modals import View, modal, option

RADIO, MOST = 10, 100  # options of radio buttons and check boxes; of a menu
LONGEST_DIFF = 2_400
SHORT = 200
FORM = "question_modal"
IMPACT = {"low": "🟢 low", "medium": "🟡 medium", "high": "🔴 high"}
URGENCY = {"blocking": "", "important": "❗ ", "optional": "_(optional)_ "}
HIDDEN = ("updatedAt", "history")


def question_card(question: Question) -> Shown:
    """The card as it stands in the thread: what is asked, and buttons; once it is decided, what became of it."""
    made = {"approval": _approval, "ask": _ask, "request": _request, "elicitation": _elicitation}
    blocks, buttons = made[question.kind](question)
    if question.state == "open":
        blocks.append({"type": "actions", "block_id": f"question {question.id}", "elements": buttons})
    else:
        blocks = [b for b in blocks if b["type"] != "actions"] + [context(decided(question))]
    return Shown(aloud([_spoken(block) for block in blocks]), blocks)


def decided(question: Question) -> str:
    """What became of a question, in a line."""
    by = f"<@{question.by}>" if question.by else "Somebody"
    if question.state == "superseded":
        return f"⏭️ No longer asked: {by} wrote something else instead." if question.by else "⏭️ No longer asked."
    if question.state == "expired":
        return "⌛ Nobody decided in time, so it was not done."
    if question.kind == "approval":
        again = " (and need not be asked again in this session)" if question.answer.get("remember") else ""
        comment = f": _{cut(str(question.answer['comment']), 300)}_" if question.answer.get("comment") else ""
        return f"✅ {by} approved this{again}." if question.approved else f"🚫 {by} did not approve this{comment}."
    said = _answered(question)
    return f"{by} {said}"


def question_form(question: Question, kept: Mapping[str, str]) -> View:
    """The form for what does not fit on a card: words, or the fields that a server asks for."""
    if question.kind == "elicitation":
        fields = list(_fields(question))
        return modal("Answer", FORM, kept, [section(_message(question)), *fields], submit="Send")
    label = {"ask": "Your answer", "request": "What should the agent know?"}.get(question.kind, "Why not?")
    given = question.shown.get("input")
    placeholder = given.get("placeholder") if isinstance(given, dict) else None
    title = cut(_asked(question), 2_500)
    return modal("Answer", FORM, kept, [section(title or "…"), _words(label, placeholder)], submit="Send")


def whole_change(question: Question) -> View:
    """All that an approval is about, where the card shows only a part."""
    texts = [_difference(key, old, new, most=60_000) for _, key, old, new in _changes(question)]
    given = json.dumps(question.shown.get("input"), ensure_ascii=False, indent=1)
    pieces = [text[n : n + 2_900] for text in (*texts, given) for n in range(0, len(text), 2_900)]
    blocks = [section(f"```{_code(piece)}```") for piece in pieces[:60]]
    cut_off = [context("There is more; this is as much as Slack can show.")] if len(pieces) > 60 else []
    return modal("What would change", "question_shown", {}, [*blocks, *cut_off])


def _approval(question: Question) -> tuple[list[Block], list[Block]]:
    again = "The ticket has changed since; please look once more. " if question.shown.get("again") else ""
    what = cut(doing(_tool(question), _input(question)), 300)
    blocks = [section(f"🔐 {again}*May the agent do this?* {what}"), context(f"`{_code(_tool(question))}`")]
    changes = list(_changes(question))
    shown: list[str] = []
    for subject, key, old, new in changes[:12]:
        if not shown or shown[-1] != subject:
            blocks.append(section(f"*{subject}*"))
            shown.append(subject)
        blocks.append(section(_change(key, old, new)))
    if not changes:
        given = json.dumps(question.shown.get("input"), ensure_ascii=False, indent=1)
        blocks.append(section(f"```{_code(given[:LONGEST_DIFF])}```"))
    buttons = [
        button("Approve", "question_approve", question.id, style="primary"),
        button("Deny", "question_deny", question.id, style="danger"),
        button("Approve for this session", "question_remember", question.id),
        button("Deny, and say why", "question_write", question.id),
        button("Show all", "question_show", question.id),
    ]
    return blocks, buttons


def _ask(question: Question) -> tuple[list[Block], list[Block]]:
    given = _input(question)
    lead = URGENCY.get(str(given.get("urgency")), "")
    blocks = [section(f"❓ {lead}*{cut(str(given.get('question') or ''), 2_000)}*")]
    if given.get("context"):
        blocks.append(context(cut(str(given["context"]), 2_000)))
    options, many = options_of(given.get("options")), given.get("responseType") == "multiple"
    if options and given.get("responseType") in ("single", "multiple"):
        blocks.append({"type": "actions", "block_id": "choice", "elements": [_choice(options, many=many)]})
    buttons = [button("Send", "question_send", question.id, style="primary")] if len(blocks) > 1 and options else []
    if given.get("allowCustomText", True) or not options:
        buttons.append(button("Write an answer", "question_write", question.id))
    buttons.append(button("Skip", "question_skip", question.id))
    return blocks, buttons


def _request(question: Question) -> tuple[list[Block], list[Block]]:
    given = _input(question)
    impact = IMPACT.get(str(given.get("impact")), IMPACT["medium"])
    blocks = [
        section(f"🙋 *{cut(str(given.get('action') or ''), 2_000)}*"),
        context(f"{cut(str(given.get('reason') or ''), 1_500)} · impact: {impact}"),
    ]
    if options := options_of(given.get("alternatives")):
        blocks.append(context("Or instead:"))
        blocks.append({"type": "actions", "block_id": "choice", "elements": [_choice(options, many=False)]})
    buttons = [
        button("Approve", "question_approve", question.id, style="primary"),
        button("Deny", "question_deny", question.id, style="danger"),
        button("Deny, and say why", "question_write", question.id),
    ]
    return blocks, buttons


def _elicitation(question: Question) -> tuple[list[Block], list[Block]]:
    server = _tool(question).removeprefix("mcp__").partition("__")[0]
    blocks = [section(_message(question)), context(f"Asked by the server {cut(server, 60)}, not by the bot.")]
    form = [button("Answer", "question_write", question.id, style="primary")]
    return blocks, [*(form if _schema(question) else []), button("Decline", "question_skip", question.id)]


def _answered(question: Question) -> str:
    responses = question.answer.get("responses")
    [given, *_] = responses.values() if isinstance(responses, dict) and responses else [{}]
    content = given.get("content") or {}
    if question.kind == "request":
        comment = f": _{cut(str(content['comment']), 300)}_" if content.get("comment") else ""
        chosen = f" with “{cut(str(content['alternative']), 100)}”" if content.get("alternative") else ""
        return f"approved this{chosen}. ✅" if content.get("approved") else f"did not approve this{comment}. 🚫"
    if given.get("action") != "accept":
        return "skipped this."
    words = [str(value) for value in content.get("options") or []]
    words += [str(content["text"])] if content.get("text") else []
    if question.kind == "elicitation":
        words = [f"{key}: {value}" for key, value in content.items()]
    return f"answered: *{cut('; '.join(words), 500)}*"


def _changes(question: Question) -> Iterator[tuple[str, str, Any, Any]]:
    """Subject, field, value before and value after, of all that the call would change."""
    changes = question.shown.get("changes")
    for change in changes if isinstance(changes, list) else ():
        name = f"{plain(str(change['id']))} {cut(str(change['title']), 150)}" if change.get("id") else "A new ticket"
        before, after = change["before"], change["after"]
        for key, value in after.items():
            if key not in HIDDEN and (value or key in before):
                yield name, key, before.get(key), value
        for line in after.get("history") or ():
            if comment := line["details"].get("comment") or line["details"].get("message"):
                yield name, str(line["action"]).replace("_", " "), None, comment
    text = question.shown.get("text")
    if isinstance(text, dict):
        given = _input(question)
        yield cut(str(given.get("id") or "a file"), 100), "content", text["before"] or None, text["after"] or None


def _change(key: str, old: Any, new: Any) -> str:
    """A field's change on the card: short values beside each other, long ones as the lines that differ."""
    before, after = _plain_value(old), _plain_value(new)
    if max(len(before), len(after)) <= SHORT and "\n" not in before + after:
        arrow = f"`{_code(before)}` → " if old not in (None, "", []) else ""
        return f"{plain(key)}: {arrow}`{_code(after) or '(nothing)'}`"
    return f"{plain(key)}:\n```{_code(_difference(key, old, new, most=LONGEST_DIFF))}```"


def _difference(key: str, old: Any, new: Any, *, most: int) -> str:
    before, after = _plain_value(old).splitlines(), _plain_value(new).splitlines()
    lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:] or [key]
    text = "\n".join(line for line in lines if not line.startswith("@@"))
    return text if len(text) <= most else text[:most] + "\n… (there is more: Show all)"


def _plain_value(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, dict) for item in value) and value:
        return "\n".join(f"[{item.get('status')}] {item.get('title')}" for item in value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _choice(options: Sequence[str], *, many: bool) -> Block:
    made = [option(text, str(n)) for n, text in enumerate(options)]
    if len(made) <= RADIO:
        return {"type": "checkboxes" if many else "radio_buttons", "action_id": "question_choice", "options": made}
    kind = "multi_static_select" if many else "static_select"
    placeholder = {"type": "plain_text", "text": "Choose"}
    return {"type": kind, "action_id": "question_choice", "options": made[:MOST], "placeholder": placeholder}


def options_of(found: object) -> list[str]:
    words = [" ".join(str(one).split()) for one in found] if isinstance(found, list) else []
    return list(dict.fromkeys(word for word in words if word))


def _fields(question: Question) -> Iterator[Block]:
    """The inputs of a form that a server asks for, by its schema (flat, by MCP)."""
    schema = _schema(question)
    required = schema.get("required") or ()
    for name, field in list((schema.get("properties") or {}).items())[:40]:
        label = cut(str(field.get("title") or name), 150)
        choices = field.get("enum") or (field.get("type") == "boolean" and ["true", "false"])
        element: Block = {"type": "plain_text_input", "action_id": "value"}
        if choices:
            made = [option(str(one)[:75], str(n)) for n, one in enumerate(choices[:MOST])]
            element = {"type": "static_select", "action_id": "value", "options": made}
        yield {
            "type": "input",
            "block_id": f"field {name}"[:255],
            "optional": name not in required,
            "label": {"type": "plain_text", "text": label},
            "element": element,
        }


def _words(label: str, placeholder: object) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 3_000}
    if isinstance(placeholder, str) and placeholder.strip():
        element["placeholder"] = {"type": "plain_text", "text": placeholder[:150]}
    return {
        "type": "input",
        "block_id": "text",
        "label": {"type": "plain_text", "text": label},
        "element": element,
    }


def _request_of(question: Question) -> dict[str, Any]:
    requests = question.shown.get("requests")
    [first, *_] = requests.values() if isinstance(requests, dict) and requests else [{}]
    params = first.get("params")
    return params if isinstance(params, dict) else {}


def _schema(question: Question) -> dict[str, Any]:
    schema = _request_of(question).get("requestedSchema")
    return schema if isinstance(schema, dict) else {}


def _message(question: Question) -> str:
    asked = _request_of(question)
    address = f"\n{plain(str(asked['url']))}" if asked.get("url") else ""
    return f"🔌 *{cut(str(asked.get('message') or 'The server asks for something.'), 2_000)}*{address}"


def _asked(question: Question) -> str:
    given = _input(question)
    return str(given.get("question") or given.get("action") or _tool(question))


def _input(question: Question) -> dict[str, Any]:
    given = question.shown.get("input")
    return given if isinstance(given, dict) else {}


def _tool(question: Question) -> str:
    return str(question.shown.get("tool") or "").removeprefix("mcp__sciorex-tickets__")


def _code(text: str) -> str:
    return fitting(plain(text.replace("`", "'")), 2_900)


def _spoken(block: Block) -> str:
    if block["type"] == "section":
        return str(block["text"]["text"])
    return str(block["elements"][0]["text"]) if block["type"] == "context" else ""
