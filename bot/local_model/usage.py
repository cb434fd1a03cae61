"""Counts tokens and plays the prompt cache: a broken prefix shows in the usage as it would on the bill."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from bot.local_model.refusals import blocks_of
from bot.local_model.reply import Json

LOOKBACK = 20  # blocks before a breakpoint in which the API still finds an earlier entry


@dataclass
class Cache:
    """The prefixes seen so far, by hash; nothing expires."""

    known: set[str] = field(default_factory=set)

    def usage(self, body: Json) -> Json:
        """The input side of a message's usage; what this request marks is known from then on."""
        prefixes, marked = _prefixes(body)
        total = prefixes[-1][1] if prefixes else 0
        written = max((prefixes[i][1] for i in marked), default=0)
        near = {j for i in marked for j in range(max(0, i - LOOKBACK), i + 1)}
        read = max((prefixes[j][1] for j in near if prefixes[j][0] in self.known), default=0)
        self.known.update(prefixes[i][0] for i in marked)
        created = max(0, written - read)
        return {
            "input_tokens": total - max(read, written),
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": created,
            "cache_creation": {"ephemeral_5m_input_tokens": created, "ephemeral_1h_input_tokens": 0},
        }


def tokens(text: str) -> int:
    """A rough count, never zero: four characters a token."""
    return max(1, len(text) // 4)


def count_tokens(body: Json) -> int:
    prefixes, _marked = _prefixes(body)
    return prefixes[-1][1] if prefixes else 0


def _prefixes(body: Json) -> tuple[list[tuple[str, int]], list[int]]:
    """Hash and tokens of every prefix that ends with a block, and which blocks carry a breakpoint."""
    system = body.get("system", [])
    blocks: list[tuple[str, Json]] = [("tools", tool) for tool in body.get("tools", [])]
    blocks += [("system", b) for b in blocks_of({"content": system})]
    for n, message in enumerate(body["messages"]):
        blocks += [(f"{n} {message['role']}", block) for block in blocks_of(message)]
    digest, sofar = hashlib.sha256(str(body.get("model")).encode()), 0
    prefixes: list[tuple[str, int]] = []
    for where, block in blocks:
        bare = json.dumps({k: v for k, v in block.items() if k != "cache_control"}, sort_keys=True)
        digest.update(f"{where} {bare}\n".encode())
        sofar += tokens(bare)
        prefixes.append((digest.hexdigest(), sofar))
    return prefixes, [i for i, (_where, block) in enumerate(blocks) if block.get("cache_control")]
