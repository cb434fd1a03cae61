"""What an outside server wants to know from a person before it goes on: one question at a time. Pure.

A server may ask several things at once; they are asked one after the other, and answered to it together. What was
answered so far stands in the state that is kept with the question, beside the server's own: any process can go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult, InputResponses

MOST_QUESTIONS, LONGEST_STATE = 10, 200_000


@dataclass(frozen=True)
class Answers:
    """A call that is made (again): what was answered so far, the server's own state, and what is still to be asked."""

    given: Mapping[str, ElicitResult] = field(default_factory=dict)
    state: str | None = None
    left: Mapping[str, ElicitRequest] = field(default_factory=dict)

    def ask(self) -> InputRequiredResult:
        """The next question, with all that is needed to go on after it."""
        [key, *_] = self.left
        kept = {
            "state": self.state,
            "given": {name: one.model_dump(mode="json", exclude_none=True) for name, one in self.given.items()},
            "left": {name: _dumped(one) for name, one in self.left.items()},
        }
        return InputRequiredResult(input_requests={key: self.left[key]}, request_state=json.dumps(kept))


def resumed(answers: InputResponses | None, kept: str | None) -> Answers:
    """Where a call stands, by the answer to its last question and what was kept. Who declines one declines all."""
    if not kept:
        return Answers()
    known = json.loads(kept)
    given = {name: ElicitResult.model_validate(one) for name, one in known["given"].items()}
    given |= {name: one for name, one in (answers or {}).items() if isinstance(one, ElicitResult)}
    left = {name: ElicitRequest.model_validate(one) for name, one in known["left"].items() if name not in given}
    if refused := next((one for one in given.values() if one.action != "accept"), None):
        given, left = given | dict.fromkeys(left, refused), {}
    return Answers(given, known["state"], left)


def questions_in(result: InputRequiredResult) -> Answers:
    """What the server asks. Raises ValueError, with a sentence, for what no person can be asked in Slack."""
    wanted = dict(result.input_requests or {})
    if len(wanted) > MOST_QUESTIONS:
        raise ValueError(f"it asks {len(wanted)} questions at once")
    left: dict[str, ElicitRequest] = {}
    for key, request in wanted.items():
        if not isinstance(request, ElicitRequest):
            raise ValueError("it wants more than an answer of a person (the bot lends it neither its model nor files)")
        if not isinstance(request.params, ElicitRequestFormParams):
            raise ValueError("it wants a person to open an address, which the bot asks of nobody")
        left[key] = request
    if len(result.request_state or "") + sum(len(json.dumps(_dumped(one))) for one in left.values()) > LONGEST_STATE:
        raise ValueError("what it asks is too long")
    return Answers({}, result.request_state, left)


def _dumped(request: ElicitRequest) -> object:
    return request.model_dump(mode="json", by_alias=True, exclude_none=True)
