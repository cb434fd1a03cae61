"""When the bot answers, and when it only listens."""

from bot.slack.intake.listening import Room, answers

BOT = "U0BOT"
ALONE = Room(direct=False, speakers=frozenset({"U0ALICE"}), asked=None)
TOGETHER = Room(direct=False, speakers=frozenset({"U0ALICE", "U0BOB"}), asked=None)


def listens(text: str, user: str = "U0ALICE", room: Room = ALONE, *, by_bot: bool = False) -> bool:
    return answers(text, user, by_bot=by_bot, bot_user=BOT, room=room)


def test_in_a_direct_message_it_always_answers() -> None:
    assert listens("hello <@U0BOB>", room=Room(True, frozenset(), None))


def test_it_answers_without_a_mention_while_one_person_speaks() -> None:
    assert listens("and now?")
    assert not listens("what is this about?", user="U0BOB")


def test_once_a_second_person_has_spoken_it_waits_to_be_mentioned() -> None:
    assert not listens("and now?", room=TOGETHER)
    assert listens(f"<@{BOT}> and now?", room=TOGETHER)


def test_the_person_it_asked_needs_no_mention() -> None:
    asked = Room(False, TOGETHER.speakers, asked="U0ALICE")
    assert listens("yes, do", room=asked)
    assert not listens("yes, do", user="U0BOB", room=asked)


def test_a_message_for_somebody_else_is_left_alone() -> None:
    assert not listens("<@U0BOB> what do you think?")
    assert listens(f"<@{BOT}> and <@U0BOB>, what do you think?")


def test_in_a_thread_that_is_no_session_it_waits_to_be_mentioned() -> None:
    nobody = Room(direct=False, speakers=frozenset(), session=False)
    assert not listens("shall we?", room=nobody)
    assert listens(f"<@{BOT}> shall we?", room=nobody)


def test_another_bot_is_never_answered() -> None:
    assert not listens(f"<@{BOT}> build failed", by_bot=True)
