"""Which words of the agent's items reached the caller: a track of text and audio for each item, and
what one teaches of the voice's pace for the next."""

from app.call.recent import Recent
from app.call.word_track import Pace, WordTrack


class Wording:
    """One per call. Told of text and audio that count, in their order of arrival."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._tracks: Recent[WordTrack] = Recent(256)
        self._newest_of: Recent[str] = Recent()
        """By response the item that it brought last: the ones before are complete."""
        self._broken: Recent[None] = Recent()
        """Items whose sound ended before their words."""

    def said(self, response_id: str, item_id: str, text: str) -> None:
        self._newest(response_id, item_id).text(text)

    def sounded(self, response_id: str, item_id: str, n_bytes: int) -> None:
        self._newest(response_id, item_id).audio(n_bytes)

    def finished(self, response_id: str) -> None:
        """The response came to its own end: its last item is complete too."""
        item_id = self._newest_of.pop(response_id)
        if item_id is not None:
            self._complete(item_id)

    def broke_off(self, response_id: str) -> tuple[str, str, str] | None:
        """Nothing more comes of this response: its last item, the words of it whose sound came, and
        the others. None where it had no item, or came to its own end."""
        item_id = self._newest_of.pop(response_id)
        if item_id is None:
            return None
        self._broken.put(item_id, None)
        return item_id, *self._track(item_id).came()

    def whole(self, item_id: str) -> bool:
        """False where the words of this item go on beyond its sound."""
        return item_id not in self._broken

    def played(self, item_id: str, n_bytes: int) -> None:
        """Where others play: all of this item took so long, which teaches the voice's pace."""
        track = self._track(item_id)
        track.audio(n_bytes)
        self._pace = track.pace

    def other_voice(self) -> None:
        """Another model speaks: what was learned does not hold for it."""
        self._pace = Pace()

    def cut(self, item_id: str, heard_bytes: int, received_bytes: int) -> tuple[str, str]:
        """The words that were heard, and the rest."""
        return self._track(item_id).heard(heard_bytes, received_bytes)

    def _newest(self, response_id: str, item_id: str) -> WordTrack:
        before = self._newest_of.get(response_id)
        if before != item_id:
            if before is not None:
                self._complete(before)
            self._newest_of.put(response_id, item_id)
        return self._track(item_id)

    def _complete(self, item_id: str) -> None:
        track = self._track(item_id)
        track.done()
        self._pace = track.pace

    def _track(self, item_id: str) -> WordTrack:
        track = self._tracks.get(item_id)
        if track is None:
            track = WordTrack(self._pace)
            self._tracks.put(item_id, track)
        return track
