"""Recordings of a leg as Twilio makes them: one or two channels, paused and resumed, with tones.

The first channel is the person on the leg, the second what that person hears.
"""

import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal, TypeAlias

import numpy as np

from app.lab.phone.call import LiveCall
from app.lab.phone.identity import API_VERSION, new_sid
from app.lab.phone.mixing import mixed
from app.lab.phone.notices import Notices
from app.lab.phone.sound import audible
from app.lab.phone.webhook import Method
from telecodecs.g711 import BYTES_PER_MS, FRAME_BYTES, SAMPLE_RATE_HZ, ULAW_SILENCE, ulaw_to_pcm

RecordingSource: TypeAlias = Literal[
    "DialVerb", "OutboundAPI", "RecordVerb", "StartCallRecordingAPI", "StartCallRecordingTwiML"
]
RecordingState: TypeAlias = Literal["in-progress", "paused", "completed", "absent"]
PauseBehavior: TypeAlias = Literal["silence", "skip"]
Track: TypeAlias = Literal["both", "inbound", "outbound"]

_SILENT_FRAME = ULAW_SILENCE * FRAME_BYTES


@dataclass(frozen=True, slots=True)
class RecordingCallback:
    url: str
    method: Method = "POST"
    events: tuple[str, ...] = ("completed",)


@dataclass(eq=False, slots=True)
class CallRecording:
    """One recording; `open_recording` begins it."""

    call: LiveCall
    source: RecordingSource
    channels: Literal[1, 2] = 1
    track: Track = "both"
    trim: bool = False
    callback: RecordingCallback | None = None
    base_url: str = "https://api.twilio.com"
    sid: str = field(default_factory=lambda: new_sid("RE"))
    state: RecordingState = "in-progress"
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _behavior: PauseBehavior = "silence"
    _first: bytearray = field(default_factory=bytearray)
    _second: bytearray = field(default_factory=bytearray)

    @property
    def url(self) -> str:
        """RecordingUrl; add .wav for the audio."""
        account = self.call.identity.account_sid
        return f"{self.base_url}/{API_VERSION}/Accounts/{account}/Recordings/{self.sid}"

    @property
    def ended(self) -> bool:
        return self.state in ("completed", "absent")

    @property
    def duration_ms(self) -> int:
        return len(self.person) // BYTES_PER_MS

    @property
    def person(self) -> bytes:
        """μ-law of the person on the leg; silent where the recording was paused by silence."""
        return bytes(self._first[slice(*self._kept())])

    @property
    def other(self) -> bytes:
        """μ-law of what the person heard, as long as `person`."""
        return bytes(self._second[slice(*self._kept())])

    def take(self, said: bytes, heard: bytes) -> None:
        """One tick."""
        if self.state == "paused":
            if self._behavior == "silence":
                self._first += _SILENT_FRAME
                self._second += _SILENT_FRAME
            return
        self._first += said.ljust(FRAME_BYTES, ULAW_SILENCE)
        self._second += heard.ljust(FRAME_BYTES, ULAW_SILENCE)

    def pause(self, behavior: PauseBehavior) -> None:
        self.state, self._behavior = "paused", behavior

    def resume(self) -> None:
        self.state = "in-progress"

    def wav(self) -> bytes:
        """16 bits, 8 kHz: stereo with the person left, or everything mixed into one channel."""
        with io.BytesIO() as file:
            with wave.open(file, "wb") as writer:
                writer.setparams((self.channels, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
                writer.writeframes(self._pcm())
            return file.getvalue()

    def _pcm(self) -> bytes:
        first, second = self.person, self.other
        if self.channels == 2:
            both = [np.frombuffer(ulaw_to_pcm(side), "<i2") for side in (first, second)]
            return np.column_stack(both).astype("<i2").tobytes()
        if self.track != "both":
            return ulaw_to_pcm(first if self.track == "inbound" else second)
        frames = (
            mixed([first[at : at + FRAME_BYTES], second[at : at + FRAME_BYTES]]) or b""
            for at in range(0, len(first), FRAME_BYTES)
        )
        return ulaw_to_pcm(b"".join(frames))

    def _kept(self) -> tuple[int, int]:
        """Where the recording begins and ends: all of it, or without the silence at its edges."""
        if not (self.trim and self.ended):
            return 0, len(self._first)
        loud = [
            at
            for at in range(0, len(self._first), FRAME_BYTES)
            if audible(bytes(self._first[at : at + FRAME_BYTES]))
            or audible(bytes(self._second[at : at + FRAME_BYTES]))
        ]
        return (loud[0], loud[-1] + FRAME_BYTES) if loud else (0, 0)

    def describe(self, state: str) -> dict[str, str]:
        """The parameters of a recording callback (shared notes on Twilio Voice, section 7)."""
        return {
            "AccountSid": self.call.identity.account_sid,
            "CallSid": self.call.identity.call_sid,
            "RecordingSid": self.sid,
            "RecordingUrl": self.url,
            "RecordingStatus": state,
            "RecordingDuration": str(round(self.duration_ms / 1000)),
            "RecordingChannels": str(self.channels),
            "RecordingStartTime": format_datetime(self.started),
            "RecordingSource": self.source,
            "RecordingTrack": self.track,
        }

    def resource(self) -> Mapping[str, object]:
        """The Recording resource."""
        account = self.call.identity.account_sid
        return {
            "sid": self.sid,
            "account_sid": account,
            "call_sid": self.call.identity.call_sid,
            "conference_sid": None,
            "api_version": API_VERSION,
            "status": self.state,
            "source": self.source,
            "channels": self.channels,
            "track": self.track,
            "duration": str(round(self.duration_ms / 1000)) if self.ended else None,
            "start_time": format_datetime(self.started),
            "date_created": format_datetime(self.started),
            "date_updated": format_datetime(datetime.now(UTC)),
            "price": None,
            "price_unit": "USD",
            "error_code": None,
            "uri": f"/{API_VERSION}/Accounts/{account}/Recordings/{self.sid}.json",
        }


@dataclass(slots=True)
class Recordings:
    """All recordings of an account."""

    notices: Notices
    base_url: str = "https://api.twilio.com"
    by_sid: dict[str, CallRecording] = field(default_factory=dict)

    def open(
        self,
        call: LiveCall,
        source: RecordingSource,
        *,
        channels: Literal[1, 2] = 1,
        track: Track = "both",
        trim: bool = False,
        callback: RecordingCallback | None = None,
    ) -> CallRecording:
        """Record a leg from now to its end, or until `close`."""
        one = CallRecording(call, source, channels, track, trim, callback, self.base_url)
        self.by_sid[one.sid] = one
        call.taps.append(one.take)
        call.at_end.append(lambda: self.close(one))
        self._tell(one, "in-progress")
        return one

    def close(self, one: CallRecording) -> None:
        """Stop and tell; a recording that is over stays as it is."""
        if one.ended:
            return
        one.call.taps.remove(one.take)
        one.state = "completed" if one.duration_ms else "absent"
        self._tell(one, one.state)

    def of_call(self, call_sid: str) -> list[CallRecording]:
        """Oldest first."""
        return [one for one in self.by_sid.values() if one.call.identity.call_sid == call_sid]

    def current(self, call_sid: str) -> CallRecording | None:
        """The newest one that still runs: Twilio.CURRENT."""
        running = [one for one in self.of_call(call_sid) if not one.ended]
        return running[-1] if running else None

    def _tell(self, one: CallRecording, state: str) -> None:
        callback = one.callback
        if callback is not None and state in callback.events:
            self.notices.send(
                one.sid, "recording_status", callback.url, one.describe(state), callback.method
            )
