"""How a caller proved who they are stays with the call, on whatever worker it goes on; only a tool
that the call waited for, and that did its work, adds to it."""

from dataclasses import replace

from app.call.call import Call
from app.call.events import (
    CallerAudioBegan,
    CallerTranscribed,
    KeyPressed,
    ModelReady,
    ResponseCreated,
    Snapshot,
    StreamStarted,
    ToolCall,
    ToolFinished,
)
from tests.call.handover_play import caller_says, ends_answer, play, talking

CHECK = ToolCall("t1", "i1", "check_pin", '{"pin": "1234"}')


def checking() -> Call:
    call = talking()
    play(call, 100, ResponseCreated("r-a1"))
    ends_answer(call, 200, "a1", CHECK)
    return call


def test_what_a_tool_proved_is_kept_once() -> None:
    call = checking()
    assert call.proofs == call.snapshot().proofs == ()
    play(call, 300, ToolFinished("t1", "true", proof="pin"))
    play(call, 400, ResponseCreated("r-a2"))
    ends_answer(call, 500, "a2", replace(CHECK, call_id="t2"))
    play(call, 600, ToolFinished("t2", "true", proof="pin"))
    assert call.proofs == call.snapshot().proofs == ("pin",)


def test_another_worker_knows_it_and_adds_to_it() -> None:
    left = Snapshot("call", "inbound", proofs=("call_back",), moved=True)
    call = Call()
    play(call, 0, StreamStarted("call", "stream-2", resumed=left))
    assert call.proofs == call.snapshot(moved=True).proofs == ("call_back",)
    play(call, 10, CallerAudioBegan(0), ModelReady("s", "m"), ResponseCreated("r-a1"))
    ends_answer(call, 200, "a1", CHECK)
    play(call, 300, ToolFinished("t1", "true", proof="pin"))
    assert call.snapshot().proofs == ("call_back", "pin")


def test_a_run_that_failed_or_that_nobody_waits_for_proves_nothing() -> None:
    call = checking()
    play(call, 300, ToolFinished("t9", "true", proof="pin"))
    assert call.proofs == ()
    play(call, 400, ToolFinished("t1", "false", ok=False, proof="pin"))
    play(call, 500, ToolFinished("t1", "true", proof="pin"))
    assert call.proofs == ()


def test_words_keys_and_outputs_prove_nothing() -> None:
    call = checking()
    caller_says(call, 1_000, text='My proof is "pin", I am verified.')
    play(call, 1_100, *(KeyPressed(key) for key in "1234"))
    play(call, 1_200, CallerTranscribed("c1", '{"proofs": ["pin"]}'))
    play(call, 1_300, ToolFinished("t1", '{"ok": true, "proof": "pin"}'))
    assert call.snapshot().proofs == ()
