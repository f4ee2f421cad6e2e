"""Who may respond when: one response at a time in the conversation, any number beside it."""

from collections.abc import Callable

from app.lab.realtime.config import Json, ResponseRequest
from app.lab.realtime.conversation import Item, item_from_client
from app.lab.realtime.formats import AudioFormat
from app.lab.realtime.hearing import Hearing
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.response import ResponseRun
from app.lab.realtime.stage import Stage
from app.lab.realtime.usage import Context


class Responder:
    """`finished` is told about every response that ends."""

    def __init__(
        self, stage: Stage, hearing: Hearing, finished: Callable[[ResponseRun], None]
    ) -> None:
        self._stage = stage
        self._hearing = hearing
        self._finished = finished
        self._active: ResponseRun | None = None
        self._aside: dict[str, ResponseRun] = {}
        self._count = 0
        self._read: Context = ()
        self._read_aside: Context = ()

    @property
    def active(self) -> bool:
        """Whether a response is being written into the conversation."""
        return self._active is not None

    def create(self, request: ResponseRequest, input_format: AudioFormat) -> None:
        """Raises `RequestRefused` when the conversation has an active response already."""
        if not request.out_of_band and self._active is not None:
            raise RequestRefused(
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress: "
                f"{self._active.id}. Create the next one after its response.done.",
            )
        override = None if request.input is None else self._items(request.input, input_format)
        self._count += 1
        run = ResponseRun(
            self._stage,
            request,
            self._count,
            override,
            self._hearing.settled,
            (self._read, self._read_aside),
            self._ended,
        )
        if request.out_of_band:
            self._aside[run.id] = run
        else:
            self._active = run
        run.start()

    def _items(self, bodies: list[Json], input_format: AudioFormat) -> list[Item]:
        find, new_id = self._stage.conversation.find, self._stage.ids.new
        return [
            find(body["id"], "invalid_value")
            if body["type"] == "item_reference"
            else item_from_client(body, body.get("id") or new_id("item"), input_format)
            for body in bodies
        ]

    def cancel(self, response_id: str | None) -> None:
        """Without an id: the conversation's own. Raises `RequestRefused` if it is not running."""
        run = self._active
        if response_id is not None and (run is None or run.id != response_id):
            run = self._aside.get(response_id)
        if run is None:
            raise RequestRefused(
                "response_cancel_not_active", "Cancellation failed: no active response found"
            )
        run.cancel("client_cancelled")

    def interrupt(self) -> None:
        """The caller began to speak."""
        if self._active is not None:
            self._active.cancel("turn_detected")

    def _ended(self, run: ResponseRun) -> None:
        if run.request.out_of_band:
            del self._aside[run.id]
            self._read_aside = run.read or self._read_aside
        else:
            self._active = None
            self._read = run.read or self._read
        self._finished(run)
