"""The benchmark of turns measures what it says, in small: both programs answer; delays and shares are read right."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.turns import behind, cpu, crowd, lag, shares, verdict
from benchmarks.turns_world import APPENDS_A_MINUTE, Budget, TimedModel, reads_and_tells, told
from bot.local_slack.faults import Call

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc")


@needs_proc
async def test_the_bot_and_the_bare_loop_answer_the_same_turn_and_both_are_measured(tmp_path: Path) -> None:
    ours, bare = await cpu(tmp_path, 1, pieces=4, pace=0.0)
    assert ours > bare > 0


async def test_the_text_of_one_thread_is_at_most_a_second_behind(tmp_path: Path) -> None:
    lags = await lag(tmp_path, pieces=40, pace=0.04)
    assert len(lags) == 41
    assert 0 < max(lags) <= 1.5  # 1 is the aim; beside other tests the machine may be slow


async def test_threads_at_work_get_their_signs_and_no_call_is_refused(tmp_path: Path) -> None:
    signs, each, most, refused = await crowd(tmp_path, 0, threads=3, pieces=45, pace=0.1, apart=0.0)
    assert len(signs) == 3
    assert max(signs) < 5
    assert len(each) == 3
    assert 0 < most <= APPENDS_A_MINUTE
    assert refused == 0


def test_appends_are_counted_for_each_thread_and_within_any_minute() -> None:
    calls = [
        *(Call("chat.startStream", {"thread_ts": f"t{n}"}, {"ok": True, "ts": f"m{n}"}, 0.0) for n in range(2)),
        *(Call("chat.appendStream", {"ts": "m0"}, {"ok": True}, at) for at in (1.0, 50.0, 62.0)),
        Call("chat.appendStream", {"ts": "m1"}, {"ok": False, "error": "ratelimited"}, 63.0),
    ]
    assert shares(calls, 2) == ([0, 3], 2, 1)


def test_a_piece_is_on_screen_with_the_call_that_completes_it() -> None:
    model = TimedModel(reads_and_tells(1), pace=0)
    model.sent = [1.0, 2.0, 3.0]
    pieces = told(2).split()
    calls = [
        Call("chat.startStream", {"markdown_text": pieces[0] + "wo"}, {"ok": True}, 1.5),
        Call("chat.stopStream", {"markdown_text": pieces[1][2:] + pieces[2]}, {"ok": True}, 4.0),
    ]
    assert behind(model, calls, 2) == [0.5, 2.0, 1.0]


def test_more_appends_than_slack_allows_are_refused() -> None:
    budget = Budget()
    taken = [budget.take("chat.appendStream") for _ in range(APPENDS_A_MINUTE + 1)]
    assert [fault is None for fault in taken] == [True] * APPENDS_A_MINUTE + [False]
    assert budget.refused == 1
    assert budget.take("chat.stopStream") is None


def test_an_aim_that_is_missed_is_said() -> None:
    assert verdict(1.25, 1.3, "×") == "1.25 × (at most 1.3 × wanted: holds)"
    assert verdict(3, 1.3, "×").endswith("DOES NOT HOLD)")
