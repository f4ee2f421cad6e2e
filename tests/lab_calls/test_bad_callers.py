"""Whoever is not Twilio opens nothing; whatever Twilio may send wrongly is counted, and the call
goes on or ends in the one way that is defined for it."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.bridge.call_record import TIMELINE_FILE, call_folder
from app.bridge.carrier_writer import CarrierWriter
from app.call.phases import CallSettings
from app.call.playout_settings import PlayoutSettings
from app.carriers.twilio.media import MOST_IN_A_ROW
from app.carriers.twilio.tokens import Grant, StreamTokens
from app.demo.stage import LAB_TOKEN, Stage
from app.lab.phone.signing import signature
from app.lab.phone.wire import CONNECTED
from app.lab.realtime.log import SessionLog
from tests.lab_calls.cast import line, stage_for, until
from tests.lab_calls.raw_carrier import (
    RawCarrier,
    form,
    frame,
    media_url,
    offer,
    opened,
    post,
    stranger_sid,
)

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

POLICY_VIOLATION = 1008
TOO_BIG = 1009


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage_for(tmp_path_factory.mktemp("data"), [line(1, 400)]) as stage:
        yield stage


@pytest.fixture
def sid() -> str:
    return stranger_sid()


def nothing_opened(stage: Stage, sid: str, sessions: int) -> bool:
    """No model session since there were so many, no folder for the call, no call in progress."""
    return (
        len(stage.model.sessions) == sessions
        and not call_folder(stage.worker.settings.data_dir, sid).exists()
        and not stage.worker.switchboard.is_connected(sid)
        and stage.worker.switchboard.ending_of(sid) is None
    )


def timeline_path(stage: Stage, sid: str) -> Path:
    return call_folder(stage.worker.settings.data_dir, sid) / TIMELINE_FILE


def timeline(stage: Stage, sid: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(timeline_path(stage, sid).read_text("utf-8"))
    return record


async def ended(stage: Stage, sid: str) -> str:
    """The reason for which the call of a first stream ended, once it has."""
    await until(timeline_path(stage, sid).exists)
    return str(timeline(stage, sid)["end_reason"])


async def connected(stage: Stage, carrier: RawCarrier) -> SessionLog:
    """Admit a raw carrier's stream; returns the model's session of the call."""
    sessions = len(stage.model.sessions)
    answer = await offer(stage, carrier.call_sid)
    await carrier.begin(answer.parameters)
    await until(lambda: len(stage.model.sessions) > sessions)
    return stage.model.sessions[sessions]


# Who is let in


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/stream-ended", "/twilio/status"])
@pytest.mark.parametrize("kind", ["missing", "forged", "of another account", "of another call"])
async def test_a_webhook_that_twilio_did_not_sign_opens_nothing(
    stage: Stage, sid: str, path: str, kind: str
) -> None:
    url, sessions = stage.url + path, len(stage.model.sessions)
    headers = {
        "missing": {},
        "forged": {"X-Twilio-Signature": "Zm9yZ2Vk"},
        "of another account": {"X-Twilio-Signature": signature("other", url, form(sid))},
        "of another call": {
            "X-Twilio-Signature": signature(LAB_TOKEN, url, form(stranger_sid())),
        },
    }[kind]
    answer = await post(url, form(sid), headers)
    assert answer.status == 403
    assert "Stream" not in answer.text
    assert nothing_opened(stage, sid, sessions)


@pytest.mark.parametrize("kind", ["missing", "forged", "of another account", "of the webhook"])
async def test_an_upgrade_that_twilio_did_not_sign_is_refused_with_403(
    stage: Stage, sid: str, kind: str
) -> None:
    sessions = len(stage.model.sessions)
    voice = f"{stage.url}/twilio/voice"
    headers = {
        "missing": {},
        "forged": {"X-Twilio-Signature": "Zm9yZ2Vk"},
        "of another account": {"X-Twilio-Signature": signature("other", media_url(stage))},
        "of the webhook": {"X-Twilio-Signature": signature(LAB_TOKEN, voice, form(sid))},
    }[kind]
    with pytest.raises(InvalidStatus) as refused:
        async with connect(media_url(stage), additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403
    assert nothing_opened(stage, sid, sessions)


async def test_only_a_fresh_token_of_this_call_lets_a_stream_in(stage: Stage, sid: str) -> None:
    sessions = len(stage.model.sessions)
    grant = Grant(sid, "receptionist", "inbound")
    tokens = StreamTokens([LAB_TOKEN])
    whole = tokens.issue(grant, time.time())
    refused = {
        "none": {},
        "empty": {"token": ""},
        "no token": {"token": "let me in"},
        "forged": {"token": whole[:-4] + "AAAA"},
        "of another key": {"token": StreamTokens(["other"]).issue(grant, time.time())},
        "expired": {"token": tokens.issue(grant, time.time() - 31)},
        "of another call": {
            "token": (await offer(stage, stranger_sid())).parameters["token"],
        },
    }

    async def knock(parameters: dict[str, str]) -> int:
        async with opened(stage, sid) as carrier:
            await carrier.begin(parameters)
            code: int = await carrier.until_closed()
            return code

    codes = await asyncio.gather(*map(knock, refused.values()))
    assert dict(zip(refused, codes, strict=True)) == dict.fromkeys(refused, POLICY_VIOLATION)
    assert nothing_opened(stage, sid, sessions)


async def test_a_token_is_good_for_one_stream(stage: Stage, sid: str) -> None:
    token = (await offer(stage, sid)).parameters
    async with opened(stage, sid) as first:
        await first.begin(token)
        await until(lambda: stage.worker.switchboard.is_connected(sid))
        sessions = len(stage.model.sessions)
        async with opened(stage, sid) as second:
            await second.begin(token)
            assert await second.until_closed() == POLICY_VIOLATION
        assert stage.worker.switchboard.is_connected(sid), "the first stream goes on"
        assert len(stage.model.sessions) <= sessions + 1
        await first.socket.send(first.writer.stop())
        assert await ended(stage, sid) == "caller_hung_up"


async def test_a_copied_webhook_is_answered_alike_and_opens_one_stream(
    stage: Stage, sid: str
) -> None:
    url = f"{stage.url}/twilio/voice"
    headers = {
        "X-Twilio-Signature": signature(LAB_TOKEN, url, form(sid)),
        "I-Twilio-Idempotency-Token": "once",
    }
    first, second = await asyncio.gather(*(post(url, form(sid), headers) for _ in range(2)))
    assert first == second
    assert first.status == 200


# Frames


BROKEN: dict[str, Callable[[RawCarrier], str | bytes]] = {
    "nothing": lambda _: "",
    "no JSON": lambda _: "not json",
    "half a message": lambda carrier: carrier.media()[:-20],
    "a text": lambda _: '"media"',
    "a list": lambda _: "[]",
    "an empty object": lambda _: "{}",
    "an unknown event": lambda c: f'{{"event":"telepathy","streamSid":"{c.stream_sid}"}}',
    "media without media": lambda _: '{"event":"media"}',
    "another stream": lambda carrier: carrier.media(streamSid="MZ" + "f" * 32),
    "no stream": lambda carrier: carrier.media(streamSid=""),
    "no base64": lambda carrier: carrier.media(media__payload="*no base64*"),
    "no audio": lambda carrier: carrier.media(media__payload=""),
    "a number for audio": lambda carrier: carrier.media(media__payload=7),
    "the bot's own track": lambda carrier: carrier.media(media__track="outbound"),
    "no time": lambda carrier: carrier.media(media__timestamp="soon"),
    "a time before time": lambda carrier: carrier.media(media__timestamp="-20"),
    "a frame that came before": lambda carrier: carrier.media(sequenceNumber="1"),
    "no sequence": lambda carrier: carrier.media(sequenceNumber="first"),
    "too much audio": lambda carrier: carrier.media(media__payload="A" * 70_000),
    "binary audio": lambda carrier: frame(carrier.ticks),
    "binary JSON": lambda carrier: carrier.media().encode(),
    "a stop of another stream": lambda _: '{"event":"stop","streamSid":"MZ0","stop":{}}',
    "a mark of another stream": lambda _: '{"event":"mark","streamSid":"MZ0","mark":{"name":"e"}}',
    "two keys at once": lambda c: (
        f'{{"event":"dtmf","streamSid":"{c.stream_sid}","dtmf":{{"digit":"42"}}}}'
    ),
}
"""Frames that say nothing which may be believed; none of them is fatal alone."""


async def test_broken_frames_are_counted_and_the_call_goes_on(
    stage: Stage, sid: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with opened(stage, sid) as carrier:
        session = await connected(stage, carrier)
        said = await carrier.talk(5)
        for bad in BROKEN.values():
            await carrier.socket.send(bad(carrier))
            said += await carrier.talk(1)
        await until(lambda: len(session.caller_audio) >= len(said))
        assert bytes(session.caller_audio) == said
        await until(lambda: session.received_types().count("response.create") == 1)
        await carrier.socket.send(carrier.writer.stop())
        assert await ended(stage, sid) == "caller_hung_up"
        await until(lambda: any(r.message == "call ended" for r in caplog.records))
    [record] = [r for r in caplog.records if r.message == "call ended"]
    fields = record.__dict__["fields"]
    assert fields["malformed_frames"] == len(BROKEN)
    kinds = [r.__dict__["fields"]["kind"] for r in caplog.records if r.message.startswith("malf")]
    assert len(kinds) == len(set(kinds)) >= 8, "each kind is reported once"


async def test_a_peer_that_sends_nothing_but_garbage_is_given_up(stage: Stage, sid: str) -> None:
    async with opened(stage, sid) as carrier:
        await connected(stage, carrier)
        await carrier.talk(1)
        for _ in range(MOST_IN_A_ROW):
            await carrier.socket.send("garbage")
        await carrier.until_closed()
    assert await ended(stage, sid) == "carrier_lost"


async def test_a_frame_beyond_all_bounds_closes_the_socket(stage: Stage, sid: str) -> None:
    async with opened(stage, sid) as carrier:
        await connected(stage, carrier)
        await carrier.talk(1)
        await carrier.socket.send("x" * 200_000)
        assert await carrier.until_closed() == TOO_BIG
    assert await ended(stage, sid) == "carrier_lost"


async def test_a_second_start_ends_the_call(stage: Stage, sid: str) -> None:
    async with opened(stage, sid) as carrier:
        await connected(stage, carrier)
        await carrier.talk(1)
        await carrier.socket.send(carrier.writer.start({}))
        await carrier.until_closed()
    assert await ended(stage, sid) == "carrier_lost"
    assert timeline(stage, sid)["end_detail"] == "protocol violation: second_start"


async def test_what_comes_before_start_opens_nothing(stage: Stage, sid: str) -> None:
    sessions = len(stage.model.sessions)
    parameters = (await offer(stage, sid)).parameters

    async def say(*kinds: str) -> int:
        async with opened(stage, sid) as carrier:
            texts = {
                "connected": CONNECTED,
                "media": carrier.media(),
                "stop": carrier.writer.stop(),
                "start": carrier.writer.start(parameters),
                "pcm": carrier.writer.start(parameters).replace("x-mulaw", "x-alaw"),
            }
            for kind in kinds:
                await carrier.socket.send(texts[kind])
            await carrier.socket.close() if kinds[-1] == "connected" else None
            code: int = await carrier.until_closed()
            return code

    codes = await asyncio.gather(
        say("media"),
        say("start"),
        say("connected", "media"),
        say("connected", "stop"),
        say("connected", "pcm"),
    )
    assert set(codes) == {POLICY_VIOLATION}
    await say("connected")
    assert nothing_opened(stage, sid, sessions)


async def test_a_start_that_never_comes_is_not_waited_for(
    stage: Stage, sid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bridge.media_socket.START_TIMEOUT_S", 0.2)
    sessions = len(stage.model.sessions)
    async with opened(stage, sid) as silent, opened(stage, sid) as half:
        await half.socket.send(CONNECTED)
        assert await silent.until_closed() == POLICY_VIOLATION
        assert await half.until_closed() == POLICY_VIOLATION
    assert nothing_opened(stage, sid, sessions)


# Sockets that die


async def test_a_socket_that_dies_without_a_stop_is_a_lost_carrier_and_may_come_back(
    stage: Stage, sid: str
) -> None:
    async with opened(stage, sid) as carrier:
        await connected(stage, carrier)
        await carrier.talk(5)
        carrier.socket.transport.abort()
    assert await ended(stage, sid) == "carrier_lost"
    answer = await post(f"{stage.url}/twilio/stream-ended", form(sid, CallStatus="in-progress"))
    assert (answer.status, answer.verbs) == (200, ["Connect"])
    async with opened(stage, sid) as again:
        sessions = len(stage.model.sessions)
        await again.begin(answer.parameters)
        await again.talk(1)
        await until(lambda: len(stage.model.sessions) > sessions)
        await again.socket.send(again.writer.stop())
        folder = call_folder(stage.worker.settings.data_dir, sid)
        await until(lambda: len(list(folder.glob("timeline*.json"))) == 2)
    assert len(list(folder.glob("events*.jsonl"))) == 2, "the second stream has a log of its own"


async def test_a_carrier_that_sends_nothing_any_more_is_a_stalled_one(
    stage: Stage, sid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bridge.call_bridge.CARRIER_SILENCE_LIMIT_MS", 400)
    async with opened(stage, sid) as carrier:
        await connected(stage, carrier)
        await carrier.talk(2)
        await carrier.until_closed()
    assert await ended(stage, sid) == "carrier_stalled"


async def test_a_socket_that_is_not_read_any_more_is_a_stalled_one(
    tmp_path: Path, sid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "app.bridge.media_socket.CarrierWriter", partial(CarrierWriter, send_timeout_s=0.3)
    )
    minute_ms = 60_000
    story = [line(stream, minute_ms) for stream in range(1, 11)]  # more than any kernel holds

    def all_at_once(call: CallSettings) -> CallSettings:
        return replace(call, playout=PlayoutSettings(lead_ms=2 * minute_ms * len(story)))

    async with stage_for(tmp_path, story, adjust=all_at_once) as stage:
        stage.model.behaviour = replace(stage.model.behaviour, speed=1_000, delta_max_ms=2_000)
        async with opened(stage, sid, small=True) as carrier:
            await connected(stage, carrier)
            await carrier.talk(1)
            assert await ended(stage, sid) == "carrier_stalled"
            carrier.socket.transport.abort()
    assert "took nothing" in timeline(stage, sid)["end_detail"]
