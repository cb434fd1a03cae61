"""JSON schemas as the server shows them: without what says nothing, since models pay for it and clients check by it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]


def lean(schema: Schema) -> Schema:
    """The same schema without titles, defaults of null and references: shorter, and checked in less time.

    Schemas that contain themselves are not taken.
    """
    made: Schema = _lean(schema, schema.get("$defs", {}))
    return made


def _lean(part: Any, named: Mapping[str, Schema]) -> Any:
    if isinstance(part, list):
        return [_lean(item, named) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _lean(named[part["$ref"].removeprefix("#/$defs/")], named)
    made: Schema = {}
    for key, value in part.items():
        if key == "properties":
            made[key] = {name: _lean(inner, named) for name, inner in value.items()}
        elif key in ("enum", "required"):
            made[key] = value
        elif key not in ("title", "$defs") and (key, value) != ("default", None):
            made[key] = _lean(value, named)
    return made
