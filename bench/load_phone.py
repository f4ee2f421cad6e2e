"""One caller behind Twilio as a load: signed webhook, TwiML, signed upgrade, 50 frames a second.

Faithful where the bridge can tell (signatures, message order, numbers as strings, marks, clear) and
cheap everywhere else: no playout ticks, JSON from templates. `app.lab.phone` is the real telephone.
"""

import logging
import time
from dataclasses import dataclass

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from app.lab.phone.identity import CallIdentity, new_sid
from app.lab.phone.signing import signature, without_query
from app.lab.phone.twiml import read_twiml, stream_parameters
from app.lab.phone.webhook import Webhooks
from app.lab.phone.wire import CONNECTED, InvalidMessage, StreamIdentity, Writer, read_bot_message
from bench.load_call import FRAME_MS, LoadCall
from bench.load_playout import PlayoutBuffer

ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "load-token-of-no-account"
CALLER = "+15550100001"
CALLED = "+15550100002"
"""Numbers of the range that is kept free for fiction."""

logging.getLogger("picows").setLevel(logging.ERROR)


class DialError(RuntimeError):
    """The bridge's fault: a call that could not be connected."""


@dataclass(frozen=True, slots=True)
class StreamOffer:
    """What `<Connect><Stream>` told the carrier to open."""

    url: str
    parameters: dict[str, str]


def read_offer(document: bytes, content_type: str) -> StreamOffer:
    """The media stream in a TwiML document. Raises `DialError` if it offers none."""
    for verb in read_twiml(document, content_type):
        if verb.name == "Connect":
            for noun in verb.children:
                if noun.name == "Stream":
                    url = without_query(noun.get("url"))
                    return StreamOffer(url, stream_parameters(noun))
    raise DialError(f"expected <Connect><Stream> in the TwiML, got {document[:200]!r}")


class Phone(WSListener):
    """One call from `dial` to `hang_up`. `turn` is its place on the wheel, every 20 ms."""

    def __init__(self, call: LoadCall) -> None:
        self.call = call
        self.playout = PlayoutBuffer()
        self.invalid = 0
        """Messages that Twilio would report as error 31951."""
        self.dropped = False
        """The bridge closed the socket before we hung up."""
        self._identity = CallIdentity(new_sid("CA"), ACCOUNT_SID, CALLER, CALLED, "inbound")
        self._stream_sid = new_sid("MZ")
        self._writer = Writer(
            StreamIdentity(self._stream_sid, self._identity.call_sid, ACCOUNT_SID)
        )
        self._transport: WSTransport | None = None

    async def dial(self, webhooks: Webhooks, voice_url: str) -> None:
        """Call the bridge; returns when its media socket is open. Raises `DialError`."""
        answer = await webhooks.request(voice_url, self._identity.voice("ringing"))
        offer = read_offer(answer.body, answer.content_type)
        headers = {"x-twilio-signature": signature(AUTH_TOKEN, offer.url)}
        transport, _ = await ws_connect(lambda: self, offer.url, extra_headers=headers)
        transport.send(WSMsgType.TEXT, CONNECTED)
        transport.send(WSMsgType.TEXT, self._writer.start(offer.parameters))
        self._transport = transport

    def turn(self, now_s: float) -> None:
        """Echo the marks that were reached, then send the next frame."""
        if self._transport is None:
            return
        for name in self.playout.due_marks(now_s):
            self._transport.send(WSMsgType.TEXT, self._writer.mark(name))
        timestamp_ms = self.call.caller.frames * FRAME_MS
        frame = self.call.caller.next_frame(now_s)
        self._transport.send(WSMsgType.TEXT, self._writer.media(frame, timestamp_ms))

    def hang_up(self) -> None:
        """The caller hangs up: `stop`, then the carrier closes the socket."""
        self.call.over = True
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, self._writer.stop())
            self._transport.disconnect()
            self._transport = None

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.dropped = not self.call.over
        self._transport = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        try:
            message = read_bot_message(frame.get_payload_as_bytes(), self._stream_sid)
        except InvalidMessage:
            self.invalid += 1
            return
        if message.media is not None:
            self._play(message.media.payload, time.monotonic())
        elif message.mark is not None:
            self._take_mark(message.mark.name, time.monotonic())
        else:
            self._echo(self.playout.clear(time.monotonic()))

    def _play(self, audio: bytes, now_s: float) -> None:
        within = self.call.bot.within_answer
        self.call.bot.heard(audio, now_s, dry_at_s=self.playout.dry_at_s)
        self.playout.queue(len(audio), now_s, within_answer=within)

    def _take_mark(self, name: str, now_s: float) -> None:
        self.playout.mark(name)
        self._echo(self.playout.due_marks(now_s))

    def _echo(self, names: list[str]) -> None:
        if self._transport is not None:
            for name in names:
                self._transport.send(WSMsgType.TEXT, self._writer.mark(name))
