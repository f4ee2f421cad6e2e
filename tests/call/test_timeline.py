"""Every happening is written to the turn that it belongs to, and the record stays in proportion."""

import json

from app.call.endings import EndReason
from app.call.timeline import Interruption, Stamp, Timeline, ToolRun


def test_the_first_happening_of_its_kind_counts() -> None:
    turn = Timeline().begin("caller")
    turn.stamp(Stamp.FIRST_MODEL_AUDIO, 100)
    turn.stamp(Stamp.FIRST_MODEL_AUDIO, 200)

    assert turn.stamps == {Stamp.FIRST_MODEL_AUDIO: 100}


def test_a_response_stays_with_the_turn_in_which_it_began() -> None:
    timeline = Timeline()
    first = timeline.begin("caller")
    timeline.response("r1")
    second = timeline.begin("caller")

    assert timeline.response("r1") is first
    assert timeline.response("r2") is second
    assert (first.response_ids, second.response_ids) == (["r1"], ["r2"])


def test_a_response_belongs_to_the_turn_that_asked_for_it() -> None:
    timeline = Timeline()
    first = timeline.begin("caller")
    timeline.begin("caller")

    assert timeline.response("r1", first) is first


def test_an_item_belongs_to_the_turn_of_its_response() -> None:
    timeline = Timeline()
    first = timeline.begin("caller")
    timeline.response("r1")
    timeline.begin("caller")

    assert timeline.item("a", "r1") is first
    assert timeline.item("a") is first


def test_speech_is_found_by_its_item_whatever_began_since() -> None:
    timeline = Timeline()
    speech = timeline.begin("caller")
    speech.caller_item_id = "c1"
    newest = timeline.begin("keys")

    assert timeline.caller("c1") is speech
    assert timeline.caller("unknown") is newest


def test_a_model_that_begins_by_itself_begins_a_turn() -> None:
    timeline = Timeline()
    timeline.response("r1")

    assert [turn.cause for turn in timeline.turns] == ["model"]


def test_a_tool_is_found_in_the_turn_that_ran_it() -> None:
    timeline = Timeline()
    run = ToolRun("t1", "book", 100)
    timeline.begin("caller").tools.append(run)
    timeline.begin("caller")

    assert timeline.tool("t1") is run
    assert timeline.tool("t2") is None


def test_latency_is_what_the_caller_perceived_on_the_carriers_clock() -> None:
    turn = Timeline().begin("caller")
    assert turn.perceived_latency_ms is None
    turn.speech_ended_carrier_ms, turn.first_played_carrier_ms = 4_000, 4_700

    assert turn.perceived_latency_ms == 700


def test_time_between_two_stamps_needs_both() -> None:
    turn = Timeline().begin("caller")
    turn.stamp(Stamp.CLEAR_SENT, 100)
    assert turn.between_ms(Stamp.CLEAR_SENT, Stamp.SILENCE_REACHED) is None
    turn.stamp(Stamp.SILENCE_REACHED, 180)

    assert turn.between_ms(Stamp.CLEAR_SENT, Stamp.SILENCE_REACHED) == 80


def test_the_share_of_an_answer_that_was_heard_is_a_whole_percent() -> None:
    assert Interruption(999, 2_000, "fence").percent == 49
    assert Interruption(0, 0, "unsent").percent == 0


def test_the_record_is_plain_json() -> None:
    timeline = Timeline()
    turn = timeline.begin("caller")
    turn.stamp(Stamp.CLEAR_SENT, 100)
    turn.interruption = Interruption(500, 1_000, "fence")
    turn.tools.append(ToolRun("t1", "book", 100))
    timeline.note(50, "fallback", "by clock")
    timeline.close(EndReason.CARRIER_LOST, "reset", 900)

    record = json.loads(json.dumps(timeline.as_json()))

    assert record["turns"][0]["stamps_ms"] == {"clear_sent": 100}
    assert record["turns"][0]["interruption"]["percent"] == 50
    assert (record["end_reason"], record["end_fault"]) == ("carrier_lost", "carrier")
    assert record["notes"] == [{"at_ms": 50, "kind": "fallback", "text": "by clock"}]


def test_what_is_not_the_record_itself_does_not_grow() -> None:
    timeline = Timeline()
    for n in range(10_000):
        timeline.begin("caller")
        timeline.item(f"i{n}", f"r{n}")

    assert len(timeline._by_item) <= 64
    assert len(timeline._by_response) <= 64
