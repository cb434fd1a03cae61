"""The chain of an archived transcript: salted hashes of its entries, each joined to all that stood before it.

How anybody can check it, with SHA-256 and JSON alone (`canonical`: keys sorted, no spaces, ASCII):

    hash of an entry = sha256(salt, newline, canonical(entry))
    link 0           = sha256("sciorex-slack archive 1", newline, id of the session)
    link n           = sha256(link n-1, newline, hash of entry n, newline, id of entry n)

`chain.entries` has the ids, hashes and salts in their order, `chain.head` is the last link. An entry that was changed,
deleted or erased since has lost its salt, and a later one of the same id took its place: what it said cannot be
guessed from its hash, and the chain stays what it was. Messages stand in the order in which their ids first came.
`chain.rest` has a hash for every other key of the file: sha256(salt, newline, canonical([key, value])).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

VERSION = 1
NOT_REST = ("messages", "chain")


@dataclass(frozen=True)
class Joint:
    """An entry's place in the chain; `salt` is None once another entry of the same id took its place."""

    id: str
    hash: str
    salt: str | None


def canonical(value: object) -> str:
    """The one way in which a JSON value is written to be hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def new_salt() -> str:
    """Sixteen random bytes, in hexadecimal digits."""
    return secrets.token_hex(16)


def salted_hash(salt: str, value: object) -> str:
    """What proves a value, and does not give it away to whoever lacks the salt."""
    return _sha256(salt, canonical(value))


def links(session_id: str, joints: Sequence[Joint]) -> Iterator[str]:
    """The chain's links: that of the session, which stands before all entries, then one for each entry."""
    link = _sha256(f"sciorex-slack archive {VERSION}", session_id)
    yield link
    for joint in joints:
        link = _sha256(link, joint.hash, joint.id)
        yield link


def head(session_id: str, joints: Sequence[Joint]) -> str:
    """The last link."""
    *_, last = links(session_id, joints)
    return last


def chain_of(session_id: str, joints: Sequence[Joint], rest_salt: str, rest: Mapping[str, object]) -> dict[str, object]:
    """The chain as a transcript's file has it; `rest` is what the file holds beside messages and chain."""
    return {
        "version": VERSION,
        "entries": [
            {"id": joint.id, "hash": joint.hash, **({"salt": joint.salt} if joint.salt else {})} for joint in joints
        ],
        "head": head(session_id, joints),
        "rest": {"salt": rest_salt, "hashes": rest_hashes(rest_salt, rest)},
    }


def rest_hashes(salt: str, rest: Mapping[str, object]) -> dict[str, str]:
    """A hash for each key of the rest, in the order of the keys."""
    return {key: salted_hash(salt, [key, value]) for key, value in rest.items()}


def _sha256(*lines: str) -> str:
    # A hostile file may hold what is no text in UTF-8; that has a hash too, and is found out by it.
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
