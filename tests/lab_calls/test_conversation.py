"""A whole conversation over real sockets: who speaks when, what is remembered, what is on disk;
the same over Twilio, over a PBX and over SIP.

One long call has every kind of turn in it; the calls beside it end in the other ways.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from app.call.transcript import INTERRUPTED
from app.cli import earshot
from app.lab.phone.impairments import Impairments
from app.lab.phone.script import HangUp, Interrupt, Press, Say, Script, Silence, WaitForBot
from app.lab.realtime.ports import CallFunction
from app.lab.realtime.ports import Say as ModelSays
from app.lab.speech.coded import coded_audio
from tests.lab_calls.cast import CARRIERS, Carrier, Recorded, call, calm, line, shout, stage_for

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

HOURS, NO, BYE = 1_901, 1_902, 1_903
WORDS = {HOURS: "When are you open?", NO: "No, a table please.", BYE: "Goodbye."}
BOOK = CallFunction("book_table", {"party_size": 2, "time": "19:00"})
BOOK_TOO = CallFunction("book_table", {"party_size": 4, "time": "20:00"})
STORY = "We are open every day from noon to ten in the evening, and on Sundays until nine."
FAREWELL = coded_audio(9, 0, 1_003, quiet=False) + b"\xaa\xab\xac"
"""Neither whole frames nor whole milliseconds."""
ANSWERS = (
    [line(1, 700, "Hello.")],
    [line(2, 600, "Yes."), line(3, 4_000, STORY), line(4, 600, "And holidays.")],
    [line(5, 700, "One moment."), BOOK, BOOK_TOO],
    [line(6, 600, "Both are booked.")],
    [line(7, 600, "You pressed four two.")],
    [ModelSays("Goodbye then.", FAREWELL), CallFunction("hang_up")],
)
SCRIPT = Script(
    (
        WaitForBot.finished(200),
        Say(shout(HOURS), "hours"),
        Interrupt(shout(NO), 1_600, "no"),
        WaitForBot.finished(500, said_ms=1_100),
        Press("42", gap_ms=60),
        WaitForBot.finished(200, said_ms=1_850),  # of all three answers since "no"
        Say(shout(BYE), "bye"),
    )
)
LATE_MEDIA_MS = 700


@dataclass(frozen=True, slots=True)
class Calls:
    carrier: Carrier
    long: Recorded
    """Every kind of turn; the agent hangs up."""
    late: Recorded
    """The caller's first media comes long after the model is ready; the caller hangs up."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def all_calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Calls]]:
    """Held side by side."""

    async def one(carrier: Carrier, script: Script, *answers: object) -> Recorded:
        folder = tmp_path_factory.mktemp("call")
        network = Impairments(delay_ms=40, jitter_ms=30)
        async with stage_for(folder, *answers, words=WORDS) as stage:  # type: ignore[arg-type]
            return await call(stage, script, network, carrier=carrier)

    async def over(carrier: Carrier) -> Calls:
        late = Script((Silence(LATE_MEDIA_MS), WaitForBot.started(), HangUp()))
        long, late_call = await asyncio.gather(
            one(carrier, SCRIPT, *ANSWERS), one(carrier, late, [line(1, 3_000)])
        )
        return Calls(carrier, long, late_call)

    async def over_each() -> dict[str, Calls]:
        return {calls.carrier: calls for calls in await asyncio.gather(*map(over, CARRIERS))}

    def worst_lag_ms(held: dict[str, Calls]) -> float:
        calls = (call for one in held.values() for call in (one.long, one.late))
        return max(call.report.max_lag_ms for call in calls)

    yield await calm(over_each, worst_lag_ms)


@pytest.fixture(params=CARRIERS)
def calls(request: pytest.FixtureRequest, all_calls: dict[str, Calls]) -> Calls:
    return all_calls[request.param]


async def test_the_call_goes_as_scripted_and_nobody_has_anything_to_report(calls: Calls) -> None:
    for recorded in (calls.long, calls.late):
        report = recorded.report
        assert report.as_scripted, (report.ended_by, report.unfinished, report.errors)
        assert not report.errors
        assert recorded.model.errors == []
        assert recorded.model.notes == []


async def test_the_greeting_waits_for_the_first_caller_media(calls: Calls) -> None:
    recorded = calls.late
    assert recorded.stream.played.heard_spans()[0].from_ms >= LATE_MEDIA_MS
    asked = next(e for e in recorded.model.received if e.type == "response.create")
    if calls.carrier != "sip":  # there a caller who sends nothing is waited for 1 s
        assert asked.at_s >= recorded.model.appends[0].at_s
    names = [event["event"] for event in recorded.journal]
    assert names.index("ModelReady") < names.index("CallerAudioBegan")


async def test_an_uninterrupted_answer_is_heard_whole(calls: Calls) -> None:
    for stream_id in (1, 2, 5, 6, 7):
        whole_ms = calls.long.item(stream_id).audio_ms
        assert calls.long.heard_ms(stream_id) == whole_ms


async def test_an_interrupted_answer_is_cut_in_memory_where_it_was_cut_for_the_ear(
    calls: Calls,
) -> None:
    long = calls.long
    cut = long.item(3)
    assert cut.truncated_ms is not None
    assert 0 < long.heard_ms(3) < cut.audio_ms
    assert abs(cut.truncated_ms - long.heard_ms(3)) <= 60
    assert [t.item_id for t in long.model.truncations] == [cut.item_id]
    assert all(t.accepted for t in long.model.truncations)


async def test_an_item_that_was_never_heard_is_deleted(calls: Calls) -> None:
    long = calls.long
    assert long.heard_ms(4) == 0
    deleted = [item.item_id for item in long.model.items.values() if item.deleted]
    assert deleted == [long.item(4).item_id]


async def test_the_transcript_holds_what_was_heard(calls: Calls) -> None:
    lines = calls.long.timeline["transcript"]
    said = [(line["speaker"], line["text"]) for line in lines]
    cut = next(line for line in lines if line["interrupted"] and line["text"] != INTERRUPTED)
    heard = cut["text"].removesuffix(INTERRUPTED).strip()
    assert cut["text"].endswith(INTERRUPTED)
    assert STORY.startswith(heard)
    assert f"{heard} {cut['unheard']}".strip() == STORY
    assert ("agent", "Hello.") in said
    assert ("agent", "Yes.") in said
    assert [text for who, text in said if who == "caller"] == list(WORDS.values())
    assert said[-1] == ("agent", "Goodbye then.")


async def test_parallel_tools_run_and_one_answer_is_asked_for(calls: Calls) -> None:
    long = calls.long
    outputs = [e for e in long.model.received if e.type == "conversation.item.create"]
    results = [e for e in outputs if e.event["item"]["type"] == "function_call_output"]
    assert len(results) == 2
    assert all("confirmation_code" in e.event["item"]["output"] for e in results)
    asked = [e.at_s for e in long.model.received if e.type == "response.create"]
    after_tools = [at for at in asked if at >= results[0].at_s]
    assert len(asked) == 3  # the greeting, the tools' answer, the keys' answer
    assert len(after_tools) == 2
    tools = [tool for turn in long.timeline["turns"] for tool in turn["tools"]]
    booked = [tool for tool in tools if tool["name"] == "book_table"]
    assert [tool["ok"] for tool in booked] == [True, True]
    assert all(tool["started_ms"] <= tool["finished_ms"] for tool in booked)


async def test_keys_reach_the_model_as_one_entry(calls: Calls) -> None:
    created = [e for e in calls.long.model.received if e.type == "conversation.item.create"]
    texts = [e.event["item"]["content"][0]["text"] for e in created if "content" in e.event["item"]]
    assert texts == ["The caller pressed these keys: 4 2"]
    assert any(turn["cause"] == "keys" for turn in calls.long.timeline["turns"])


async def test_the_agents_hang_up_waits_for_the_last_byte_of_its_farewell(calls: Calls) -> None:
    long = calls.long
    assert long.end_reason == "agent_hung_up"
    assert long.sound.rstrip(b"\xff").endswith(FAREWELL)
    assert long.stream.unplayed_bytes == 0
    assert long.stream.ended_by == "bot"
    verbs, by = {
        "twilio": (["Connect", "Hangup"], "twiml"),
        "pbx": (["Hangup"], "far_end"),
        "sip": ([], "far_end"),
    }[calls.carrier]
    assert (long.verbs, long.report.ended_by) == (verbs, by)
    if calls.carrier != "sip":  # RTP has no marks
        last = long.stream.played.marks[-1]
        assert (last.fate, last.position) == ("played", long.stream.played.position)


async def test_a_caller_who_hangs_up_ends_the_call(calls: Calls) -> None:
    late = calls.late
    assert late.end_reason == "caller_hung_up"
    assert late.report.ended_by == "caller"
    assert late.commands[-1] == "EndCall"
    assert late.commands.count("EndCall") == 1
    [story] = late.timeline["transcript"]
    assert story["unheard"]
    assert story["interrupted"] is bool(story["text"]), "of an unheard line nothing was begun"


async def test_the_timeline_on_disk_is_complete(calls: Calls) -> None:
    record = calls.long.timeline
    assert record["call_id"] == calls.long.call_id
    if calls.carrier == "twilio":  # the others name no streams
        assert record["stream_id"] == calls.long.stream.stream_sid
    assert record["end_fault"] == "nobody"
    assert 0 <= record["started_ms"] <= record["model_ready_ms"] <= record["ended_ms"]
    assert record["rate_limits_remaining"]["tokens"] > 0
    greeting, story, table, keys, farewell = record["turns"]
    causes = [turn["cause"] for turn in record["turns"]]
    assert causes == ["greeting", "caller", "caller", "keys", "caller"]
    answered = {
        "response_created",
        "first_model_audio",
        "first_frame_sent",
        "first_frame_played",
        "response_done",
    }
    for turn in record["turns"]:
        assert answered <= set(turn["stamps_ms"]), turn
        assert turn["usage"][0]["total_tokens"] > 0
    for turn in (story, table, farewell):
        assert {"speech_started", "speech_ended", "vad_decided"} <= set(turn["stamps_ms"])
        assert turn["perceived_latency_ms"] > 0
    cut = {"interruption_detected", "clear_sent", "silence_reached"}
    cut |= {"truncate_sent", "truncate_acknowledged"}
    assert cut <= set(story["stamps_ms"])
    assert not any(cut & set(turn["stamps_ms"]) for turn in (greeting, table, keys, farewell))
    assert story["interruption"]["by"] == "fence"
    assert 0 < story["interruption"]["percent"] < 100


async def test_a_recorded_call_replays_to_the_same_commands(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for recorded in (calls.long, calls.late):
        by_path = CliRunner().invoke(earshot, ["replay", str(recorded.folder / "events.jsonl")])
        assert by_path.exit_code == 0, by_path.output
        monkeypatch.setenv("EARSHOT_DATA_DIR", str(recorded.folder.parent.parent))
        by_sid = CliRunner().invoke(earshot, ["replay", recorded.call_id])
        assert by_sid.exit_code == 0, by_sid.output
        assert "same commands" in by_sid.output


async def test_a_tampered_recording_is_found_out(calls: Calls, tmp_path: Path) -> None:
    lines = (calls.long.folder / "events.jsonl").read_text("utf-8").splitlines()
    at = next(n for n, text in enumerate(lines) if '"TruncateItem"' in text)
    record = json.loads(lines[at])
    command = next(c for c in record["commands"] if c[0] == "TruncateItem")
    command[1]["audio_end_ms"] += 1
    lines[at] = json.dumps(record, separators=(",", ":"))
    copy = tmp_path / "events.jsonl"
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    outcome = CliRunner().invoke(earshot, ["replay", str(copy)])
    assert outcome.exit_code == 1
    assert f"line {at + 1}" in outcome.output
