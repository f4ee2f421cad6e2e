"""What a realtime model says by itself in one session: an answer every five seconds, in events.

An answer is about 3 s of μ-law in deltas of 200 ms, five times faster than it is spoken, with its
transcript; the events and their order are those of a typical audio turn of the GA protocol. Lengths
vary, so that some answers end within a frame. The caller never has to speak for it.
"""

from binascii import b2a_base64
from collections.abc import Iterator

from bench.load_call import BotVoice

STEP_MS = 40
"""Between two deltas."""
DELTA_BYTES = 1_600
"""200 ms of speech: five times as long as a step."""
CYCLE_STEPS = 125
"""From one answer to the next: 5 s."""
ANSWER_BYTES = (24_000, 23_927, 23_840, 23_199)
"""3 s or a little less; the second and the last are no whole number of 20 ms frames."""
ASKED_BYTES = 3_200
"""An answer that the bot asks for (its greeting): 0.4 s, over before anything is measured."""

_RATE_LIMITS = (
    b'"rate_limits":[{"name":"requests","limit":10000,"remaining":9999,"reset_seconds":0.006},'
    b'{"name":"tokens","limit":4000000,"remaining":3995121,"reset_seconds":0.073}]'
)
_USAGE = (
    b'{"total_tokens":912,"input_tokens":842,"output_tokens":70,"input_token_details":'
    b'{"text_tokens":612,"audio_tokens":230,"image_tokens":0,"cached_tokens":640,'
    b'"cached_tokens_details":{"text_tokens":576,"audio_tokens":64,"image_tokens":0}},'
    b'"output_token_details":{"text_tokens":10,"audio_tokens":60}}'
)
_AUDIO = b'"output_modalities":["audio"],"audio":{"output":{"format":{"type":"audio/pcmu"}}}'
_WORDS = b" and that is all for tonight"


class Answers:
    """One session's mouth. `step` is called every `STEP_MS` and returns what is sent then."""

    def __init__(self, session: str, voice: BotVoice, phase_steps: int) -> None:
        """`session` makes the ids unique; `phase_steps`: where in its cycle the session begins."""
        self._session = session.encode("ascii")
        self._voice = voice
        self._step = phase_steps % CYCLE_STEPS
        self._running: Iterator[list[bytes]] | None = None
        self._due = False
        self._silenced = False
        self._events = 0
        self._count = 0

    @property
    def busy(self) -> bool:
        """True while a response is running."""
        return self._running is not None

    def ask(self, metadata: bytes, now_s: float) -> None:
        """Begin the answer that the client requested; `metadata` is JSON. Only while not busy."""
        self._begin(ASKED_BYTES, metadata, now_s)

    def silence(self) -> None:
        """Begin no more answers; one that is running is said to its end."""
        self._silenced = True

    def step(self, now_s: float) -> list[bytes]:
        self._step += 1
        if self._step == CYCLE_STEPS:
            self._step, self._due = 0, True
        if self._running is None and self._due and not self._silenced:
            self._due = False
            n_bytes = ANSWER_BYTES[self._count % len(ANSWER_BYTES)]
            self._begin(n_bytes, b"null", now_s)
        if self._running is None:
            return []
        messages = next(self._running, None)
        if messages is None:
            self._running = None
            return []
        return messages

    def event(self, kind: bytes, fields: bytes) -> bytes:
        """A server event with an id of its own; `fields` is the rest of the JSON object."""
        self._events += 1
        return b'{"type":"%b","event_id":"event_%b%d",%b}' % (
            kind,
            self._session,
            self._events,
            fields,
        )

    def _begin(self, n_bytes: int, metadata: bytes, now_s: float) -> None:
        self._count += 1
        self._voice.begin(n_bytes, now_s)
        self._running = self._answer(n_bytes, metadata)

    def _answer(self, n_bytes: int, metadata: bytes) -> Iterator[list[bytes]]:
        """The events of one answer, step by step."""
        response = b"resp_%b%d" % (self._session, self._count)
        item = b"item_%b%d" % (self._session, self._count)
        place = b'"response_id":"%b","item_id":"%b","output_index":0,"content_index":0,' % (
            response,
            item,
        )
        messages = self._opening(response, item, place, metadata)
        for left in range(n_bytes, 0, -DELTA_BYTES):
            messages.append(self._text(place))
            messages.append(self._sound(place, min(left, DELTA_BYTES)))
            yield messages
            messages = []
        yield self._ending(response, item, place, metadata)

    def _text(self, place: bytes) -> bytes:
        fields = b'%b"delta":"%b"' % (place, _WORDS)
        return self.event(b"response.output_audio_transcript.delta", fields)

    def _sound(self, place: bytes, n_bytes: int) -> bytes:
        audio = b2a_base64(self._voice.next_piece(n_bytes), newline=False)
        return self.event(b"response.output_audio.delta", b'%b"delta":"%b"' % (place, audio))

    def _opening(self, response: bytes, item: bytes, place: bytes, metadata: bytes) -> list[bytes]:
        empty = _item(item, b"in_progress", b"")
        part = b'%b"part":{"type":"audio","transcript":""}' % place
        return [
            self.event(
                b"response.created",
                b'"response":%b' % _response(response, b"in_progress", metadata, b"", b"null"),
            ),
            self.event(b"response.output_item.added", _of_response(response, empty)),
            self.event(b"conversation.item.added", b'"previous_item_id":null,"item":%b' % empty),
            self.event(b"response.content_part.added", part),
        ]

    def _ending(self, response: bytes, item: bytes, place: bytes, metadata: bytes) -> list[bytes]:
        content = b'{"type":"output_audio","transcript":"%b"}' % _WORDS
        full = _item(item, b"completed", content)
        text = b'%b"transcript":"%b"' % (place, _WORDS)
        part = b'%b"part":{"type":"audio","transcript":"%b"}' % (place, _WORDS)
        done = _response(response, b"completed", metadata, full, _USAGE)
        return [
            self.event(b"response.output_audio.done", place.rstrip(b",")),
            self.event(b"response.output_audio_transcript.done", text),
            self.event(b"response.content_part.done", part),
            self.event(b"response.output_item.done", _of_response(response, full)),
            self.event(b"conversation.item.done", b'"previous_item_id":null,"item":%b' % full),
            self.event(b"response.done", b'"response":%b' % done),
            self.event(b"rate_limits.updated", _RATE_LIMITS),
        ]


def _item(item: bytes, status: bytes, content: bytes) -> bytes:
    return (
        b'{"id":"%b","object":"realtime.item","type":"message","status":"%b",'
        b'"role":"assistant","content":[%b]}' % (item, status, content)
    )


def _of_response(response: bytes, item: bytes) -> bytes:
    return b'"response_id":"%b","output_index":0,"item":%b' % (response, item)


def _response(
    response: bytes, status: bytes, metadata: bytes, output: bytes, usage: bytes
) -> bytes:
    return (
        b'{"object":"realtime.response","id":"%b","status":"%b","status_details":null,'
        b'"output":[%b],"conversation_id":"conv_load",%b,"max_output_tokens":"inf",'
        b'"metadata":%b,"usage":%b}' % (response, status, output, _AUDIO, metadata, usage)
    )
