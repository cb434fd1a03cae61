"""Ids in every spelling."""

import pytest

from bot.tickets.ids import IdKey, id_key, mentions, nearest, written


@pytest.mark.parametrize("spelling", ["T-042", "t-42", "T-0042", "T42", "42", " T 042 ", "t_42"])
def test_every_spelling_of_an_id_is_the_same_id(spelling: str) -> None:
    assert id_key(spelling) == IdKey("T", 42)


@pytest.mark.parametrize("text", ["", "T-", "../T-042", "T-042/../x", "TOOLONG-1", "T-4a", "T-042\x00", "T--1", "#"])
def test_what_is_no_id_is_none(text: str) -> None:
    assert id_key(text) is None


def test_a_hash_sign_is_a_prefix_and_numbers_grow_past_999() -> None:
    assert id_key("#-012") == id_key("#12") == IdKey("#", 12)
    assert [written("T", 7), written("#", 1_000)] == ["T-007", "#-1000"]


def test_ids_in_links_and_code_are_left_alone() -> None:
    text = """T-001, see (t-2): `T-003` ```
    T-004``` <https://x.y/T-005|T-006> https://x.y/T-007 <@T-008> feature/T-009-x T-010. T-011.yaml
    utf-8 T-012's #-013 """
    assert mentions(text) == ["T-001", "t-2", "T-010", "utf-8", "T-012", "#-013"]
    assert mentions("an open fence ``` T-001") == []


def test_nearest_ids_are_slips_of_the_hand_and_neighbours() -> None:
    known = [IdKey("T", number) for number in (4, 24, 41, 42, 420, 900)] + [IdKey("B", 42)]
    assert nearest(IdKey("T", 402), known) == [IdKey("T", 420), IdKey("T", 42), IdKey("B", 42)]
    assert nearest(IdKey("T", 43), known)[:2] == [IdKey("T", 42), IdKey("T", 41)]
    assert nearest(IdKey("X", 123456), known) == []
