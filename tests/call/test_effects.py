"""What a tool does to the call itself happens once, after the agent's last word, and never against
a caller who speaks."""

from app.call.call import Call
from app.call.commands import CreateResponse, EndCall, OpenLeg, PlayKeys, SendToolOutput, TakeLeg
from app.call.crew import NOT_THERE, TAKE_OVER, Colleague, Who
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    Effect,
    ItemAdded,
    ModelClosed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    Returned,
    SpeechStarted,
    StreamStarted,
    TonesMade,
    ToolCall,
    ToolFinished,
)
from app.call.phases import CallSettings, Phase
from app.call.relay import RelayState
from app.call.relay_settings import RelaySettings
from tests.call.handover_play import LATE_MS, caller_says, of, play, talking, until

TRANSFER = ToolCall("t1", "i1", "transfer_call", '{"to": "desk"}')
CONNECTING = '{"ok": true}'
PLAN = "the plan"
LEAVE = Effect("leave", PLAN, "Say that you connect them.")
NEWS = Returned('{"status": "no answer"}', "Say that nobody answered.")


def calls_tool(call: Call, now_ms: int, *, speaks_ms: int = 0, tool: ToolCall = TRANSFER) -> None:
    """The answer to the caller calls a tool, maybe after some words."""
    play(call, now_ms, ResponseCreated("r1"), ItemAdded("r1", "a1", "message"))
    if speaks_ms:
        play(call, now_ms, AudioReceived("r1", "a1", speaks_ms * 8))
    play(call, now_ms, ResponseFinished("r1", "completed", tool_calls=(tool,)))


def asked(call: Call) -> Call:
    caller_says(call, 1_000)
    return call


def test_a_call_leaves_after_the_agents_last_word_and_tells_the_plan() -> None:
    call = asked(talking())
    calls_tool(call, 1_100, speaks_ms=500)
    assert play(call, 1_200, ToolFinished("t1", CONNECTING, effect=LEAVE)) == []
    assert call.phase is Phase.GOODBYE

    assert of(EndCall, until(call, 10_000)) == [EndCall(EndReason.HANDED_ON, PLAN)]


def test_an_agent_that_said_nothing_says_a_sentence_first() -> None:
    call = asked(talking())
    calls_tool(call, 1_100)
    [asks] = play(call, 1_200, ToolFinished("t1", CONNECTING, effect=LEAVE))

    assert isinstance(asks, CreateResponse)
    assert asks.instructions == LEAVE.say
    assert call.phase is Phase.GOODBYE
    ended = of(EndCall, until(call, 20_000))
    assert ended == [EndCall(EndReason.HANDED_ON, PLAN)], "it leaves also when the model is mute"


def test_what_the_call_was_left_for_stands_in_its_memory() -> None:
    call = asked(talking())
    calls_tool(call, 1_100, speaks_ms=500)
    play(call, 1_200, ToolFinished("t1", CONNECTING, effect=LEAVE))
    until(call, 10_000)

    [tool] = [entry for entry in call.snapshot().entries if entry.kind == "tool"]
    assert tool.output == CONNECTING


def test_a_caller_who_speaks_takes_the_leaving_back_and_the_model_is_told() -> None:
    call = asked(talking())
    calls_tool(call, 1_100, speaks_ms=3_000)
    play(call, 1_200, ToolFinished("t1", CONNECTING, effect=LEAVE))
    commands = play(call, 1_500, SpeechStarted("c2", 1_300, 1_500))

    [refusal] = of(SendToolOutput, commands)
    assert refusal.call_id == "t1"
    assert '"ok": false' in refusal.output
    assert call.phase is Phase.TALKING
    [tool] = [entry for entry in call.snapshot().entries if entry.kind == "tool"]
    assert tool.output == refusal.output, "another worker must not believe that they were connected"


def test_a_caller_who_is_speaking_already_is_not_sent_away() -> None:
    call = asked(talking())
    calls_tool(call, 1_100)
    play(call, 1_200, SpeechStarted("c2", 1_000, 1_200))
    [refusal] = of(SendToolOutput, play(call, 1_300, ToolFinished("t1", "{}", effect=LEAVE)))

    assert '"ok": false' in refusal.output
    assert call.phase is Phase.TALKING


def test_a_tool_that_failed_has_no_effect() -> None:
    call = asked(talking())
    calls_tool(call, 1_100)
    commands = play(call, 1_200, ToolFinished("t1", "{}", ok=False, effect=LEAVE))

    assert [type(c) for c in commands] == [SendToolOutput, CreateResponse]
    assert call.phase is Phase.TALKING


def test_a_call_that_is_back_is_told_what_came_of_it() -> None:
    left = asked(talking())
    calls_tool(left, 1_100, speaks_ms=500)
    play(left, 1_200, ToolFinished("t1", CONNECTING, effect=LEAVE))
    until(left, 10_000)

    call = Call(CallSettings(greeting="Greet."))
    started = StreamStarted("call", "stream-2", resumed=left.snapshot(moved=True), returned=NEWS)
    commands = play(call, 0, started, CallerAudioBegan(0), ModelReady("s", "m"))

    [taken] = of(TakeLeg, commands)
    [tool] = [entry for entry in taken.entries if entry.kind == "tool"]
    assert tool.output == NEWS.output
    assert [c.instructions for c in of(CreateResponse, commands)] == [NEWS.say]


# Another agent


def with_colleague(models: int = 1) -> Call:
    relay = RelaySettings(session_ms=LATE_MS, give_up_ms=LATE_MS, attempt_ms=1_500, filler="")
    settings = CallSettings(
        agent="desk", colleagues=(Colleague("appointments", models),), relay=relay
    )
    call = Call(settings)
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))
    return asked(call)


HAND_OVER = ToolFinished("t1", "{}", effect=Effect("agent", "appointments"))


def test_another_agent_takes_over_in_a_leg_of_its_own() -> None:
    call = with_colleague(models=2)
    calls_tool(call, 1_100)
    commands = play(call, 1_200, HAND_OVER)

    [opened] = of(OpenLeg, commands)
    assert (opened.agent, opened.leg, opened.model) == ("appointments", 2, 0)
    assert of(CreateResponse, commands) == [], "the first agent does not answer any more"
    taking = play(call, 1_500, ModelReady("s2", "m", leg=2)) + until(call, 3_000)
    assert [c.leg for c in of(TakeLeg, taking)] == [2]
    assert [c.instructions for c in of(CreateResponse, taking)] == [TAKE_OVER]
    assert call.handover.crew.who == Who("appointments")
    assert call.handover.relay.cause == "agent"
    assert call.snapshot().agent == "appointments"


def test_an_agent_that_cannot_be_reached_leaves_the_call_with_the_first_one() -> None:
    call = with_colleague()
    calls_tool(call, 1_100)
    play(call, 1_200, HAND_OVER)
    commands = play(call, 1_400, ModelClosed("refused", "no such model", leg=2))

    assert [c.instructions for c in of(CreateResponse, commands)] == [NOT_THERE]
    assert call.handover.relay.state is RelayState.CARRYING
    assert call.handover.crew.who == Who()


def test_an_agent_whose_session_does_not_open_in_time_is_given_up_too() -> None:
    call = with_colleague()
    calls_tool(call, 1_100)
    play(call, 1_200, HAND_OVER)
    commands = until(call, 1_200 + 1_500)

    assert [c.instructions for c in of(CreateResponse, commands)] == [NOT_THERE]
    assert call.handover.crew.who == Who()


def test_an_agent_that_is_not_there_is_none() -> None:
    call = with_colleague()
    calls_tool(call, 1_100)
    commands = play(call, 1_200, ToolFinished("t1", "{}", effect=Effect("agent", "nobody")))

    assert of(OpenLeg, commands) == []
    assert [c.instructions for c in of(CreateResponse, commands)] == [NOT_THERE]


def test_the_first_agent_carries_the_call_until_the_other_is_there_and_after_a_loss_the_other() -> (
    None
):
    call = with_colleague()
    calls_tool(call, 1_100)
    play(call, 1_200, HAND_OVER)
    commands = play(call, 1_300, ModelClosed("lost", "", leg=1), ModelReady("s2", "m", leg=2))

    assert [c.leg for c in of(TakeLeg, commands)] == [2]
    assert [c.instructions for c in of(CreateResponse, commands)] == [TAKE_OVER]


def test_a_second_agent_is_opened_instead_of_one_that_is_on_its_way() -> None:
    call = with_colleague()
    calls_tool(call, 1_100)
    play(call, 1_200, HAND_OVER)
    back = ToolFinished("t2", "{}", effect=Effect("agent", "desk"))
    play(call, 1_250, ResponseCreated("r2"))
    second = ToolCall("t2", "i2", "hand_over", "{}")
    play(call, 1_260, ResponseFinished("r2", "completed", tool_calls=(second,)))
    [opened] = of(OpenLeg, play(call, 1_300, back))

    assert (opened.leg, opened.agent) == (3, "desk")


def test_another_language_is_another_leg_that_knows_it() -> None:
    call = asked(talking())
    calls_tool(call, 1_100)
    commands = play(call, 1_200, ToolFinished("t1", "{}", effect=Effect("language", "de")))

    [opened] = of(OpenLeg, commands)
    assert (opened.agent, opened.language) == ("", "de")
    assert "code de" in opened.context
    taking = play(call, 1_500, ModelReady("s2", "m", leg=2)) + until(call, 3_000)
    [asks] = of(CreateResponse, taking)
    assert "Go on in de" in asks.instructions
    assert call.handover.relay.cause == "language"


# Keys


def test_keys_are_made_and_sound_after_what_is_being_said_unknown_to_the_model() -> None:
    call = asked(talking())
    calls_tool(call, 1_100, speaks_ms=400)
    commands = play(call, 1_200, ToolFinished("t1", "{}", effect=Effect("keys", "12#")))

    assert of(PlayKeys, commands) == [PlayKeys("12#")]
    before = call.playout.unplayed
    play(call, 1_210, TonesMade("12#", 4_800))
    assert call.playout.unplayed
    assert before
    assert "12#" not in str(call.transcript.as_json())
