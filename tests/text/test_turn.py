"""A turn asks, runs tools and sends within its bounds; each step is written down before the next,
so that nothing is done twice when somebody else goes on."""

import asyncio
from pathlib import Path

import pytest

from app.bridge.once import Outcome
from app.carriers.twilio.errors import (
    AccountError,
    OptedOutError,
    RateError,
    TransportError,
    TwilioError,
)
from app.live.opt_outs import Word
from app.models.openai_answer import FailureCause, TextFailed
from app.models.openai_chat import Called, Message, Returned
from app.text import sending, turn
from app.text.talk import Line, Talk, Turn, encode, read_talk
from tests.text.play import OURS, THEIRS, Played, calls, says


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    monkeypatch.setattr(turn, "RETRY_PAUSE_S", 0.0)
    monkeypatch.setattr(sending, "RATE_PAUSE_S", 0.0)
    return Played(tmp_path)


async def kept(world: Played) -> Talk:
    talk = read_talk((await world.store.look(world.conversation)).state)
    assert talk is not None
    return talk


async def test_tools_run_and_only_the_last_answer_is_sent(world: Played) -> None:
    world.answers = [says("One moment.", calls("a"), calls("b", "look")), says("Booked: 4711.")]
    await world.text("A table, please")
    assert await world.answered() == ["Booked: 4711."]
    assert [name for name, _, _ in world.ran] == ["book", "look"]
    assert {run_id for _, _, run_id in world.ran} == {"1-a", "1-b"}
    _, items, offered = world.asked[1]
    assert offered == ["book"]
    assert items == [
        Message("user", "A table, please"),
        Called("a", "book", "{}"),
        Returned("a", '{"code": "4711"}'),
        Called("b", "look", "{}"),
        Returned("b", '{"code": "4711"}'),
    ]
    assert [line.kind for line in (await kept(world)).lines] == ["caller", "tool", "tool", "agent"]


async def test_a_tool_is_written_down_before_it_runs(world: Played) -> None:
    known: list[str] = []

    def tool(name: str) -> Outcome:
        state = world.store._kept[world.conversation].state
        talk = read_talk(state)
        assert talk is not None
        assert talk.turn is not None
        known.extend(line.call_id for line in talk.turn.lines if line.kind == "tool")
        return Outcome(True, "{}")

    world.tool = tool
    world.answers = [says("", calls("a")), says("Done.")]
    await world.text("A table, please")
    assert await world.answered() == ["Done."]
    assert known == ["a"], "who takes over runs it under the same id"


async def test_what_was_said_beside_a_tool_is_sent_if_nothing_else_is(world: Played) -> None:
    world.answers = [says("I book it.", calls()), says("")]
    await world.text("A table, please")
    assert await world.answered() == ["I book it."]


async def test_a_model_that_calls_tools_for_ever_is_stopped(world: Played) -> None:
    world.answers = [says("", calls(f"c{n}")) for n in range(20)]
    await world.text("A table, please")
    (reply,) = await world.answered()
    assert reply.startswith("Sorry")
    assert len(world.asked) == turn.MOST_ROUNDS
    assert world.asked[-1][2] == [], "the last time no tools are on offer"
    assert len(world.ran) == turn.MOST_ROUNDS - 1


async def test_a_turn_has_an_end_in_time(world: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "TURN_S", 0.05)
    world.gate = asyncio.Event()
    await world.text("Hello?")
    (reply,) = await world.answered()
    assert reply.startswith("Sorry")


async def test_a_passing_failure_is_tried_once_more(world: Played) -> None:
    world.answers = [TextFailed("limited"), says("Hello.")]
    await world.text("Hello?")
    assert await world.answered() == ["Hello."]


@pytest.mark.parametrize(("cause", "asked"), [("refused", 1), ("unreachable", 2)])
async def test_a_failure_is_apologised_for_once_then_it_rests(
    world: Played, cause: FailureCause, asked: int
) -> None:
    world.answers = [TextFailed(cause)] * asked
    await world.text("Hello?")
    (sorry,) = await world.answered()
    assert sorry == world.sms.sorry
    await world.text("Are you there?")
    assert len(await world.answered()) == 1
    assert len(world.asked) == asked
    assert world.silent == ["resting"]

    world.clock.now_s += 600
    world.answers = [TextFailed(cause)] * asked
    await world.text("And now?")
    assert len(await world.answered()) == 1, "no second apology"
    world.clock.now_s += 600
    await world.text("And now?!")
    assert (await world.answered())[1:] == ["Yes."]
    said = [item.text for item in world.asked[-1][1] if isinstance(item, Message)]
    assert said == ["Hello?", sorry, "Are you there?", "And now?", "And now?!"]
    assert world.ends == ["apologised", "silent", "silent", "answered"]


async def test_a_long_reply_goes_out_in_order(world: Played) -> None:
    world.answers = [says("word " * 500)]
    await world.text("Tell me all")
    pieces = await world.answered()
    assert len(pieces) == 2
    assert " ".join(pieces).split() == ["word"] * 500


@pytest.mark.parametrize(
    ("error", "sent", "ended"),
    [
        (AccountError("no"), [], "not_sent"),
        (TransportError("?", outcome_unknown=True), [], "answered"),
        (OptedOutError("no"), [], "not_sent"),
        (RateError("slow"), ["Yes."], "answered"),
    ],
)
async def test_only_what_was_surely_not_sent_for_its_rate_is_sent_again(
    world: Played, error: TwilioError, sent: list[str], ended: str
) -> None:
    world.errors = [error]
    await world.text("Hello?")
    assert await world.answered() == sent
    assert world.ends == [ended]
    assert await world.outs.is_out(THEIRS) is isinstance(error, OptedOutError)
    said = [line.text for line in (await kept(world)).lines if line.kind == "agent"]
    assert said == (["Yes."] if ended == "answered" else [])


async def test_a_stop_between_two_parts_keeps_the_second_back(world: Played) -> None:
    def stop() -> None:
        world.outs.words[THEIRS] = Word(True, world.clock.now_s, "sms")

    world.answers = [says("word " * 500)]
    world.before_send = stop  # the first part has passed the question when they say it
    await world.text("Tell me all")
    assert len(await world.answered()) == 1
    assert world.ends == ["not_sent"]


async def test_policy_that_refuses_keeps_everything_back(world: Played) -> None:
    world.clears = False
    await world.text("Hello?")
    assert await world.answered() == []
    assert world.ends == ["not_sent"]


def begun(lines: list[Line], **more: object) -> Talk:
    talk = Talk("reception", OURS, THEIRS, version=1, turns=3)
    talk.turn = Turn(3, "text", lines)
    for name, value in more.items():
        setattr(talk.turn, name, value)
    return talk


TOOL = Line("tool", call_id="a", name="book", arguments="{}")


@pytest.mark.parametrize(
    ("talk", "ran", "asked", "sent"),
    [
        (begun([Line("caller", "Hello?")]), 0, 1, ["Yes."]),
        (begun([Line("caller", "Hello?"), TOOL], rounds=1), 1, 1, ["Yes."]),
        (begun([Line("caller", "Hello?")], reply=["One.", "Two."]), 0, 0, ["One.", "Two."]),
        (begun([Line("caller", "Hello?")], reply=["One.", "Two."], sent=1), 0, 0, ["Two."]),
        (
            begun([Line("caller", "Hello?")], reply=["One.", "Two."], sending=True),
            0,
            0,
            ["Two."],
        ),
        (begun([Line("caller", "Hello?")], reply=["One."], sending=True), 0, 0, []),
    ],
    ids=["begun", "tool", "reply", "one sent", "first under way", "last under way"],
)
async def test_a_turn_goes_on_from_wherever_it_was_left(
    world: Played, talk: Talk, ran: int, asked: int, sent: list[str]
) -> None:
    state = encode(talk)
    await world.store.save(world.conversation, 1, state)
    world.desk._see_to(world.conversation)
    assert await world.answered() == sent
    assert (len(world.ran), len(world.asked)) == (ran, asked)
    if ran:
        assert world.ran[0][2] == "3-a", "the run keeps its id"
    left = await kept(world)
    assert left.turn is None
    assert left.lines[0] == Line("caller", "Hello?")


async def test_a_tools_error_is_told_to_the_model(world: Played) -> None:
    world.tool = lambda name: Outcome(False, '{"error": "full"}')
    world.answers = [says("", calls()), says("We are full.")]
    await world.text("A table, please")
    assert await world.answered() == ["We are full."]
    assert Returned("c1", '{"error": "full"}') in world.asked[1][1]
