"""A recording holds what was on the line, tones of keys included, and nothing of what was said
while it was paused."""

import asyncio
import io
import wave
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from app.lab.phone import (
    Account,
    Callee,
    CallRecording,
    CallReport,
    HangUp,
    Press,
    Say,
    Script,
    Wait,
    any_audio,
    audible,
)
from app.lab.phone.script import Step
from telecodecs.dtmf import DtmfDetector
from telecodecs.g711 import FRAME_BYTES
from tests.lab.phone.bots import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    BOT_NUMBER,
    CALLER,
    STREAM,
    BotSide,
    WebBot,
    twiml,
)
from tests.lab.phone.carrier import ANN, HIGH, IGNORED, LOW, account, api, call, refused, until

pytestmark = IGNORED

RECORD = twiml(
    '<Record action="/done" timeout="1" recordingStatusCallback="/rec"'
    ' transcribeCallback="/text"/>',
    "<Say>Nothing was said</Say>",
)
PAGES: dict[str, str | int] = {"/done": twiml(), "/rec": 204, "/text": 204}


def keys(ulaw: bytes) -> str:
    return "".join(press.key for press in DtmfDetector().push(ulaw))


def sounds(ulaw: bytes) -> bool:
    return any(audible(ulaw[at : at + FRAME_BYTES]) for at in range(0, len(ulaw), FRAME_BYTES))


def only(owner: Account) -> CallRecording:
    (one,) = owner.recordings.by_sid.values()
    return one


async def test_a_message_is_recorded_after_the_beep_until_there_is_silence() -> None:
    owner = account()
    script = Script((Wait(400), Say(LOW, "Call me back"), Wait(60_000)))
    async with WebBot({"/voice": RECORD, **PAGES}) as bot:
        report = await call(bot, owner, script)
        (done,), (rec,), (text,) = (bot.forms(path) for path in ("/done", "/rec", "/text"))
    one = only(owner)
    assert [h.kind for h in report.heard] == ["beep"]
    assert sounds(bytes(report.recording.heard))
    assert done["RecordingSid"] == rec["RecordingSid"] == one.sid
    assert done["RecordingUrl"] == rec["RecordingUrl"] == one.url
    assert (rec["RecordingStatus"], rec["RecordingSource"]) == ("completed", "RecordVerb")
    assert (rec["RecordingChannels"], rec["CallSid"]) == ("1", report.identity.call_sid)
    assert (text["TranscriptionText"], text["TranscriptionStatus"]) == ("Call me back", "completed")
    assert sounds(one.person)
    assert 280 <= one.duration_ms <= 400  # silence at its edges is trimmed
    assert report.ended_by == "twiml"


async def test_a_key_ends_it_and_is_told() -> None:
    script = Script((Wait(400), Say(LOW), Press("5#")))
    document = twiml('<Record action="/done" finishOnKey="#"/>')
    async with WebBot({"/voice": document, **PAGES}) as bot:
        await call(bot, account(), script)
        (done,) = bot.forms("/done")
    assert done["Digits"] == "#"


async def test_nobody_speaks_and_no_action_is_asked() -> None:
    async with WebBot({"/voice": RECORD, **PAGES}) as bot:
        report = await call(bot, account(), Script(()))
        assert bot.forms("/done") == []
    assert [verb.name for verb in report.verbs] == ["Record", "Say"]


async def test_a_caller_who_hangs_up_has_left_a_message_all_the_same() -> None:
    owner = account()
    script = Script((Wait(400), Say(LOW, "Bye"), HangUp()))
    async with WebBot({"/voice": RECORD, **PAGES}) as bot:
        await call(bot, owner, script)
        (done,) = bot.forms("/done")
        assert [form["RecordingStatus"] for form in bot.forms("/rec")] == ["completed"]
    assert (done["Digits"], done["CallStatus"]) == ("hangup", "completed")
    assert sounds(only(owner).person)


async def test_the_longest_time_ends_it() -> None:
    document = twiml('<Record action="/done" maxLength="1" playBeep="false"/>')
    script = Script(tuple(Say(LOW) for _ in range(20)))
    owner = account()
    async with WebBot({"/voice": document, **PAGES}) as bot:
        await call(bot, owner, script)
        assert bot.forms("/done")[0]["RecordingDuration"] == "1"


async def steered(
    steps: tuple[Step, ...], steer: Callable[[Any, str, Account, WebBot], Any]
) -> tuple[Account, CallReport, WebBot]:
    """A call in a stream while REST does something with its recording."""
    owner = account()
    async with (
        WebBot({"/voice": twiml(STREAM), **PAGES}, BotSide.until_closed) as bot,
        api(owner) as (_, client),
    ):
        task = asyncio.ensure_future(call(bot, owner, Script(steps, hears=any_audio)))
        await bot.streaming()
        (sid,) = owner.calls
        await steer(client, sid, owner, bot)
        report = await task
    return owner, report, bot


@pytest.mark.parametrize("behavior", ["silence", "skip"])
async def test_a_paused_recording_holds_no_tones(behavior: str) -> None:
    async def pause(client: Any, sid: str, owner: Account, bot: WebBot) -> None:
        begun = await client.calls(sid).recordings.create_async(
            recording_channels="dual",
            recording_status_callback=f"{bot.url}/rec",
            recording_status_callback_event=["in-progress", "completed"],
        )
        assert (begun.status, begun.channels) == ("in-progress", 2)
        current = client.calls(sid).recordings("Twilio.CURRENT")
        live = owner.calls[sid].live
        await until(lambda: live.now_ms > 900)
        paused = await current.update_async(status="paused", pause_behavior=behavior)
        assert paused.status == "paused"
        await until(lambda: live.now_ms > 1_900)
        resumed = await current.update_async(status="in-progress")
        assert resumed.status == "in-progress"

    steps = (Wait(400), Press("12"), Wait(300), Press("34"), Wait(900), Press("56"), Wait(200))
    owner, report, bot = await steered((*steps, HangUp()), pause)
    one = only(owner)
    assert keys(one.person) == "1256"
    assert (one.duration_ms > report.duration_ms - 500) is (behavior == "silence")
    assert [form["RecordingStatus"] for form in bot.forms("/rec")] == ["in-progress", "completed"]


async def test_the_audio_is_fetched_with_the_account_s_credentials() -> None:
    fetched: dict[str, Any] = {}

    async def fetch(client: Any, sid: str, owner: Account, bot: WebBot) -> None:
        begun = await client.calls(sid).recordings.create_async(recording_channels="dual")
        url = only(owner).url + ".wav"
        basic = b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        await until(lambda: owner.calls[sid].live.now_ms > 700)
        async with aiohttp.ClientSession() as session:
            async with session.get(url, headers=headers) as response:
                fetched["early"] = response.status
            stopped = await client.calls(sid).recordings(begun.sid).update_async(status="stopped")
            assert stopped.status == "completed"
            async with session.get(url) as response:
                fetched["anonymous"] = response.status
            async with session.get(url, headers=headers) as response:
                fetched["wav"] = await response.read()
        again = client.calls(sid).recordings(begun.sid).update_async(status="paused")
        assert await refused(again) == (400, 21220)
        (listed,) = await client.calls(sid).recordings.list_async()
        assert listed.sid == begun.sid
        assert await client.recordings(begun.sid).delete_async()
        assert await refused(client.recordings(begun.sid).fetch_async()) == (404, 20404)

    await steered((Wait(100), Say(LOW, "Hello"), Wait(900), HangUp()), fetch)
    assert (fetched["early"], fetched["anonymous"]) == (404, 401)
    with wave.open(io.BytesIO(fetched["wav"])) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        assert file.getnframes() > 0


async def test_twiml_begins_a_recording_of_the_whole_call() -> None:
    start = '<Start><Recording channels="dual" recordingStatusCallback="/rec"/></Start>'
    owner = account()
    async with WebBot({"/voice": twiml(start, '<Pause length="20"/>'), **PAGES}) as bot:
        await call(bot, owner, Script((Wait(200), Press("9"), Wait(200), HangUp())))
        (rec,) = bot.forms("/rec")
    assert (rec["RecordingChannels"], rec["RecordingStatus"]) == ("2", "completed")
    assert keys(only(owner).person) == "9"


async def test_a_dial_is_recorded_with_a_channel_for_each_party() -> None:
    owner = account({ANN: Callee(Script((Wait(400), Say(HIGH, "Ann"), Wait(200), HangUp())))})
    dial = (
        '<Dial record="record-from-answer-dual" recordingStatusCallback="/rec" action="/done">'
        f"{ANN}</Dial>"
    )
    async with WebBot({"/voice": twiml(dial), **PAGES}) as bot:
        await call(bot, owner, Script(()))
        (rec,), (done,) = bot.forms("/rec"), bot.forms("/done")
    one = only(owner)
    assert (rec["RecordingSource"], rec["RecordingChannels"]) == ("DialVerb", "2")
    assert done["RecordingUrl"] == one.url
    assert (sounds(one.person), sounds(one.other)) == (False, True)


async def test_a_call_is_recorded_from_its_creation_if_it_shall_be() -> None:
    owner = account({CALLER: Callee(Script((Press("3"), Wait(300), HangUp())))})
    async with WebBot(PAGES) as bot, api(owner) as (rest, client):
        made = await client.calls.create_async(
            to=CALLER,
            from_=BOT_NUMBER,
            twiml=twiml('<Pause length="20"/>'),
            record=True,
            recording_status_callback=f"{bot.url}/rec",
        )
        await rest.report(made.sid)
        (rec,) = bot.forms("/rec")
        ended = client.calls(made.sid).recordings.create_async()
        assert await refused(ended) == (400, 21220)
    assert rec["RecordingSource"] == "OutboundAPI"
    assert keys(only(owner).person) == "3"
