"""What Slack demands of blocks: known types, lengths, counts, and ids that stand once."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.local_slack.element_check import ACCESSORIES, ACTIONS, FEEDBACK, INPUTS, element_problems
from bot.local_slack.text_check import Problem, list_problems, string_problems, text_problems

Block = dict[str, Any]
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN_CHARACTERS = 12_000
STATUSES = ("pending", "in_progress", "complete", "error")


def block_problems(blocks: Any, surface: str, at: str = "/blocks") -> Iterator[Problem]:
    """Everything wrong with a list of blocks; surface: message, modal or home."""
    yield from list_problems(blocks, at, MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS, least=0)
    block_ids: set[str] = set()
    for number, block in enumerate(blocks if isinstance(blocks, list) else []):
        here = f"{at}/{number}"
        if not isinstance(block, dict):
            yield "must be an object", here
            continue
        yield from _one(block, here, surface)
        block_id = block.get("block_id")
        if isinstance(block_id, str) and block_id:
            if block_id in block_ids:
                yield f"block_id already exists: {block_id}", f"{here}/block_id"
            block_ids.add(block_id)


def _one(block: Block, at: str, surface: str) -> Iterator[Problem]:
    kind = block.get("type")
    rule, surfaces = RULES.get(str(kind), (None, ()))
    if rule is None or surface not in surfaces:
        yield f"unsupported block type: {kind}", f"{at}/type"
        return
    yield from string_problems(block.get("block_id"), f"{at}/block_id", 255, least=0, required=False)
    yield from rule(block, at)
    action_ids: set[str] = set()
    for element in _elements(block):
        action_id = element.get("action_id")
        if isinstance(action_id, str):
            if action_id in action_ids:
                yield f"action_id already exists in the block: {action_id}", at
            action_ids.add(action_id)


def _elements(block: Block) -> Iterator[Block]:
    elements = block.get("elements")
    found = [block.get("accessory"), block.get("element"), *(elements if isinstance(elements, list) else [])]
    return (element for element in found if isinstance(element, dict))


def markdown_length(blocks: Any) -> int:
    """The characters of all markdown blocks; 12,000 together is the most in one payload."""
    rows = blocks if isinstance(blocks, list) else []
    return sum(len(str(row.get("text", ""))) for row in rows if isinstance(row, dict) and row.get("type") == "markdown")


def _section(block: Block, at: str) -> Iterator[Problem]:
    fields = block.get("fields")
    if block.get("text") is None and fields is None:
        yield "text or fields must be given", at
    yield from text_problems(block.get("text"), f"{at}/text", 3000, required=False)
    if fields is not None:
        yield from list_problems(fields, f"{at}/fields", 10)
        for number, field in enumerate(fields if isinstance(fields, list) else []):
            yield from text_problems(field, f"{at}/fields/{number}", 2000)
    if "accessory" in block:
        yield from element_problems(block["accessory"], f"{at}/accessory", ACCESSORIES)


def _header(block: Block, at: str) -> Iterator[Problem]:
    yield from text_problems(block.get("text"), f"{at}/text", 150, plain=True)


def _actions(block: Block, at: str) -> Iterator[Problem]:
    yield from _many(block, at, 25, ACTIONS)


def _context_actions(block: Block, at: str) -> Iterator[Problem]:
    yield from _many(block, at, 5, FEEDBACK)


def _many(block: Block, at: str, most: int, allowed: tuple[str, ...]) -> Iterator[Problem]:
    elements = block.get("elements")
    yield from list_problems(elements, f"{at}/elements", most)
    for number, element in enumerate(elements if isinstance(elements, list) else []):
        yield from element_problems(element, f"{at}/elements/{number}", allowed)


def _context(block: Block, at: str) -> Iterator[Problem]:
    elements = block.get("elements")
    yield from list_problems(elements, f"{at}/elements", 10)
    for number, element in enumerate(elements if isinstance(elements, list) else []):
        here = f"{at}/elements/{number}"
        if isinstance(element, dict) and element.get("type") == "image":
            yield from element_problems(element, here, ("image",))
        else:
            yield from text_problems(element, here, 3000)


def _input(block: Block, at: str) -> Iterator[Problem]:
    yield from text_problems(block.get("label"), f"{at}/label", 2000, plain=True)
    yield from text_problems(block.get("hint"), f"{at}/hint", 2000, plain=True, required=False)
    yield from element_problems(block.get("element"), f"{at}/element", INPUTS)


def _image(block: Block, at: str) -> Iterator[Problem]:
    yield from text_problems(block.get("title"), f"{at}/title", 2000, plain=True, required=False)
    yield from element_problems({**block, "type": "image"}, at, ("image",))


def _markdown(block: Block, at: str) -> Iterator[Problem]:
    yield from string_problems(block.get("text"), f"{at}/text", MARKDOWN_CHARACTERS)


def _table(block: Block, at: str) -> Iterator[Problem]:
    rows = block.get("rows")
    yield from list_problems(rows, f"{at}/rows", 100)
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        yield from list_problems(row, f"{at}/rows/{number}", 20)
        for column, cell in enumerate(row if isinstance(row, list) else []):
            here = f"{at}/rows/{number}/{column}"
            if not isinstance(cell, dict) or cell.get("type") not in ("raw_text", "raw_number", "rich_text"):
                yield "unsupported type of cell", here
            elif cell["type"] == "raw_text":
                yield from string_problems(cell.get("text"), f"{here}/text", 3000)


def _rich_text(block: Block, at: str) -> Iterator[Problem]:
    """The text of each element must be more than 0 characters, as Slack says it."""
    parts = block.get("elements")
    yield from list_problems(parts, f"{at}/elements", 1000, least=0)
    for number, part in enumerate(parts if isinstance(parts, list) else []):
        here = f"{at}/elements/{number}"
        if not isinstance(part, dict) or part.get("type") not in RICH:
            yield "unsupported type of element", here
        elif part["type"] == "rich_text_list":
            yield from _rich_text(part, here)
        else:
            for inner, element in enumerate(part.get("elements", [])):
                if isinstance(element, dict) and element.get("type") == "text":
                    yield from string_problems(element.get("text"), f"{here}/elements/{inner}/text", 3000)


def _task(block: Block, at: str) -> Iterator[Problem]:
    yield from string_problems(block.get("task_id"), f"{at}/task_id", 255)
    yield from string_problems(block.get("title"), f"{at}/title", 3000)
    if block.get("status") not in (None, *STATUSES):
        yield f"must be one of: {', '.join(STATUSES)}", f"{at}/status"


def _plan(block: Block, at: str) -> Iterator[Problem]:
    yield from string_problems(block.get("title"), f"{at}/title", 3000)


def _alert(block: Block, at: str) -> Iterator[Problem]:
    yield from text_problems(block.get("text"), f"{at}/text", 3000)


def _card(block: Block, at: str) -> Iterator[Problem]:
    if not any(block.get(name) for name in ("hero_image", "title", "actions", "body")):
        yield "one of hero_image, title, actions, body must be given", at
    for name, most in (("title", 150), ("subtitle", 150), ("body", 200)):
        yield from text_problems(block.get(name), f"{at}/{name}", most, required=False)


def _free(block: Block, at: str) -> Iterator[Problem]:
    return iter(())


RICH = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
ALL, MESSAGE = ("message", "modal", "home"), ("message",)
RULES: dict[str, tuple[Callable[[Block, str], Iterator[Problem]], tuple[str, ...]]] = {
    "section": (_section, ALL),
    "header": (_header, ALL),
    "actions": (_actions, ALL),
    "context": (_context, ALL),
    "input": (_input, ALL),
    "image": (_image, ALL),
    "divider": (_free, ALL),
    "rich_text": (_rich_text, ALL),
    "video": (_free, ALL),
    "alert": (_alert, ALL),
    "markdown": (_markdown, MESSAGE),
    "table": (_table, MESSAGE),
    "context_actions": (_context_actions, MESSAGE),
    "task_card": (_task, MESSAGE),
    "plan": (_plan, MESSAGE),
    "card": (_card, MESSAGE),
    "carousel": (_free, MESSAGE),
    "container": (_free, MESSAGE),
    "file": (_free, MESSAGE),
}
