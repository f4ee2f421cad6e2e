"""The output buffer of a SIP call: what the model says is played to the caller as time goes by.

The first sound of an answer is told as `started`, its last, once the answer is complete, as
`stopped`; a caller who begins to speak, or the client, has the rest `cleared`. The item that was
being played is then truncated to what was played of it (OpenAI guide: realtime conversations).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

FRAME_BYTES = 160
FRAME_MS = 20
BYTES_PER_MS = 8
_SILENCE = b"\xff"


@dataclass(slots=True)
class _Piece:
    response_id: str
    item_id: str
    audio: bytes


class Output:
    """One per call. `tell` takes a server event of the buffer: its type and the response's id."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._queue: deque[_Piece] = deque()
        self._complete: set[str] = set()
        self._dead: set[str] = set()
        self._playing = ""
        self._played: dict[str, int] = {}
        """By item, in bytes."""
        self._newest = ""
        """The item whose sound was played last."""
        self.heard = bytearray()
        """All that the caller has heard of the model, without the silence between."""

    @property
    def playing(self) -> str:
        """The response that the caller hears; "": none."""
        return self._playing

    def played_ms(self, item_id: str) -> int:
        return self._played.get(item_id, 0) // BYTES_PER_MS

    def add(self, response_id: str, item_id: str, audio: bytes) -> None:
        if response_id not in self._dead:
            self._queue.append(_Piece(response_id, item_id, audio))

    def complete(self, response_id: str) -> None:
        """No more of this answer comes."""
        self._complete.add(response_id)
        self._stop_if_drained()

    def frame(self) -> bytes:
        """The next 20 ms for the caller."""
        piece = self._queue[0] if self._queue else None
        if piece is None:
            return _SILENCE * FRAME_BYTES
        if self._playing != piece.response_id:
            self._playing = piece.response_id
            self._tell("output_audio_buffer.started", piece.response_id)
        audio, piece.audio = piece.audio[:FRAME_BYTES], piece.audio[FRAME_BYTES:]
        self._newest = piece.item_id
        self._played[piece.item_id] = self._played.get(piece.item_id, 0) + len(audio)
        self.heard += audio
        if not piece.audio:
            self._queue.popleft()
        self._stop_if_drained()
        return audio.ljust(FRAME_BYTES, _SILENCE)

    def clear(self) -> tuple[str, int] | None:
        """Fall silent; the item that was being played and how many ms of it were, or None when
        nothing was."""
        if not self._playing:
            self._dead.update(piece.response_id for piece in self._queue)
            self._queue.clear()
            return None
        response_id, self._playing = self._playing, ""
        self._dead.update({response_id, *(piece.response_id for piece in self._queue)})
        self._queue.clear()
        self._tell("output_audio_buffer.cleared", response_id)
        return self._newest, self.played_ms(self._newest)

    def _stop_if_drained(self) -> None:
        now = self._playing
        waits = any(piece.response_id == now for piece in self._queue)
        if now and now in self._complete and not waits:
            self._playing = ""
            self._tell("output_audio_buffer.stopped", now)
