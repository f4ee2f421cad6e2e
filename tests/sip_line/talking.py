"""The lab's callers on a real SIP call: sipp signals, and the caller's sound goes as RTP.

They follow the same scripts as over the lab's other lines, and the same is reported of them.
"""

import asyncio
import struct
import tempfile
from collections import deque
from pathlib import Path
from typing import Final, cast

from app.demo.stage import CALLED, CALLER, LAB_PBX, LAB_PBX_PASSWORD, Stage
from app.lab.phone.agenda import Agenda
from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp
from app.lab.phone.identity import CallIdentity
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport, EndedBy, StreamReport
from app.lab.phone.script import Script
from app.lab.phone.truth import SILENCE, Played
from app.lab.phone.upstream import Upstream
from app.sip_line.jitter import Delay
from app.sip_line.keys import KEYS
from app.sip_line.rtp import RtpPacket, parse_rtp
from telecodecs import FRAME_BYTES, FRAME_MS, alaw_to_ulaw, ulaw_to_alaw
from tests.sip_line.debian import needed
from tests.sip_line.phone import EVENTS_TYPE
from tests.sip_line.sipp import SipCall, sip_call
from tests.sip_line.stage import CALM, line_to

ULAW, ALAW = 0, 8
"""Payload types (RFC 3551)."""
ANSWER_S: Final = 60.0
MOST_WAITING: Final = 3
"""Frames that the phone keeps for the next ticks; when there are more it leaves out silence, never
speech, until it has caught up."""
KEY_FRAMES: Final = 5


class RtpSound(asyncio.DatagramProtocol):
    """The caller's end of the sound: see `app.lab.phone.senses.Stream`.

    What a phone plays is what came, in order, one frame a tick; digital silence counts as none.
    """

    def __init__(self, payload_type: int, impairments: Impairments) -> None:
        self.played = Played(impairments.first_timestamp_ms)
        self.begun = asyncio.Event()
        self.sent_frames = 0
        self.withheld_frames = 0
        self._type = payload_type
        self._upstream = Upstream(impairments, "sip")
        self._waiting: deque[bytes] = deque()
        self._sequence = 0
        self._tick = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._peer: tuple[str, int] | None = None

    @property
    def port(self) -> int:
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    @property
    def ticks(self) -> int:
        return self._tick

    @property
    def sounding(self) -> bytes | None:
        return self.played.frames[-1] if self.played.frames else None

    @property
    def unplayed_bytes(self) -> int:
        return sum(len(frame) for frame in self._waiting if frame != SILENCE)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet = parse_rtp(data)
        ulaw = packet.payload if self._type == ULAW else alaw_to_ulaw(packet.payload)
        self._waiting.append(ulaw)
        self._peer = addr
        self.begun.set()

    def advance(self, at_s: float) -> bytes | None:
        heard = self.sounding
        frame = self._waiting.popleft() if self._waiting else SILENCE
        while frame == SILENCE and len(self._waiting) > MOST_WAITING:
            frame = self._waiting.popleft()  # what came late is caught up with in a pause
        self.played.tick(None if frame == SILENCE else frame, at_s)
        return heard

    def caller_frame(self, frame: bytes | None) -> None:
        timestamp_ms = int(self.played.carrier_ms(self._tick))
        self._tick += 1
        if frame is None or not self._upstream.passes(timestamp_ms, frame):
            self.withheld_frames += 1
            return
        self.sent_frames += 1
        self._send(self._type, frame if self._type == ULAW else ulaw_to_alaw(frame))

    def press(self, digit: str) -> None:
        """One key of 100 ms (RFC 4733), its packets at once, the end thrice."""
        begun = self._timestamp
        for update in range(1, KEY_FRAMES + 3):
            ended = 0x80 * (update >= KEY_FRAMES)
            length = FRAME_BYTES * min(update, KEY_FRAMES)
            payload = struct.pack("!BBH", KEYS.index(digit), ended | 10, length)
            self._send(EVENTS_TYPE, payload, begun, marker=update == 1)

    @property
    def _timestamp(self) -> int:
        return self._tick * FRAME_BYTES % 2**32

    def _send(
        self, type_: int, payload: bytes, timestamp: int | None = None, *, marker: bool = False
    ) -> None:
        if self._transport is None or self._peer is None:
            return
        at = self._timestamp if timestamp is None else timestamp
        packet = RtpPacket(type_, self._sequence % 2**16, at, 0xCA11E4, payload, marker)
        self._sequence += 1
        self._transport.sendto(packet.encoded(), self._peer)

    async def played_out(self) -> None:
        """What came before the call ended is heard, however late the telephone's clock is."""
        while self.unplayed_bytes:  # noqa: ASYNC110
            await asyncio.sleep(FRAME_MS / 1000)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def called_by_sip(
    stage: Stage,
    script: Script,
    impairments: Impairments | None = None,
    *,
    payload_type: int = ULAW,
    delay: Delay = CALM,
) -> CallReport:
    """A caller of a line that stands before this stage, for this call alone."""
    url = f"{stage.url.replace('http', 'ws', 1)}/asterisk/media"
    with tempfile.TemporaryDirectory() as folder:
        async with line_to(
            url, worker_user=LAB_PBX, worker_password=LAB_PBX_PASSWORD, delay=delay
        ) as line:
            phone = SipPhone(
                line.port, Path(folder), payload_type=payload_type, impairments=impairments
            )
            return await phone.call(script, from_=CALLER, to=CALLED)


class SipPhone:
    """Calls the line at `port`. They may run side by side; `folder` is sipp's."""

    def __init__(
        self,
        port: int,
        folder: Path,
        *,
        payload_type: int = ULAW,
        impairments: Impairments | None = None,
    ) -> None:
        needed("sipp", "sip-tester")
        self._port = port
        self._folder = folder
        self._type = payload_type
        self._impairments = impairments or Impairments()
        self._agenda: Agenda | None = None

    async def call(self, script: Script, *, from_: str, to: str) -> CallReport:
        """One whole call; `report.identity.call_sid` is its SIP Call-ID."""
        self._agenda = self._agenda or Agenda()
        sound = RtpSound(self._type, self._impairments)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: sound, local_addr=("127.0.0.1", 0))
        try:
            async with sip_call(
                self._port, self._folder, from_=from_, to=to, media=f"{sound.port};{self._type} 101"
            ) as signalling:
                identity = CallIdentity(signalling.call_id, "", from_, to, "inbound")
                live = LiveCall(
                    identity, script, self._agenda, self._impairments, lambda event: None
                )
                return await _held(live, sound, signalling)
        finally:
            sound.close()


async def _held(live: LiveCall, sound: RtpSound, signalling: SipCall) -> CallReport:
    """From the first packet to whoever hangs up first."""
    async with asyncio.timeout(ANSWER_S):
        await sound.begun.wait()
    live.answer()
    live.stream = sound
    gone = asyncio.ensure_future(live.interrupted())
    over = asyncio.ensure_future(signalling.over())
    await asyncio.wait((gone, over), return_when=asyncio.FIRST_COMPLETED)
    by: EndedBy = "far_end"
    if isinstance(live.interruption, HungUp):
        by = live.interruption.by
        signalling.hang_up()
    gone.cancel()
    await over
    await sound.played_out()
    live.stream = None
    live.report.streams.append(_described(live, sound, by))
    live.finish(by, "completed")
    return live.report


def _described(live: LiveCall, sound: RtpSound, by: EndedBy) -> StreamReport:
    ended_ms = sound.ticks * FRAME_MS
    return StreamReport(
        stream_sid=live.identity.call_sid,
        url="",
        parameters={},
        began_ms=0,
        ended_ms=live.now_ms,
        ended_by="bot" if by == "far_end" else "phone",
        played=sound.played,
        faults=(),
        ticks=sound.ticks,
        sent_frames=sound.sent_frames,
        withheld_frames=sound.withheld_frames,
        unplayed_bytes=sound.unplayed_bytes,
        spoken=tuple(one.later(sound.played.first_ms) for one in live.spoken_between(0, ended_ms)),
    )
