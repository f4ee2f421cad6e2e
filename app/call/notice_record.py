"""What the record says of notices: when each was heard, how much of it, and what was wrong."""

from typing import Literal

from app.call.axis import BYTES_PER_MS, ItemHeard
from app.call.timeline import Notice, Timeline


class NoticeRecords:
    """One per call; writes into its timeline. A phrase of ours is its own response."""

    __slots__ = ("_of", "_timeline")

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._of: dict[str, Notice] = {}
        """By response id."""

    def began(self, response_id: str, text: str, by: Literal["recording", "model"]) -> None:
        self._of[response_id] = notice = Notice(text, by)
        self._timeline.notices.append(notice)

    def came(self, response_id: str, n_bytes: int, fault: str = "") -> None:
        """Nothing more of it will come."""
        notice = self._of.get(response_id)
        if notice is not None:
            notice.length_ms, notice.fault = n_bytes // BYTES_PER_MS, fault

    def first_played(self, response_id: str, now_ms: int) -> None:
        notice = self._of.get(response_id)
        if notice is not None and notice.from_ms is None:
            notice.from_ms = now_ms

    def heard(self, item: ItemHeard, now_ms: int | None) -> None:
        """The caller hears no more of this item. `now_ms` None: the call is over."""
        notice = self._of.get(item.response_id)
        if notice is None or item.unheard:
            return
        notice.heard_ms += item.heard_ms
        notice.to_ms = self._timeline.ended_ms if now_ms is None else now_ms
        notice.length_ms = max(notice.length_ms, notice.heard_ms)
