"""The kinds of parameters the tools take: what the model is shown, and what is let through."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field, WithJsonSchema, WrapValidator

from bot.tickets.vocabulary import EpicStatus, Priority, Status, SubtaskStatus, TicketType


def _or_absent(value: object, check: Callable[[object], str]) -> str | None:
    return None if value is None else check(value)


def _shown(description: str = "", **schema: Any) -> WithJsonSchema:
    """What the model is shown of a parameter."""
    return WithJsonSchema({**schema, **({"description": description} if description else {})})


def _text(description: str) -> WithJsonSchema:
    return _shown(description, type="string")


def _words(kind: type[StrEnum]) -> WithJsonSchema:
    """The model is shown the words there are; other spellings of them pass too."""
    return _shown(type="string", enum=[word.value for word in kind])


if TYPE_CHECKING:
    MaybeText: TypeAlias = str | None
    MaybeStatus: TypeAlias = str | None
    MaybeType: TypeAlias = str | None
    MaybePriority: TypeAlias = str | None
    MaybeEpicStatus: TypeAlias = str | None
    MaybeEpicId: TypeAlias = str | None
    MaybeSubtaskId: TypeAlias = str | None
    MaybeSubtaskTitle: TypeAlias = str | None
    MaybeMarkdown: TypeAlias = str | None
    EpicIdOrNull: TypeAlias = str | None
else:
    # The SDK reads the value of every parameter that is not exactly a `str` as JSON first: a description
    # of "[1, 2]" would arrive as a list. So optional texts are annotated as texts that let None pass.
    MaybeText = Annotated[str, WrapValidator(_or_absent)]
    MaybeStatus = Annotated[MaybeText, _words(Status)]
    MaybeType = Annotated[MaybeText, _words(TicketType)]
    MaybePriority = Annotated[MaybeText, _words(Priority)]
    MaybeEpicStatus = Annotated[MaybeText, _words(EpicStatus)]
    MaybeEpicId = Annotated[MaybeText, _text("Such as E-001")]
    MaybeSubtaskId = Annotated[MaybeText, _text("Such as sub-001; goes before title")]
    MaybeSubtaskTitle = Annotated[MaybeText, _text("The title, or a part of it that fits one subtask alone")]
    MaybeMarkdown = Annotated[MaybeText, _text("Markdown")]
    EpicIdOrNull = Annotated[
        MaybeText, _shown("Such as E-001; null takes the epic away", anyOf=[{"type": "string"}, {"type": "null"}])
    ]

TicketId: TypeAlias = Annotated[str, Field(description="Such as T-042, in any spelling")]
EpicId: TypeAlias = Annotated[str, Field(description="Such as E-001")]
StatusWord: TypeAlias = Annotated[str, _words(Status)]
SubtaskWord: TypeAlias = Annotated[str, _words(SubtaskStatus)]
Markdown: TypeAlias = Annotated[str, Field(description="Markdown")]
Query: TypeAlias = Annotated[str, Field(description="One text, found as it stands, in any case; or an id")]
Texts: TypeAlias = Annotated[list[str] | None, _shown(type="array", items={"type": "string"})]
TicketIds: TypeAlias = Annotated[list[str] | None, _shown("Ticket ids", type="array", items={"type": "string"})]
Limit: TypeAlias = Annotated[int, Field(ge=1, le=500)]
Percentage: TypeAlias = Annotated[int | None, _shown(type="integer", minimum=0, maximum=100)]
