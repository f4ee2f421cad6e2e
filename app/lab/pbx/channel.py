"""A WebSocket channel without sockets: the caller's frames and the bot's messages in, messages and
played sound out.

The line's scheduler calls `advance` and `caller_frame` once per 20 ms tick, in that order. A tick's
events therefore leave before the caller's frame of that tick.
"""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from app.lab.pbx.queue import MediaQueue
from app.lab.pbx.wire import COMMANDS, BadCommand, Command, Format, Teller, read_command
from app.lab.phone.impairments import Impairments
from app.lab.phone.media import StreamFault
from app.lab.phone.truth import Played
from app.lab.phone.upstream import Upstream
from telecodecs.g711 import FRAME_BYTES

MOST_TEXT_BYTES = 128
MOST_BINARY_BYTES = 65_500
NOT_UNDERSTOOD = 0
"""The code of faults here: Asterisk writes them into its log, and numbers none."""

Outcome: TypeAlias = Literal["answered", "hung_up", "too_big"]
"""`too_big`: a message that closes the socket with 1009, and ends the channel."""


class WebSocketChannel:
    """From MEDIA_START to the end of the socket. `origin_s`: due time of the first tick on the
    line's clock. `on_outcome` is told what the bot does to the channel itself."""

    def __init__(
        self,
        teller: Teller,
        *,
        format_: Format,
        impairments: Impairments,
        origin_s: float,
        send: Callable[[str | bytes], None],
        on_outcome: Callable[[Outcome], None],
        on_clear: Callable[[float], None] = lambda carrier_ms: None,
    ) -> None:
        self.played = Played(impairments.first_timestamp_ms)
        self.faults: list[StreamFault] = []
        self.sent_frames = 0
        self.withheld_frames = 0
        """Caller frames for which no message went out."""
        self.origin_s = origin_s
        self._teller = teller
        self._format: Format = format_
        self._upstream = Upstream(impairments, "pbx")
        self._first_ms = impairments.first_timestamp_ms
        self._send = send
        self._on_outcome = on_outcome
        self._on_clear = on_clear
        self.queue = MediaQueue(self.played, self._tell)
        self._tick = 0
        self._over = False

    @property
    def ticks(self) -> int:
        """Ticks carried out so far."""
        return self._tick

    @property
    def sounding(self) -> bytes | None:
        return self.played.frames[-1] if self.played.frames else None

    @property
    def unplayed_bytes(self) -> int:
        return self.queue.frames * FRAME_BYTES

    def carrier_ms(self, at_s: float) -> float:
        """An instant of the line's clock on this channel's clock."""
        return self._first_ms + (at_s - self.origin_s) * 1000

    def open(self, variables: Mapping[str, str]) -> None:
        self._send(self._teller.start(variables))

    def advance(self, at_s: float) -> bytes | None:
        """One tick of the timer. Returns the bot audio that the caller has just finished hearing.
        None: no RTP went out for it."""
        heard = self.sounding
        self.queue.tick(self.played.carrier_ms(self._tick), at_s)
        return heard

    def caller_frame(self, frame: bytes | None) -> None:
        """The caller's RTP of this tick; None when the caller's side sends none."""
        timestamp_ms = self.played.carrier_ms(self._tick)
        self._tick += 1
        if frame is None or not self._upstream.passes(timestamp_ms, frame):
            self.withheld_frames += 1
            return
        self.sent_frames += 1
        self._send(frame)

    def press(self, digit: str) -> None:
        self._tell("DTMF_END", digit=digit)

    def close(self) -> None:
        """Nothing goes out any more."""
        self._over = True

    def receive(self, data: bytes, *, binary: bool, at_s: float) -> None:
        """A message from the bot, when it reaches the PBX."""
        if self._over:
            return
        now_ms = self.carrier_ms(at_s)
        if binary:
            self._sound(data, now_ms)
        elif len(data) > MOST_TEXT_BYTES:
            self._fault(f"a text of {len(data)} bytes, the most is {MOST_TEXT_BYTES}", now_ms)
        else:
            self._obey(data.decode("utf-8", "replace"), now_ms)

    def _sound(self, data: bytes, now_ms: float) -> None:
        if len(data) > MOST_BINARY_BYTES:
            self._fault(f"a message of {len(data)} bytes of sound", now_ms)
            self._on_outcome("too_big")
            return
        dropped = self.queue.dropped_bytes
        self.queue.push(data, now_ms)
        if self.queue.dropped_bytes > dropped:
            self._fault(f"{self.queue.dropped_bytes - dropped} bytes of sound dropped", now_ms)

    def _obey(self, text: str, now_ms: float) -> None:
        try:
            command = read_command(text, self._format)
        except BadCommand as error:
            self._fault("a command that is no JSON", now_ms)
            self._tell("ERROR", error_text=str(error))
            return
        if command.name not in COMMANDS:
            self._fault("a command that there is none", now_ms)
        elif not self._about_the_channel(command):
            self._about_the_queue(command, now_ms)

    def _about_the_channel(self, command: Command) -> bool:
        match command.name:
            case "ANSWER":
                self._on_outcome("answered")
            case "HANGUP":
                self._on_outcome("hung_up")
            case "GET_STATUS":
                self._tell("STATUS", **self.queue.status())
            case "SET_MEDIA_DIRECTION":
                pass
            case _:
                return False
        return True

    def _about_the_queue(self, command: Command, now_ms: float) -> None:
        queue = self.queue
        match command.name:
            case "MARK_MEDIA":
                queue.mark(command.correlation_id, now_ms)
            case "FLUSH_MEDIA":
                queue.flush(now_ms)
                self._on_clear(now_ms)
            case "REPORT_QUEUE_DRAINED":
                queue.report_drained()
            case "START_MEDIA_BUFFERING":
                queue.begin_buffering()
            case "STOP_MEDIA_BUFFERING":
                queue.end_buffering(command.correlation_id, now_ms)
            case "PAUSE_MEDIA" | "CONTINUE_MEDIA":
                queue.paused = command.name == "PAUSE_MEDIA"

    def _fault(self, detail: str, now_ms: float) -> None:
        self.faults.append(StreamFault(NOT_UNDERSTOOD, detail, now_ms))

    def _tell(self, event: str, **fields: object) -> None:
        if not self._over:
            self._send(self._teller.event(event, **fields))
