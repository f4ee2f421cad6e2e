"""The carrier's end of one media stream, without sockets: messages and ticks in, messages out.

The line's scheduler calls `advance` and `caller_frame` once per 20 ms tick, in that order, so the
echo of a mark leaves before the caller frame of the tick at which it was due. Both pass through
`send`, one ordered connection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.lab.phone.impairments import Impairments
from app.lab.phone.playout import Playout
from app.lab.phone.truth import Played
from app.lab.phone.upstream import Upstream
from app.lab.phone.wire import (
    CONNECTED,
    BotMessage,
    InvalidMessage,
    StreamIdentity,
    Writer,
    read_bot_message,
)

BACKLOG_BYTES = 64 * 1024
"""Unsent bytes at which the carrier begins to discard caller audio, about 5 s of it."""

INVALID_MESSAGE = 31951
SLOW_READER = 31930


@dataclass(frozen=True, slots=True)
class StreamFault:
    """Something about the stream that Twilio would report in its debugger."""

    code: int
    detail: str
    carrier_ms: float


class MediaStream:
    """One stream from `connected` to `stop`."""

    def __init__(
        self,
        identity: StreamIdentity,
        *,
        parameters: Mapping[str, str],
        impairments: Impairments,
        origin_s: float,
        send: Callable[[str], None],
        salt: str = "",
        backlog_bytes: Callable[[], int] = lambda: 0,
        on_clear: Callable[[float], None] = lambda carrier_ms: None,
    ) -> None:
        """`origin_s`: due time of this stream's first tick on the line's clock (seconds).

        `salt` tells streams with the same seed apart.
        """
        self.identity = identity
        self.played = Played(impairments.first_timestamp_ms)
        self.faults: list[StreamFault] = []
        self.sent_frames = 0
        self.withheld_frames = 0
        """Caller frames lost, suppressed or in a gap: no message went out for them."""
        self._writer = Writer(identity)
        self._parameters = dict(parameters)
        self._upstream = Upstream(impairments, salt)
        self._first_ms = impairments.first_timestamp_ms
        self._origin_s = origin_s
        self._send = send
        self._backlog_bytes = backlog_bytes
        self._on_clear = on_clear
        self._playout = Playout(self.played, self._echo)
        self._tick = 0
        self._started = self._stopped = self._choked = False

    @property
    def ticks(self) -> int:
        """Ticks carried out so far."""
        return self._tick

    @property
    def sounding(self) -> bytes | None:
        """The bot's audio that plays during the tick that `advance` began."""
        return self.played.frames[-1] if self.played.frames else None

    @property
    def unplayed_bytes(self) -> int:
        return self._playout.queued_bytes

    def carrier_ms(self, at_s: float) -> float:
        """An instant of the line's clock on this stream's clock."""
        return self._first_ms + (at_s - self._origin_s) * 1000

    def open(self) -> None:
        self._started = True
        self._send(CONNECTED)
        self._send(self._writer.start(self._parameters))

    def advance(self, at_s: float) -> bytes | None:
        """One tick of playout. Returns the bot audio that the caller has just finished hearing."""
        heard = self.played.frames[-1] if self.played.frames else None
        self._playout.tick(self.played.carrier_ms(self._tick), at_s)
        return heard

    def caller_frame(self, frame: bytes | None) -> None:
        """The caller's 20 ms for this tick; None when the caller's side carries nothing."""
        timestamp_ms = self.played.carrier_ms(self._tick)
        self._tick += 1
        passes = frame is not None and self._upstream.passes(timestamp_ms, frame)
        if frame is None or not passes or self._choking(timestamp_ms):
            self.withheld_frames += 1
            return
        self.sent_frames += 1
        self._send(self._writer.media(frame, timestamp_ms))

    def press(self, digit: str) -> None:
        self._send(self._writer.dtmf(digit))

    def stop(self) -> None:
        if self._started and not self._stopped:
            self._stopped = True
            self._send(self._writer.stop())

    def receive(self, data: bytes, *, binary: bool, at_s: float) -> None:
        """A message from the bot, when it reaches the phone."""
        if self._stopped:
            return
        now_ms = self.carrier_ms(at_s)
        try:
            if binary:
                raise InvalidMessage("expected a text frame, got a binary one")
            message = self._read(data)
        except InvalidMessage as error:
            self.fault(INVALID_MESSAGE, str(error), now_ms)
            return
        if message.media is not None and message.event == "media":
            self._playout.append(message.media.payload, now_ms)
        elif message.mark is not None and message.event == "mark":
            self._playout.mark(message.mark.name, now_ms)
        else:
            self._playout.clear(now_ms)
            self._on_clear(now_ms)

    def _read(self, data: bytes) -> BotMessage:
        """Raises InvalidMessage."""
        return read_bot_message(data, self.identity.stream_sid)

    def fault(self, code: int, detail: str, carrier_ms: float) -> None:
        self.faults.append(StreamFault(code, detail, carrier_ms))

    def _echo(self, name: str) -> None:
        self._send(self._writer.mark(name))

    def _choking(self, timestamp_ms: int) -> bool:
        choked = self._backlog_bytes() > BACKLOG_BYTES
        if choked and not self._choked:
            self.fault(SLOW_READER, "the bot reads too slowly: caller audio dropped", timestamp_ms)
        self._choked = choked
        return choked
