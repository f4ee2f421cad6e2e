"""<Record>: a beep, the person's voice until silence, a key or the time, then the action."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urljoin

from app.lab.phone.course import Next
from app.lab.phone.following import action, flag, number, tell_of_hang_up
from app.lab.phone.leg import Leg
from app.lab.phone.mixing import BEEP_MS, beep
from app.lab.phone.recording import CallRecording
from app.lab.phone.recording_options import read_recording_callback
from app.lab.phone.sound import audible
from app.lab.phone.twiml import TwimlError, Verb
from telecodecs.g711 import FRAME_MS

INVALID_MAX_LENGTH = 13612
INVALID_TIMEOUT = 13611
INVALID_FINISH_KEY = 13613
INVALID_PLAY_BEEP = 13615
MAX_LENGTH_S = 3600
MAX_TRANSCRIBED_MS = 120_000


@dataclass(eq=False, slots=True)
class _Watch:
    """Hears when the person falls silent, and what is said."""

    timeout_ms: int
    quiet_ms: int = 0
    spoke: bool = False
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    words: list[str] = field(default_factory=list)

    def take(self, said: bytes, heard: bytes) -> None:
        if audible(said):
            self.quiet_ms, self.spoke = 0, True
            return
        self.quiet_ms += FRAME_MS
        if self.quiet_ms >= self.timeout_ms:
            self.silent.set()

    def started(self, text: str) -> None:
        return

    def stopped(self, text: str) -> None:
        if text:
            self.words.append(text)


async def record(leg: Leg, verb: Verb, document_url: str) -> Next:
    """Carries it out. An empty recording goes on with the next verb, as with Twilio."""
    finish = verb.get("finishOnKey", "1234567890*#")
    if not set(finish) <= set("0123456789*#"):
        raise TwimlError("<Record finishOnKey> is of 0-9, * and #", INVALID_FINISH_KEY)
    limit_s = number(verb, "maxLength", MAX_LENGTH_S, INVALID_MAX_LENGTH) or MAX_LENGTH_S
    watch = _Watch(number(verb, "timeout", 5, INVALID_TIMEOUT) * 1000)
    if flag(verb, "playBeep", True, INVALID_PLAY_BEEP):
        leg.call.hears("beep")
        leg.call.ambience.play(beep())
        await asyncio.sleep(BEEP_MS / 1000)
    one = leg.account.recordings.open(
        leg.call,
        "RecordVerb",
        track="inbound",
        trim=verb.get("trim", "trim-silence") != "do-not-trim",
        callback=read_recording_callback(verb, document_url),
    )
    leg.call.taps.append(watch.take)
    leg.call.listeners.append(watch)
    key = "hangup"
    try:
        key = await _until_over(leg, watch, finish, limit_s)
    except asyncio.CancelledError:
        leg.account.recordings.close(one)
        if watch.spoke:
            told = _told(one, "hangup")
            tell_of_hang_up(leg, verb, document_url, told, default=document_url)
        raise
    finally:
        leg.account.recordings.close(one)
        leg.call.taps.remove(watch.take)
        leg.call.listeners.remove(watch)
        _transcribe(leg, verb, document_url, one, watch)
    if not watch.spoke:
        return None
    return action(verb, document_url, _told(one, key), default=document_url)


async def _until_over(leg: Leg, watch: _Watch, finish: str, limit_s: int) -> str:
    """The key that ended it, or ""."""
    keys = leg.call.keys
    while not keys.empty():
        keys.get_nowait()
    silent = asyncio.ensure_future(watch.silent.wait())
    pressed = asyncio.ensure_future(_finish_key(leg, finish))
    try:
        await asyncio.wait({silent, pressed}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        return pressed.result() if pressed.done() else ""
    finally:
        silent.cancel()
        pressed.cancel()
        await asyncio.gather(silent, pressed, return_exceptions=True)


async def _finish_key(leg: Leg, finish: str) -> str:
    while (key := await leg.call.keys.get()) not in finish or not finish:
        pass
    return key


def _told(one: CallRecording, key: str) -> dict[str, str]:
    return {
        "RecordingUrl": one.url,
        "RecordingSid": one.sid,
        "RecordingDuration": str(round(one.duration_ms / 1000)),
        **({"Digits": key} if key else {}),
    }


def _transcribe(leg: Leg, verb: Verb, document_url: str, one: CallRecording, watch: _Watch) -> None:
    """The words of the person's script, sent when the recording is over."""
    url = verb.get("transcribeCallback")
    if not url or not watch.spoke:
        return
    done = bool(watch.words) and one.duration_ms <= MAX_TRANSCRIBED_MS
    leg.account.notices.send(
        one.sid,
        "transcription",
        urljoin(document_url, url),
        {
            **leg.call.identity.standard(leg.call.status),
            "TranscriptionSid": "TR" + one.sid[2:],
            "TranscriptionText": " ".join(watch.words) if done else "",
            "TranscriptionStatus": "completed" if done else "failed",
            "RecordingSid": one.sid,
            "RecordingUrl": one.url,
        },
    )
