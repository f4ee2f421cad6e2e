"""What must be heard before all else, word for word: how far a call has come with it.

    waiting --caller audio--> asked --at hand--> (the next one is asked) --the last one--> queued
                              asked --not at hand--> left to the model --model free--> spoken
    spoken --broke off--> left to the model
    spoken --said, or given up--> (the next one is asked) --the last one--> queued
    queued --heard to the end--> heard
    any but waiting --again (a machine heard them)--> waiting

A notice counts as heard when the carrier has played its last byte; until then it is owed, to this
stream or to the next one of the call.
"""

from enum import StrEnum

MOST_TAKES = 3
"""So often a model may begin a notice that it does not bring to its end."""


class NoticeState(StrEnum):
    WAITING = "waiting"
    ASKED = "asked"
    LEFT_TO_THE_MODEL = "left to the model"
    SPOKEN = "spoken"
    QUEUED = "queued"
    HEARD = "heard"


_S = NoticeState
TRANSITIONS: dict[tuple[NoticeState, str], NoticeState] = {
    (_S.WAITING, "none"): _S.HEARD,
    (_S.WAITING, "caller audio"): _S.ASKED,
    (_S.ASKED, "at hand"): _S.ASKED,
    (_S.ASKED, "the last one at hand"): _S.QUEUED,
    (_S.ASKED, "not at hand"): _S.LEFT_TO_THE_MODEL,
    (_S.LEFT_TO_THE_MODEL, "model free"): _S.SPOKEN,
    (_S.SPOKEN, "broke off"): _S.LEFT_TO_THE_MODEL,
    (_S.SPOKEN, "said"): _S.ASKED,
    (_S.SPOKEN, "the last one said"): _S.QUEUED,
    (_S.QUEUED, "heard"): _S.HEARD,
    (_S.ASKED, "again"): _S.WAITING,
    (_S.LEFT_TO_THE_MODEL, "again"): _S.WAITING,
    (_S.SPOKEN, "again"): _S.WAITING,
    (_S.QUEUED, "again"): _S.WAITING,
    (_S.HEARD, "again"): _S.WAITING,
}


class Notices:
    """One per call. It decides nothing: notice_side.py does."""

    def __init__(self, texts: tuple[str, ...] = ()) -> None:
        self.texts = texts
        self.state = NoticeState.WAITING
        self.said = 0
        """How many are on their way to the caller, whole, or were given up."""
        self.takes = 0
        """How often a model broke off in the one that is said now."""
        self.heard_at_ms: int | None = None
        """When one was heard to its end last."""
        self._awaited: dict[str, int] = {}
        """By the last item of a notice that is on its way, its place in the list."""
        if not texts:
            self._move("none")

    @property
    def text(self) -> str:
        """The one that is being said, or is to be said next."""
        return self.texts[self.said]

    @property
    def heard(self) -> int:
        """How many were heard to their end: the first ones of the list."""
        return min(self._awaited.values(), default=self.said)

    @property
    def waiting(self) -> bool:
        """There are some, and no caller audio yet."""
        return self.state is NoticeState.WAITING

    @property
    def queued(self) -> bool:
        """Nothing more of them has to come."""
        return self.state in (NoticeState.QUEUED, NoticeState.HEARD)

    @property
    def under_way(self) -> bool:
        """The caller listens to them, or is about to: nothing may cut them."""
        return self.state not in (NoticeState.WAITING, NoticeState.HEARD)

    def resume(self, heard: int) -> None:
        """Another stream of the call has brought so many of them to their end."""
        self.said = min(heard, len(self.texts))
        if self.waiting and self.said == len(self.texts):
            self._move("none")

    def again(self) -> None:
        """Nobody knows who heard what was said of them."""
        self.said = self.takes = 0
        self._awaited.clear()
        if self.texts and not self.waiting:
            self._move("again")

    def begin(self) -> None:
        self._move("caller audio")

    def at_hand(self, item_id: str) -> None:
        """It is on its way to the caller, as this item."""
        self._next(item_id, "at hand")

    def not_at_hand(self) -> None:
        self._move("not at hand")

    def spoken(self) -> None:
        """A model is asked to say it."""
        self._move("model free")

    def said_by_model(self, item_id: str) -> None:
        """The model said it to its end, in items of which this is the last."""
        self._next(item_id, "said")

    def broke_off(self) -> bool:
        """The model did not bring it to its end. False: it was given up."""
        self.takes += 1
        if self.takes < MOST_TAKES:
            self._move("broke off")
            return True
        self._next("", "said")
        return False

    def played(self, item_id: str, now_ms: int) -> None:
        """The caller heard this item to its end."""
        if self._awaited.pop(item_id, None) is not None:
            self.heard_at_ms = now_ms
            self._check_heard()

    def _next(self, item_id: str, happening: str) -> None:
        if item_id:
            self._awaited[item_id] = self.said
        self.said, self.takes = self.said + 1, 0
        last = self.said == len(self.texts)
        self._move(f"the last one {happening}" if last else happening)
        self._check_heard()

    def _check_heard(self) -> None:
        if self.state is NoticeState.QUEUED and not self._awaited:
            self._move("heard")

    def _move(self, happening: str) -> None:
        self.state = TRANSITIONS[self.state, happening]
