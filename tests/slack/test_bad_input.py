"""What is malformed, forged or unknown: a clear refusal or a logged no-op, never a 5xx, never a lost event."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bench import Bench, bench
from tests.slack.asked import at_rest, kept, numbered

SHAPES = Path(__file__).parents[3] / "shared" / "corpus" / "slack-shapes"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
Json = dict[str, Any]
Sent = tuple[str, Json]  # kind of a delivery, payload
ODD: tuple[Any, ...] = (
    None,
    "",
    "x",
    0,
    -1.5,
    True,
    [],
    {},
    [None],
    {"id": None},
    "\x00\ud83d",
    "1795559710.465066",
    "9" * 300,
)


class Door:
    """The bot's HTTP door, knocked at without Slack's help."""

    def __init__(self, here: Bench) -> None:
        assert here.slack.request_url is not None
        self._url, self._secret = here.slack.request_url, here.slack.signing_secret

    def post(self, body: bytes, kind: str, *, age: int = 0, secret: str | None = None, **headers: str) -> int:
        """The status that a signed body is answered with."""
        stamp = str(int(time.time()) - age)
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new((secret or self._secret).encode(), base, hashlib.sha256).hexdigest()
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}", "Content-Type": kind}
        request = urllib.request.Request(self._url, data=body, headers=signed | headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    async def knock(self, body: bytes, kind: str, **more: Any) -> int:
        return await asyncio.to_thread(self.post, body, kind, **more)

    async def send(self, kind: str, payload: Json) -> int:
        return await self.knock(*form_of(kind, payload))


def form_of(kind: str, payload: Json) -> tuple[bytes, str]:
    """A payload's body and content type, as Slack sends it."""
    if kind == "events_api":
        return json.dumps(payload).encode(), JSON
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form, errors="surrogatepass").encode(), FORM


def mention(here: Bench, text: str = "hello") -> Json:
    event = {
        "type": "app_mention",
        "user": here.alice,
        "channel": here.general,
        "ts": "1795559710.465066",
        "text": f"{here.at} {text}",
    }
    return {"type": "event_callback", "team_id": here.slack.team_id, "event_id": "Ev1", "event": event}


async def test_forged_and_stale_requests_are_refused_and_leave_nothing(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, http=True, script=numbered()) as here:
        door, body = Door(here), json.dumps(mention(here)).encode()
        assert await door.knock(body, JSON, secret="not the secret") == 401
        assert await door.knock(body, JSON, age=60 * 6) == 401
        assert await door.knock(body, JSON, age=-60 * 6) == 401
        assert await door.knock(body, JSON, **{"X-Slack-Signature": "v0="}) == 401
        assert await door.knock(body, JSON, **{"X-Slack-Signature": "v0=ä"}) == 401
        for stamp in ("yesterday", "-1", "1" * 5_000, ""):
            assert await door.knock(body, JSON, **{"X-Slack-Request-Timestamp": stamp}) == 401
        assert (await kept(here))["inbox"] == 0
        assert await door.knock(body, JSON) == 200
        assert (await kept(here))["inbox"] == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"[1]", JSON),
        (b"null", JSON),
        (b"[" * 100_000, JSON),
        (b'{"a": "\xff"}', JSON),
        (b"payload=%7B", FORM),
        (b"payload=%5B1%5D", FORM),
    ],
)
async def test_a_body_in_no_form_of_slacks_is_refused(tmp_path: Path, sqlite_url: str, body: bytes, kind: str) -> None:
    async with bench(tmp_path, sqlite_url, http=True, script=numbered()) as here:
        assert await Door(here).knock(body, kind) == 400


async def test_a_huge_body_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, http=True, script=numbered()) as here:
        body = json.dumps(mention(here, "x" * 2_000_000)).encode()
        assert await Door(here).knock(body, JSON) in (400, 413)
        assert (await kept(here))["inbox"] == 0


async def test_whatever_nobody_knows_is_acknowledged(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, http=True, script=numbered()) as here:
        door = Door(here)
        person = {"user": {"id": here.alice}, "team": {"id": here.slack.team_id}, "trigger_id": "1.2"}
        place = {"channel": {"id": here.general}, "message": {"ts": "1795559710.465066"}}
        view = {"type": "modal", "id": "V1", "hash": "h", "callback_id": "nobody_knows", "state": {"values": {}}}
        kinds: list[Json] = [
            {"type": "block_actions", **place, "actions": [{"action_id": "nobody_knows", "action_ts": "1.2"}]},
            {"type": "block_actions", "view": view, "actions": [{"action_id": "nobody_knows", "action_ts": "1.2"}]},
            {"type": "message_action", "callback_id": "nobody_knows", **place},
            {"type": "shortcut", "callback_id": "nobody_knows"},
            {"type": "view_submission", "view": view},
            {"type": "view_closed", "view": view},
            {"type": "block_suggestion", "action_id": "nobody_knows", "block_id": "b", "value": "", "view": view},
            {"type": "interactive_message", "callback_id": "nobody_knows", "actions": [{"name": "a"}], **place},
            {"type": "dialog_submission", "callback_id": "nobody_knows", "submission": {}, **place},
            {"type": "dialog_cancellation", "callback_id": "nobody_knows", **place},
            {"type": "dialog_suggestion", "callback_id": "nobody_knows", "name": "n", "value": "", **place},
            {"type": "workflow_step_edit", "callback_id": "nobody_knows", "workflow_step": {}},
            {"type": "of_next_year"},
        ]
        for payload in kinds:
            assert (payload["type"], await door.send("interactive", {**person, **payload})) == (payload["type"], 200)
        command = {"command": "/nobody", "text": "", "user_id": here.alice, "channel_id": here.general}
        assert await door.send("slash_commands", {**command, "team_id": here.slack.team_id, "trigger_id": "1.2"}) == 200
        event = {"type": "event_callback", "team_id": here.slack.team_id, "event_id": "Ev9"}
        for kind in ("of_next_year", "reaction_added", "app_home_opened", "tokens_revoked"):
            assert await door.send("events_api", {**event, "event": {"type": kind, "user": here.alice}}) == 200
        subtype = {"type": "message", "subtype": "of_next_year", "channel": here.general, "ts": "1795559710.465066"}
        assert await door.send("events_api", {**event, "event": subtype}) == 200
        limited = {"type": "app_rate_limited", "team_id": here.slack.team_id, "minute_rate_limited": 1}
        assert await door.send("events_api", limited) == 200
        assert await door.knock(urlencode({"ssl_check": "1", "token": "t"}).encode(), FORM) == 200
        assert (await kept(here))["inbox"] == 0


async def real_payloads(here: Bench) -> list[Sent]:
    """One of everything that Slack sends to the bot's doors."""
    slack, alice, general = here.slack, here.alice, here.general
    root = await slack.say(alice, general, "a thread")
    reply = await slack.say(alice, general, f"{here.at} link T-042", root)
    header = await here.seen(general, root, "Unlink")
    await slack.edit(alice, general, reply, "edited")
    await slack.delete(alice, general, reply)
    await slack.say(alice, general, "with a file", root, files=[("a.txt", b"a")])
    for door in ("link_to_ticket", "archive_to_ticket"):
        await slack.message_shortcut(alice, door, general, root)
        view = slack.views(alice)[-1]
        await slack.options(alice, "ticket", "avatar", view_id=view["id"], block_id="ticket")
        option = {"text": {"type": "plain_text", "text": "T-045"}, "value": "T-045"}
        for offered in await slack.options(alice, "ticket", "T-045", view_id=view["id"], block_id="ticket"):
            option = offered if offered["value"] == "T-045" else option
        await slack.submit(alice, view["id"], {"ticket": {"ticket": option}})
        await slack.submit(alice, slack.views(alice)[-1]["id"])
    await at_rest(here)
    for command in ("/link", "/link T-042", "/unlink", "/ticket T-042", "/ticket T-042 sessions"):
        await slack.command(alice, general, command)
    card = await here.told(alice, "Start chat")
    for action in ("chat_start", "sessions_show"):
        await slack.click(alice, general, card["ts"], action)
    await slack.click(alice, general, card["ts"], "ticket_status", selected="planned")
    await slack.click(alice, general, header["ts"], "ticket_view")
    await at_rest(here)
    await make_and_find(here)
    return [(d.kind, d.payload) for d in slack.deliveries]


async def make_and_find(here: Bench) -> None:
    """A ticket made by the form, and more of them than stand on one page of a list."""
    slack, alice, general = here.slack, here.alice, here.general
    await slack.command(alice, general, "/ticket new")
    await slack.global_shortcut(alice, "new_ticket")
    view = slack.views(alice)[-1]
    for picker in ("epic", "blockers"):
        await slack.options(alice, picker, "avatar", view_id=view["id"])
    await slack.submit(alice, view["id"], {"title": {"title": "Another"}, "blockers": {"blockers": ["T-042"]}})
    for number in range(4):
        await slack.command(alice, general, f"/ticket new Number {number} type:bug")
    await at_rest(here)
    await slack.command(alice, general, "/ticket epics")
    await here.told(alice, "Epics")
    await slack.click(alice, general, slack.ephemerals(alice)[-1]["ts"], "epic_tickets")
    await at_rest(here)
    await slack.command(alice, general, "/ticket list")
    page = await here.told(alice, "Page 1")
    for button in ("page_next", "page_previous"):
        await slack.click(alice, general, page["ts"], button)
        await at_rest(here)


def shapes(here: Bench) -> list[Sent]:
    """Slack's published shapes, their blanks filled with what is there."""
    found: list[Sent] = []
    for file in sorted(SHAPES.glob("events/*.json")):
        found.append(("events_api", filled(here, json.loads(file.read_text(encoding="utf-8")))))
    for file in sorted(SHAPES.glob("payloads/*.json")):
        kind = "slash_commands" if file.name.startswith("SlashCommand") else "interactive"
        found.append((kind, filled(here, json.loads(file.read_text(encoding="utf-8")))))
    return found


def filled(here: Bench, value: Any, name: str = "") -> Any:
    """The shape with ids that exist in the places where ids stand."""
    known = {"user": here.alice, "channel": here.general, "team": here.slack.team_id, "team_id": here.slack.team_id}
    if isinstance(value, dict):
        return {key: filled(here, inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(here, inner, name) for inner in value]
    if value == "" and (name in known or name in ("user_id", "channel_id")):
        return known[name.removesuffix("_id") if name != "team_id" else name]
    if value == "" and (name == "ts" or name.endswith("_ts")):
        return "1795559710.465066"
    return value


def paths(value: Any, depth: int = 0) -> Iterator[tuple[Any, ...]]:
    """The places in a payload, down to where the doors look."""
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (key,)
        if depth < 5 and key not in ("blocks", "attachments", "bot_profile", "files"):
            yield from ((key, *rest) for rest in paths(inner, depth + 1))


def spoilt(payload: Json, path: tuple[Any, ...], put: Any, *, drop: bool) -> Json:
    """The payload with one place taken out, or with something odd in it."""
    made = copy.deepcopy(payload)
    at: Any = made
    for key in path[:-1]:
        at = at[key] if isinstance(at, dict) else at[key] if isinstance(at, list) and key < len(at) else {}
    if drop and isinstance(at, dict):
        at.pop(path[-1], None)
    elif isinstance(at, dict | list) and at:
        at[path[-1]] = put
    return made


def knock_with_spoilt(door: Door, sent: list[Sent], examples: int) -> None:
    """Sends payloads with something missing or odd in them; none may be answered with a 5xx."""
    places = [list(paths(payload)) for _, payload in sent]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(sent) - 1), st.integers(0, 10**6), st.sampled_from(ODD), st.booleans())
    def knock(which: int, place: int, put: Any, drop: bool) -> None:
        kind, payload = sent[which]
        path = places[which][place % len(places[which])]
        body, content_type = form_of(kind, spoilt(payload, path, put, drop=drop))
        assert door.post(body, content_type) < 500, (kind, path, put, drop)

    knock()


async def test_real_payloads_with_something_missing_or_odd_break_nothing(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, http=True, script=numbered()) as here:
        sent = await real_payloads(here)
        await asyncio.to_thread(knock_with_spoilt, Door(here), sent, 300)
        await here.ask(here.bob, here.general, f"{here.at} still there?", "Answer")


@pytest.mark.skipif(not SHAPES.is_dir(), reason="Slack's shapes are not beside the project (../shared/corpus)")
async def test_slacks_own_shapes_with_something_missing_or_odd_break_nothing(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, http=True, script=numbered()) as here:
        sent, door = shapes(here), Door(here)
        for kind, payload in sent:
            assert await door.send(kind, payload) < 500
        await asyncio.to_thread(knock_with_spoilt, door, sent, 200)
        await here.ask(here.bob, here.general, f"{here.at} still there?", "Answer")
