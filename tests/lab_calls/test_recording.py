"""A whole call is recorded as the caller heard it and as the carrier heard the caller, in step, to
the cut of an interruption; without consent nothing is recorded."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from app.call.collect_tool import UNSAFE
from app.carriers.twilio.errors import VendorError
from app.carriers.twilio.rest_recordings import RecordingInfo, RestRecordings
from app.demo.stage import CALLER, Stage, by_the_models_ears
from app.lab.phone.impairments import Impairments
from app.lab.phone.script import HangUp, Interrupt, Press, Say, Script, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction, Output
from app.lab.speech.coded import decode_coded
from telecodecs import DtmfDetector, pcm_to_ulaw, read_wav
from tests.lab_calls.cast import (
    CALLER_STREAM,
    Answers,
    CodeEar,
    NoMouth,
    Recorded,
    ScriptedBrain,
    call,
    line,
    shout,
    until,
)
from tests.lab_calls.together import at_once

pytestmark = pytest.mark.lab_call

STEP_MS = 30
"""The ledger knows to about a frame when something was played."""


def agent(folder: Path, recording: str, tools: str = "") -> str:
    path = folder / "clerk.toml"
    text = f'instructions = "Be kind."\ngreeting = "Hello."\ntools = [{tools}]\n[recording]\n'
    path.write_text(text + recording, encoding="utf-8")
    return str(path)


async def held(folder: Path, clerk: str, answers: Answers, script: Script) -> Recorded:
    async with Stage(
        brain=lambda: ScriptedBrain(answers),
        ear=CodeEar({CALLER_STREAM: "yes"}),
        mouth=NoMouth(),
        data_dir=folder / "data",
        agent=clerk,
        revise=by_the_models_ears,
    ) as stage:
        recorded = await call(stage, script, Impairments(delay_ms=60, jitter_ms=20, seed=4))
        await stage.worker.care.lines.written()
        return recorded


def sides(recorded: Recorded) -> tuple[bytes, bytes]:
    (path,) = recorded.folder.glob("recording-*.wav")
    rate_hz, channels, pcm = read_wav(path)
    assert (rate_hz, channels) == (8_000, 2)
    frames = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    return pcm_to_ulaw(frames[:, 0].tobytes()), pcm_to_ulaw(frames[:, 1].tobytes())


@at_once
async def test_both_sides_stand_as_they_were_heard(tmp_path: Path) -> None:
    answers: Answers = ([line(1, 2_000)], [line(2, 800)])
    script = Script(
        (
            Interrupt(shout(), after_ms=900),
            WaitForBot.finished(300, said_ms=700),
            Wait(300),
            HangUp(),
        )
    )
    recorded = await held(tmp_path, agent(tmp_path, 'by = "own"'), answers, script)
    left, right = sides(recorded)
    (caller,) = [run for run in decode_coded(left) if run.stream_id == CALLER_STREAM][:1]
    heard = {run.stream_id: run for run in decode_coded(recorded.stream.played.audio())}
    kept = {run.stream_id: run for run in decode_coded(right)}
    assert heard.keys() == kept.keys() == {1, 2}
    assert abs(kept[1].end_ms - heard[1].end_ms) <= STEP_MS, "cut where the caller heard it cut"
    assert kept[2].end_ms == 800

    # From the caller's voice on, as the telephone has both.
    spoken = recorded.report.spoken[0].began_ms - recorded.stream.began_ms
    for number in (1, 2):
        truth_ms = heard[number].offset_bytes / 8 - spoken
        found_ms = kept[number].offset_bytes / 8 - caller.offset_bytes / 8
        assert abs(found_ms - truth_ms) <= STEP_MS
    assert recorded.timeline["recording"]["fault"] == ""


async def by_twilio(folder: Path, *, masked: bool) -> tuple[Recorded, str]:
    """A call that Twilio records, with a number typed in it, and the keys in that recording."""
    wanted = {"min_digits": 6, "max_digits": 6, "masked": masked}
    answers: Answers = (
        [line(1, 1_500), CallFunction("collect_digits", wanted)],
        [line(2, 800), CallFunction("hang_up")],
    )
    script = Script((WaitForBot.finished(300, said_ms=1_300), Press("471108", gap_ms=240)))
    async with Stage(
        brain=lambda: ScriptedBrain(answers),
        ear=CodeEar(),
        mouth=NoMouth(),
        data_dir=folder / "data",
        agent=agent(folder, 'by = "twilio"', '"collect_digits", "hang_up"'),
        revise=by_the_models_ears,
        people={},
    ) as stage:
        recorded = await call(stage, script)
        assert stage.account is not None
        (one,) = stage.account.recordings.of_call(recorded.report.identity.call_sid)
        await until(lambda: one.ended)
        await asyncio.sleep(0.2)
        await stage.worker.care.lines.written()
        return recorded, "".join(press.key for press in DtmfDetector().push(one.person))


@at_once
async def test_twilios_recording_pauses_for_private_digits(tmp_path: Path) -> None:
    recorded, keys = await by_twilio(tmp_path, masked=True)
    assert (recorded.end_reason, keys) == ("agent_hung_up", "")
    told = (recorded.folder / "recordings.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in told] == ["in-progress", "completed"]
    assert recorded.timeline["recording"]["sid"] == json.loads(told[0])["sid"]


@at_once
async def test_other_digits_are_in_twilios_recording(tmp_path: Path) -> None:
    _, keys = await by_twilio(tmp_path, masked=False)
    assert keys == "471108", "or the test above finds nothing"


async def test_where_twilio_does_not_pause_no_private_number_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> RecordingInfo:
        raise VendorError("no")

    monkeypatch.setattr(RestRecordings, "pause", refused)
    recorded, _ = await by_twilio(tmp_path, masked=True)
    told = [
        event.event["item"]["output"]
        for event in recorded.model.received
        if event.type == "conversation.item.create" and "output" in event.event["item"]
    ]
    assert [json.loads(output)["reason"] for output in told] == [UNSAFE]


@at_once
async def test_nothing_is_kept_before_the_caller_agrees(tmp_path: Path) -> None:
    answers: Answers = (
        [line(1, 700)],
        [line(2, 700), CallFunction("recording_consent", {"granted": True})],
        [line(3, 700), CallFunction("hang_up")],
    )
    script = Script((WaitForBot.finished(400, said_ms=600), Say(shout(), "yes")))
    tools = '"recording_consent", "hang_up"'
    clerk = agent(tmp_path, 'by = "own"\nconsent = "ask"', tools)
    recorded = await held(tmp_path, clerk, answers, script)
    _, right = sides(recorded)
    assert 1 not in {run.stream_id for run in decode_coded(right)}
    assert 3 in {run.stream_id for run in decode_coded(right)}
    assert recorded.timeline["recording"]["from_ms"] > 1_000
    (decision,) = map(json.loads, (recorded.folder / "decisions.jsonl").read_text().splitlines())
    assert (decision["action"], decision["allowed"]) == ("recording", True)
    assert CALLER not in json.dumps(decision)


@pytest.mark.parametrize("answer", [[CallFunction("recording_consent", {"granted": False})], []])
@at_once
async def test_without_consent_there_is_no_recording(tmp_path: Path, answer: list[Output]) -> None:
    answers: Answers = ([line(1, 700)], [line(2, 500), *answer], [line(3, 500)])
    script = Script(
        (WaitForBot.finished(400, said_ms=600), Say(shout(), "no"), Wait(2_500), HangUp())
    )
    clerk = agent(tmp_path, 'by = "own"\nconsent = "ask"', '"recording_consent"')
    recorded = await held(tmp_path, clerk, answers, script)
    assert list(recorded.folder.glob("*.wav")) == []
    assert recorded.timeline["recording"] == {"by": "own", "file": None, "refused": bool(answer)}
