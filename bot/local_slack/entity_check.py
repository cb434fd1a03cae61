"""What Slack demands of a Work Object (its SDK's models; what it says of a wrong one is (?))."""

from collections.abc import Iterator
from typing import Any

from bot.local_slack.text_check import Problem, string_problems

TYPES = frozenset(f"slack#/entities/{name}" for name in ("task", "file", "item", "incident", "content_item"))
ATTRIBUTES = frozenset(
    ("title", "display_type", "display_id", "product_icon", "product_name", "locale", "full_size_preview")
) | {"metadata_last_modified"}
PAYLOAD = frozenset(("attributes", "fields", "custom_fields", "slack_file", "display_order", "actions"))
TASK_FIELDS = {
    **dict.fromkeys(("description", "status", "priority"), str),
    **dict.fromkeys(("date_created", "date_updated"), int),
    **dict.fromkeys(("created_by", "assignee", "due_date"), object),
}
FIELD_TYPES = frozenset(("integer", "string", "array", "boolean")) | frozenset(
    f"slack#/types/{name}"
    for name in ("date", "timestamp", "image", "channel_id", "user", "entity_ref", "link", "email")
)


def entity_problems(entity: Any, at: str = "/metadata") -> Iterator[Problem]:
    """Everything that is wrong with one entity."""
    if not isinstance(entity, dict):
        yield "must be an object", at
        return
    if entity.get("entity_type") not in TYPES:
        yield "must be a supported entity type", f"{at}/entity_type"
    reference = entity.get("external_ref")
    yield from string_problems((reference if isinstance(reference, dict) else {}).get("id"), f"{at}/external_ref", 255)
    payload = entity.get("entity_payload")
    if not isinstance(payload, dict):
        yield "missing required field", f"{at}/entity_payload"
        return
    yield from _unknown(payload, PAYLOAD, f"{at}/entity_payload")
    yield from _attributes(payload.get("attributes"), f"{at}/entity_payload/attributes")
    yield from _fields(payload.get("fields", {}), str(entity.get("entity_type")), f"{at}/entity_payload/fields")
    yield from _custom(payload.get("custom_fields", []), f"{at}/entity_payload/custom_fields")


def _attributes(attributes: Any, at: str) -> Iterator[Problem]:
    if not isinstance(attributes, dict) or not isinstance(attributes.get("title"), dict):
        yield "missing required field: title", at
        return
    yield from _unknown(attributes, ATTRIBUTES, at)
    yield from string_problems(attributes["title"].get("text"), f"{at}/title", 3000)


def _fields(fields: Any, kind: str, at: str) -> Iterator[Problem]:
    if not isinstance(fields, dict):
        yield "must be an object", at
    elif kind.endswith("/task"):
        yield from _unknown(fields, TASK_FIELDS, at)
        for name, field in fields.items():
            value = field.get("value") if isinstance(field, dict) else None
            if name in TASK_FIELDS and not isinstance(value, TASK_FIELDS[name]):
                yield "must have a value of its type", f"{at}/{name}"


def _custom(fields: Any, at: str) -> Iterator[Problem]:
    if not isinstance(fields, list):
        yield "must be an array", at
        return
    for number, field in enumerate(fields):
        field = field if isinstance(field, dict) else {}
        for name in ("key", "label"):
            yield from string_problems(field.get(name), f"{at}/{number}/{name}", 255)
        if field.get("type") not in FIELD_TYPES:
            yield "must be a supported type", f"{at}/{number}/type"
        if field.get("type") == "string":
            yield from string_problems(field.get("value"), f"{at}/{number}/value", 3000)


def _unknown(found: Any, known: Any, at: str) -> Iterator[Problem]:
    for name in found:
        if name not in known:
            yield f"additional property: {name}", at
