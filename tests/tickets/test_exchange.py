"""A file takes another's place only when that one is what it was taken for; editors save at the worst moment."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.tickets import exchange
from bot.tickets.exchange import put_in_place


@pytest.fixture
def new(tmp_path: Path) -> Path:
    path = tmp_path / "new.tmp"
    path.write_text("ours")
    return path


@pytest.fixture
def ticket(tmp_path: Path) -> Path:
    path = tmp_path / "T-042.yaml"
    path.write_text("before")
    return path


def save(path: Path, text: str) -> None:
    """As many editors save: under another name, then renamed."""
    saved = path.with_suffix(".swp")
    saved.write_text(text)
    saved.replace(path)


Acts = list[Callable[[], object]]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Acts:
    """What others do just before each swap, one act a swap."""
    acts: Acts = []
    swap = exchange.exchange

    def late(a: Path, b: Path) -> bool:
        if acts:
            acts.pop(0)()
        return swap(a, b)

    monkeypatch.setattr(exchange, "exchange", late)
    return acts


@pytest.fixture
def swaps(new: Path, ticket: Path) -> None:
    if not exchange.exchange(new, ticket):
        pytest.skip("this system or disk cannot swap two files")
    exchange.exchange(new, ticket)


def test_two_files_swap_their_names(swaps: None, new: Path, ticket: Path) -> None:
    inodes = new.stat().st_ino, ticket.stat().st_ino
    assert exchange.exchange(new, ticket)
    assert (ticket.read_text(), new.read_text()) == ("ours", "before")
    assert (ticket.stat().st_ino, new.stat().st_ino) == inodes


def test_a_swap_with_a_missing_file_is_an_error(swaps: None, new: Path, ticket: Path) -> None:
    ticket.unlink()
    with pytest.raises(FileNotFoundError) as missing:
        exchange.exchange(new, ticket)
    assert missing.value.errno == errno.ENOENT
    assert new.read_text() == "ours"


def test_a_file_that_is_as_expected_is_replaced(new: Path, ticket: Path) -> None:
    assert put_in_place(new, ticket, b"before")
    assert ticket.read_text() == "ours"


def test_a_file_that_was_saved_before_stays(new: Path, ticket: Path) -> None:
    save(ticket, "theirs")
    assert not put_in_place(new, ticket, b"before")
    assert ticket.read_text() == "theirs"


def test_a_save_by_rename_at_the_last_moment_stays(swaps: None, new: Path, ticket: Path, between: Acts) -> None:
    between.append(lambda: save(ticket, "theirs"))
    assert not put_in_place(new, ticket, b"before")
    assert (ticket.read_text(), new.read_text()) == ("theirs", "ours")


def test_a_save_in_place_at_the_last_moment_stays(swaps: None, new: Path, ticket: Path, between: Acts) -> None:
    between.append(lambda: ticket.write_text("theirs"))
    assert not put_in_place(new, ticket, b"before")
    assert ticket.read_text() == "theirs"


def test_a_save_in_place_that_is_under_way_ends_in_the_ticket(
    swaps: None, new: Path, ticket: Path, between: Acts
) -> None:
    with ticket.open("r+") as file:

        def truncated() -> None:
            file.truncate(0)

        between.append(truncated)
        assert not put_in_place(new, ticket, b"before")
        file.write("theirs")
    assert ticket.read_text() == "theirs"


def test_of_several_saves_the_last_one_stays(swaps: None, new: Path, ticket: Path, between: Acts) -> None:
    between.extend(lambda text=text: save(ticket, text) for text in ("one", "two", "three"))  # type: ignore[misc]
    assert not put_in_place(new, ticket, b"before")
    assert (ticket.read_text(), between) == ("three", [])


def test_a_file_that_was_removed_stays_away(swaps: None, new: Path, ticket: Path, between: Acts) -> None:
    between.append(ticket.unlink)
    with pytest.raises(FileNotFoundError):
        put_in_place(new, ticket, b"before")
    assert not ticket.exists()


def test_a_file_that_is_removed_between_two_swaps_stays_away(
    swaps: None, new: Path, ticket: Path, between: Acts
) -> None:
    between += [lambda: save(ticket, "theirs"), ticket.unlink]
    assert not put_in_place(new, ticket, b"before")
    assert not ticket.exists()


def test_without_swapping_the_last_look_comes_before_the_rename(
    new: Path, ticket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "exchange", lambda a, b: False)
    assert not put_in_place(new, ticket, b"another")
    assert put_in_place(new, ticket, b"before")
    assert (ticket.read_text(), new.exists()) == ("ours", False)
