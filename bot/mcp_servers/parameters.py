"""The kinds of parameters the tools take: what the model is shown, and what is let through."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field, WithJsonSchema, WrapValidator

from bot.tickets.vocabulary import EpicStatus, Priority, Status, SubtaskStatus, TicketType


def _or_absent(value: object, check: Callable[[object], str]) -> str | None:
    return None if value is None else check(value)


def _words(kind: type[StrEnum]) -> WithJsonSchema:
    """The model is shown the words there are; other spellings of them pass too."""
    return WithJsonSchema({"type": "string", "enum": [word.value for word in kind]})


if TYPE_CHECKING:
    MaybeText: TypeAlias = str | None
    MaybeStatus: TypeAlias = str | None
    MaybeType: TypeAlias = str | None
    MaybePriority: TypeAlias = str | None
    MaybeEpicStatus: TypeAlias = str | None
else:
    # The SDK reads the value of every parameter that is not exactly a `str` as JSON first: a description
    # of "[1, 2]" would arrive as a list. So optional texts are annotated as texts that let None pass.
    MaybeText = Annotated[str, WrapValidator(_or_absent)]
    MaybeStatus = Annotated[MaybeText, _words(Status)]
    MaybeType = Annotated[MaybeText, _words(TicketType)]
    MaybePriority = Annotated[MaybeText, _words(Priority)]
    MaybeEpicStatus = Annotated[MaybeText, _words(EpicStatus)]

StatusWord: TypeAlias = Annotated[str, _words(Status)]
SubtaskWord: TypeAlias = Annotated[str, _words(SubtaskStatus)]
TextOrNull: TypeAlias = Annotated[MaybeText, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})]
Texts: TypeAlias = Annotated[list[str] | None, WithJsonSchema({"type": "array", "items": {"type": "string"}})]
Limit: TypeAlias = Annotated[int, Field(ge=1, le=500)]
Percentage: TypeAlias = Annotated[int | None, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 100})]
