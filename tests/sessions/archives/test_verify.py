"""Any later change of an archived transcript is found, and its place is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sessions.archives.archive_file import as_text
from bot.sessions.archives.chain import Joint, chain_of, head, new_salt, salted_hash
from bot.sessions.archives.verify import Anchor, Change, check, compare

Content = dict[str, Any]
FIRST, SECOND, GONE = "m-101.000001", "t-k.1", "m-102.000001"


def made() -> Content:
    """A transcript in which one message was deleted and another edited after it was archived."""
    author = {"id": "UADA", "name": "Ada", "bot": False}
    old = {"id": FIRST, "role": "user", "content": "crop to circle", "timestamp": "T1", "author": author}
    now = {**old, "content": "crop to square", "editedAt": "T9"}
    secret = {"id": GONE, "role": "user", "content": "swordfish", "timestamp": "T2", "author": author}
    mark = {**secret, "content": "", "deletedAt": "T8"}
    answer = {"id": SECOND, "role": "assistant", "content": "Done.", "timestamp": "T3", "usage": {"input_tokens": 7}}
    tool = {"id": "turn.k.1.0", "role": "tool_use", "content": "update", "timestamp": "T3", "toolInput": {"n": 1.5}}
    end = {"id": "a-1", "role": "system", "content": "Archived.", "timestamp": "T4", "by": "UBEN", "ticketId": "T-042"}
    joints, replaced = [], {FIRST: now, GONE: mark}
    for entry in (old, secret, answer, tool, end, mark, now):
        live = entry["id"] not in replaced or entry is replaced[str(entry["id"])]
        salt = new_salt()
        joints.append(Joint(str(entry["id"]), salted_hash(salt, entry), salt if live else None))
    rest = {
        "id": "s-1",
        "status": "completed",
        "input": "crop to square",
        "output": "Done.",
        "linkedTicketId": "T-042",
        "title": "Avatar upload",
        "note": None,
        "archivedAt": "T4",
        "completedAt": "T4",
        "archivedBy": "UBEN",
        "source": {"type": "slack", "channel": "C1"},
    }
    chain = chain_of("s-1", joints, new_salt(), rest)
    return {**rest, "messages": [now, mark, answer, tool, end], "chain": chain}


@pytest.fixture
def content() -> Content:
    return made()


def changes(content: object) -> list[str]:
    return [str(change) for change in check(content).changes]


def test_what_was_not_changed_is_in_order_though_laid_out_anew(content: Content) -> None:
    found = check(json.loads(json.dumps(json.loads(as_text(content)), indent=4, sort_keys=True)))
    assert (found.chained, found.changes, found.deleted, found.erased) == (True, (), 1, 0)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value, also to those that hold others."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from leaves(one, (*path, key))


PATHS = sorted(leaves(made()), key=str)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def at(content: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def place_of(path: tuple[Any, ...], content: Content) -> str:
    """What must stand in the place that is named."""
    if path[0] == "messages" and len(path) > 1:
        return str(content["messages"][path[1]]["id"])
    return str(path[0])


@given(path=st.sampled_from(PATHS), value=JSON)
def test_any_value_that_is_changed_is_found_at_its_place(path: tuple[Any, ...], value: Any) -> None:
    content = made()
    before, here = copy.deepcopy(content), at(content, path[:-1])
    if json.dumps(here[path[-1]]) == json.dumps(value):
        return
    here[path[-1]] = value
    found = changes(content)
    assert found, (path, value)
    if path == ("id",):  # the chain begins with it
        return
    if path[0] == "messages" and len(path) > 2 and path[2] != "id":
        assert [one for one in found if place_of(path, before) in one], found
    elif path[0] not in ("messages", "chain"):
        assert found == [f"{path[0]}: it was changed"]


@given(path=st.sampled_from(PATHS))
def test_any_value_that_is_taken_away_is_found(path: tuple[Any, ...]) -> None:
    content = made()
    del at(content, path[:-1])[path[-1]]
    if path == ("chain",):
        assert not check(content).chained
        return
    assert changes(content), path


@given(path=st.sampled_from([(), *PATHS]), key=st.text(max_size=5), value=JSON)
def test_any_key_or_item_that_is_added_is_found(path: tuple[Any, ...], key: str, value: Any) -> None:
    content = made()
    here = at(content, path)
    if isinstance(here, dict) and key not in here:
        here[key] = value
    elif isinstance(here, list):
        here.append(value)
    else:
        return
    assert changes(content), (path, key, value)


@given(order=st.permutations(range(5)))
def test_messages_in_another_order_are_found(order: list[int]) -> None:
    content = made()
    content["messages"] = [content["messages"][n] for n in order]
    assert bool(changes(content)) == (order != sorted(order))


@given(order=st.permutations(range(7)))
def test_entries_in_another_order_are_found(order: list[int]) -> None:
    content = made()
    content["chain"]["entries"] = [content["chain"]["entries"][n] for n in order]
    assert bool(changes(content)) == (order != sorted(order))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("messages", 2, "content"), "Not done.", [f"entry 3 ({SECOND}): it was changed (assistant, message 3)"]),
        (("messages", 1, "content"), "swordfish", [f"entry 6 ({GONE}): it was changed (user, message 2)"]),
        (("messages", 3, "toolInput"), {"n": 2}, ["entry 4 (turn.k.1.0): it was changed (tool_use, message 4)"]),
        (("messages", 4, "by"), "UEVE", ["entry 5 (a-1): it was changed (system, message 5)"]),
        (("note",), "All done", ["note: it was changed"]),
        (("chain", "head"), "0" * 64, ["chain.head: it is not the last link of these entries"]),
        (("chain", "version"), 2, ["chain.version: this program knows version 1 alone"]),
        (("chain", "version"), True, ["chain.version: this program knows version 1 alone"]),
    ],
)
def test_the_place_is_named(content: Content, path: tuple[Any, ...], value: Any, told: list[str]) -> None:
    at(content, path[:-1])[path[-1]] = value
    assert changes(content) == told


def test_messages_that_are_added_doubled_or_gone_are_named(content: Content) -> None:
    more = copy.deepcopy(content)
    more["messages"].insert(1, {"id": "m-9", "role": "user", "content": "never said"})
    assert changes(more) == ["message 2 (m-9): it was added: the chain has no entry for it"]
    twice = copy.deepcopy(content)
    twice["messages"].append(twice["messages"][0])
    assert changes(twice) == [f"message 6 ({FIRST}): it stands there twice"]
    less = copy.deepcopy(content)
    del less["messages"][2]
    assert changes(less) == [f"entry 3 ({SECOND}): its message was taken away"]
    moved = copy.deepcopy(content)
    moved["messages"][2:4] = reversed(moved["messages"][2:4])
    assert changes(moved) == ["message 3 (turn.k.1.0): it was moved: it stood elsewhere"]


def test_a_message_cannot_be_taken_for_deleted(content: Content) -> None:
    del content["messages"][2]
    del content["chain"]["entries"][2]["salt"]
    assert changes(content) == [f"entry 3 ({SECOND}): its message was taken away"]
    content["messages"].insert(2, {"id": SECOND, "role": "assistant", "content": "", "deletedAt": "T9"})
    assert changes(content) == [f"entry 3 ({SECOND}): its salt was taken away, and no later entry took its place"]


def test_what_is_gone_cannot_be_guessed_from_its_hash(content: Content) -> None:
    gone = content["chain"]["entries"][1]
    author = {"id": "UADA", "name": "Ada", "bot": False}
    guess = {"id": GONE, "role": "user", "content": "swordfish", "timestamp": "T2", "author": author}
    salts = {entry["salt"] for entry in content["chain"]["entries"] if "salt" in entry}
    salts |= {content["chain"]["rest"]["salt"], ""}
    assert gone["hash"] not in {salted_hash(salt, guess) for salt in salts}


def rewritten(content: Content) -> Content:
    """The chain made anew over what stands there now, by somebody who has the file alone."""
    entries = [Joint(one["id"], "", salt := new_salt()) for one in content["messages"]]
    joints = [
        Joint(joint.id, salted_hash(joint.salt or "", one), joint.salt)
        for joint, one in zip(entries, content["messages"], strict=True)
    ]
    rest = {key: value for key, value in content.items() if key not in ("messages", "chain")}
    return {**content, "chain": chain_of(content["id"], joints, salt, rest)}


def anchor(content: Content, entries: int | None = None, **more: Any) -> Anchor:
    """What others know of this chain after so many entries."""
    joints = [Joint(one["id"], one["hash"], one.get("salt")) for one in content["chain"]["entries"]][:entries]
    return Anchor("the history of T-042", len(joints), head(content["id"], joints), **more)


def test_a_chain_made_anew_is_found_by_whoever_knows_the_old_one(content: Content) -> None:
    known = anchor(content, 5)
    content["messages"][2]["content"] = "Not done."
    content["output"] = "Not done."
    forged = rewritten(content)
    assert changes(forged) == []
    assert compare(check(forged), known) == Change(
        "entries 1 to 5", "they are not those that the history of T-042 knows"
    )
    hashes = tuple(one["hash"] for one in made_with(content)["chain"]["entries"])
    assert str(compare(check(forged), Anchor("the database", 5, known.head, hashes))).startswith("entry 1 (")


def made_with(content: Content) -> Content:
    """The same transcript, chained with other salts."""
    return rewritten(copy.deepcopy(content))


def test_the_database_names_the_first_entry_that_is_not_its_own(content: Content) -> None:
    hashes = [one["hash"] for one in content["chain"]["entries"]]
    hashes[3] = "0" * 64
    known = Anchor("the database", 7, "0" * 64, tuple(hashes))
    assert str(compare(check(content), known)) == ("entry 4 (turn.k.1.0): it is not the entry that the database knows")


def test_a_chain_that_was_cut_off_is_found(content: Content) -> None:
    known = anchor(content)
    content["messages"] = content["messages"][:2]
    content["output"] = None
    for key in ("note", "archivedAt", "completedAt", "archivedBy"):
        content[key] = None
    assert str(compare(check(rewritten(content)), known)) == (
        "after entry 2: the history of T-042 knows 7 entries: the rest was cut off"
    )


def test_a_chain_that_went_on_since_agrees(content: Content) -> None:
    assert [compare(check(content), anchor(content, n)) for n in range(8)] == [None] * 8


def test_a_chain_that_was_taken_out_is_found(content: Content) -> None:
    known = anchor(content)
    del content["chain"]
    assert str(compare(check(content), known)) == ("the file: its chain was taken out: the history of T-042 knows one")


def test_what_the_file_repeats_must_be_what_its_entries_say(content: Content) -> None:
    for key, value in {"note": "All done", "archivedBy": "UEVE", "output": "x", "linkedTicketId": "T-1"}.items():
        forged = copy.deepcopy(content)
        forged[key] = value
        rest = {one: forged[one] for one in forged if one not in ("messages", "chain")}
        joints = [Joint(one["id"], one["hash"], one.get("salt")) for one in forged["chain"]["entries"]]
        forged["chain"] = chain_of("s-1", joints, new_salt(), rest)
        assert changes(forged) == [f"{key}: it was changed: the entries say otherwise"]


def test_the_rest_is_compared_with_what_others_know(content: Content) -> None:
    known = anchor(content, rest=content["chain"]["rest"]["hashes"] | {"title": "0" * 64})
    assert str(compare(check(content), known)) == "title: it is not what the history of T-042 knows"


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        [],
        "text",
        7,
        {"chain": None},
        {"chain": {}, "id": "s-1"},
        {"chain": [], "id": "s-1", "messages": []},
        {"chain": {"version": 1, "entries": {}, "head": "", "rest": None}, "id": "s-1"},
        {
            "chain": {"version": 1, "entries": [None], "head": "0" * 64, "rest": {"salt": "0" * 32, "hashes": {}}},
            "id": 1,
        },
        {
            "chain": {"version": 1, "entries": [[]], "head": "0" * 64, "rest": {"salt": "0" * 32, "hashes": {}}},
            "id": "s-1",
            "messages": "x",
        },
        {
            "chain": {
                "version": 1,
                "entries": [{"id": "\ud800\x1b[2J", "hash": "0" * 64}],
                "head": "0" * 64,
                "rest": {"salt": "0" * 32, "hashes": {}},
            },
            "id": "s-1",
            "messages": [{"id": "\ud800\x1b[2J", "role": 7}],
        },
    ],
)
def test_hostile_content_is_told_in_a_sentence(hostile: Any) -> None:
    found = changes(hostile)
    assert found
    assert all(line.isprintable() for line in found)


def test_a_transcript_without_a_chain_is_no_changed_one() -> None:
    assert check({"id": "s-1", "messages": []}).chained is False
