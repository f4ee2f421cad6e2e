"""Invariant: a real SIP call reaches the worker as a call of Asterisk's would: who calls, what is
said to the millisecond in both directions and both laws, which keys were pressed, and its end."""

import asyncio
import random
from itertools import pairwise
from pathlib import Path

import pytest

from app.lab.speech.coded import Run, coded_audio, decode_coded
from telecodecs import alaw_to_ulaw, ulaw_to_alaw
from tests.sip_line.phone import Phone, Sending, open_phone, pressed, speech
from tests.sip_line.sipp import sipp
from tests.sip_line.stage import line_to, none_left
from tests.sip_line.worker import WorkerCall, open_worker

CALLER, WORKER = 5, 6
SPEECH_MS = 2_000
SPOKEN = coded_audio(CALLER, 0, SPEECH_MS, quiet=False)
ANSWER = coded_audio(WORKER, 0, SPEECH_MS, quiet=False)


async def answer(call: WorkerCall) -> None:
    await call.say(ANSWER)


def ms_of(sound: bytes, stream_id: int) -> set[int]:
    runs = [run for run in decode_coded(sound) if run.stream_id == stream_id]
    return {ms for run in runs for ms in range(run.start_ms, run.end_ms)}


def whole(sound: bytes, stream_id: int, duration_ms: int) -> bool:
    runs: list[Run] = [run for run in decode_coded(sound) if run.stream_id == stream_id]
    return [(run.start_ms, run.end_ms) for run in runs] == [(0, duration_ms)]


def fields(phone: Phone, types: str = "0 101") -> list[str]:
    return [f"{phone.port};{types}"]


async def test_both_hear_each_other_and_the_worker_knows_who_calls(tmp_path: Path) -> None:
    async with open_worker(answer) as worker, open_phone(speech(SPOKEN)) as phone:
        async with line_to(worker.url, worker_user="bot", worker_password="word") as line:
            ran = await sipp(
                line.port, "call", tmp_path, fields=fields(phone), hold_ms=SPEECH_MS + 1_500
            )
        [call] = worker.calls
        ran.require()
        assert whole(call.heard, CALLER, SPEECH_MS)
        assert whole(phone.heard, WORKER, SPEECH_MS)
        assert call.frame_lengths == {160}
        assert call.close_code == 1000
        assert [event["event"] for event in call.events] == ["MEDIA_START"]
        assert worker.authorization == ["bot:word"]
        told = call.variables
        assert told.pop("EARSHOT_CALL_ID") in ran.messages
        assert told == {
            "EARSHOT_FROM": "+15550100001",
            "EARSHOT_TO": "100",
            "EARSHOT_SOURCE_IP": "127.0.0.1",
            "EARSHOT_HEADER_X-Account-Id": "4711",
            "EARSHOT_HEADER_User-to-User": "56a3;encoding=hex",
            "EARSHOT_HEADER_X-Plan": "gold",
        }


async def test_rtp_to_the_caller_never_pauses_and_its_numbers_go_on(tmp_path: Path) -> None:
    """Silence where the worker says nothing; sequence and timestamps without a step."""
    async with open_worker() as worker, open_phone() as phone, line_to(worker.url) as line:
        ran = await sipp(line.port, "call", tmp_path, fields=fields(phone), hold_ms=1_000)
        ran.require()
    packets = [packet for _, packet in phone.received]
    assert len(packets) >= 45
    assert {packet.payload for packet in packets} == {b"\xff" * 160}
    assert len({packet.ssrc for packet in packets}) == 1
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert {(b.sequence - a.sequence) % 2**16 for a, b in pairwise(packets)} == {1}
    steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(packets)]
    assert all(step % 160 == 0 for step in steps)
    assert steps.count(160) >= 0.9 * len(steps)  # the rest: a machine that stood still


async def test_a_caller_with_the_other_law_is_heard_in_ours(tmp_path: Path) -> None:
    spoken = speech(ulaw_to_alaw(SPOKEN), payload_type=8)
    async with open_worker(answer) as worker, open_phone(spoken) as phone:
        async with line_to(worker.url) as line:
            ran = await sipp(
                *(line.port, "call", tmp_path),
                fields=fields(phone, "8 101"),
                hold_ms=SPEECH_MS + 1_500,
            )
        ran.require()
        assert alaw_to_ulaw(ulaw_to_alaw(SPOKEN)) in worker.calls[0].heard
        assert {packet.payload_type for _, packet in phone.received} == {8}
        assert ulaw_to_alaw(ANSWER) in phone.heard


@pytest.mark.parametrize("lost", [False, True])
async def test_each_key_comes_once(tmp_path: Path, lost: bool) -> None:
    sending = pressed("19*0#D", first_frame=5)
    if lost:  # one packet of each key arrives, by turns one of its updates and one of its ends
        sending = [sending[7 * n + (1 if n % 2 else 6)] for n in range(6)]
    async with open_worker() as worker, open_phone(sending) as phone, line_to(worker.url) as line:
        ran = await sipp(line.port, "call", tmp_path, fields=fields(phone), hold_ms=2_200)
        ran.require()
        assert worker.calls[0].keys == "19*0#D"


async def test_two_per_cent_of_loss_and_disorder_cost_what_was_lost(tmp_path: Path) -> None:
    sound = coded_audio(CALLER, 0, 4_000, quiet=False)
    chance = random.Random(11)
    sent = speech(sound)
    lost = {n for n in range(1, len(sent)) if chance.random() < 0.02}
    arriving = [each for n, each in enumerate(sent) if n not in lost]
    for n in range(10, len(arriving) - 1, 17):  # one after the next, and one twice
        arriving[n] = Sending(arriving[n].at_ms + 25, arriving[n].packet)
        arriving.append(Sending(arriving[n].at_ms + 30, arriving[n].packet))
    async with open_worker() as worker, open_phone(arriving) as phone, line_to(worker.url) as line:
        ran = await sipp(line.port, "call", tmp_path, fields=fields(phone), hold_ms=5_500)
        ran.require()
        runs = [run for run in decode_coded(worker.calls[0].heard) if run.stream_id == CALLER]
    assert len(lost) >= 2
    expected = {ms for ms in range(4_000) if ms // 20 not in lost}
    heard = {ms for run in runs for ms in range(run.start_ms, run.end_ms)}
    assert heard <= expected
    assert len(heard) >= 0.97 * len(expected)
    assert sum(run.end_ms - run.start_ms for run in runs) == len(heard)


async def test_marks_are_told_when_they_are_reached_and_a_flush_takes_them(tmp_path: Path) -> None:
    async def script(call: WorkerCall) -> None:
        await call.say(ANSWER[:4_000])
        await call.command("MARK_MEDIA", correlation_id="m1")
        await call.until(lambda: call.named("MEDIA_MARK_PROCESSED"))
        await call.say(coded_audio(WORKER, 0, 8_000, quiet=False))
        await call.command("MARK_MEDIA", correlation_id="m2")
        await call.command("GET_STATUS")
        await call.until(lambda: call.named("STATUS"))
        await call.command("FLUSH_MEDIA")
        await call.command("REPORT_QUEUE_DRAINED")
        await call.until(lambda: call.named("QUEUE_DRAINED"))
        await call.command("UNKNOWN")
        await call.socket.send("no JSON")
        await call.command("MARK_MEDIA", correlation_id="long" * 30)
        await call.until(lambda: call.named("ERROR"))
        await call.command("HANGUP")

    async with open_worker(script) as worker, open_phone() as phone, line_to(worker.url) as line:
        ran = await sipp(line.port, "called_off", tmp_path, fields=fields(phone))
        ran.require()
        [call] = worker.calls
    assert [event["event"] for event in call.events] == [
        *("MEDIA_START", "MEDIA_MARK_PROCESSED", "STATUS", "QUEUE_DRAINED", "ERROR")
    ]
    assert len({event["channel_id"] for event in call.events}) == 1
    assert call.named("MEDIA_MARK_PROCESSED")[0]["correlation_id"] == "m1"
    assert 350 < call.named("STATUS")[0]["queue_length"] <= 400
    assert len(ms_of(phone.heard, WORKER)) < 4_000
    assert "Reason: Q.850; cause=16" in ran.messages
    assert call.close_code == 1000


async def test_a_worker_that_goes_ends_the_call(tmp_path: Path) -> None:
    async def script(call: WorkerCall) -> None:
        call.socket.transport.abort()

    async with open_worker(script) as worker, line_to(worker.url) as line:
        ran = await sipp(line.port, "called_off", tmp_path)
        ran.require()
        assert "Reason: Q.850; cause=16" in ran.messages


async def test_a_message_that_is_too_long_closes_with_1009(tmp_path: Path) -> None:
    async def script(call: WorkerCall) -> None:
        await call.say(bytes(65_501))

    async with open_worker(script) as worker, line_to(worker.url) as line:
        (await sipp(line.port, "called_off", tmp_path)).require()
        await worker.calls[0].over()
        assert worker.calls[0].close_code == 1009


async def test_a_stopping_line_says_goodbye_to_its_calls(tmp_path: Path) -> None:
    async with open_worker() as worker:
        async with line_to(worker.url) as line:
            calling = asyncio.create_task(sipp(line.port, "called_off", tmp_path))
            async with asyncio.timeout(60):
                while not (worker.calls and worker.calls[0].events):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        (await calling).require()
        assert worker.calls[0].close_code == 1000


async def test_a_worker_may_answer_by_itself(tmp_path: Path) -> None:
    async def script(call: WorkerCall) -> None:
        await asyncio.sleep(0.2)
        assert not phone.received
        await call.command("ANSWER")

    async with open_worker(script) as worker, open_phone() as phone:
        async with line_to(worker.url, worker_answers=True) as line:
            (await sipp(line.port, "call", tmp_path, fields=fields(phone))).require()
        assert phone.received


async def test_hold_and_resume(tmp_path: Path) -> None:
    """While held the caller is sent nothing and what waits stays; marks stay with it."""

    async def script(call: WorkerCall) -> None:
        await call.say(ANSWER)
        await call.command("MARK_MEDIA", correlation_id="m")

    async with open_worker(script) as worker, open_phone() as phone, line_to(worker.url) as line:
        ran = await sipp(line.port, "hold", tmp_path, fields=fields(phone), hold_ms=1_000)
        ran.require()
        [call] = worker.calls
        assert call.named("MEDIA_MARK_PROCESSED")
    assert "a=recvonly" in ran.messages
    assert "a=inactive" in ran.messages
    assert whole(phone.heard, WORKER, SPEECH_MS)
    stamps = [packet.timestamp for _, packet in phone.received]
    assert max((b - a) % 2**32 for a, b in pairwise(stamps)) > 160 * 60
    assert sum(packet.marker for _, packet in phone.received) == 2


async def test_an_offer_that_comes_late_is_ours(tmp_path: Path) -> None:
    """An INVITE without a body: the line offers, the caller's ACK answers."""
    async with open_worker(answer) as worker, open_phone(speech(SPOKEN)) as phone:
        async with line_to(worker.url) as line:
            ran = await sipp(
                line.port, "late_offer", tmp_path, fields=fields(phone), hold_ms=SPEECH_MS + 1_500
            )
        ran.require()
        assert whole(worker.calls[0].heard, CALLER, SPEECH_MS)
        assert whole(phone.heard, WORKER, SPEECH_MS)


async def test_a_caller_that_gives_up_while_it_rings(tmp_path: Path) -> None:
    async with open_worker() as worker, line_to(worker.url, worker_answers=True) as line:
        (await sipp(line.port, "cancel", tmp_path)).require()
        await worker.calls[0].over()
        assert worker.calls[0].close_code == 1000


async def test_a_call_without_rtp_ends_only_where_that_is_wanted(tmp_path: Path) -> None:
    async with open_worker() as worker:
        async with line_to(worker.url) as line:
            (await sipp(line.port, "call", tmp_path, hold_ms=1_500)).require()
        async with line_to(worker.url, silence_end_s=1) as line:
            (await sipp(line.port, "called_off", tmp_path)).require()


async def test_calls_after_each_other_and_at_once(tmp_path: Path) -> None:
    async with open_worker(echo=True) as worker, line_to(worker.url) as line:
        (await sipp(line.port, "call", tmp_path, calls=20, at_once=1, hold_ms=50)).require()
        (await sipp(line.port, "call", tmp_path, calls=10, at_once=10, hold_ms=500)).require()
        await none_left(line)
        assert len(worker.calls) == 30
        assert len({call.events[0]["channel_id"] for call in worker.calls}) == 30
        assert {call.close_code for call in worker.calls} == {1000}
