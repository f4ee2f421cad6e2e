"""Who answered a call that we placed: from the carrier's word to the worker that carries the call.

The callback may reach any worker, before the call's stream has come, while it runs, or twice. It is
handed to the call if it is here, told to the other workers, and kept for a stream that is to come.
"""

from collections import OrderedDict
from contextlib import aclosing
from typing import Final, Protocol, get_args
from weakref import WeakValueDictionary

from app.call.events import AnsweredBy
from app.live import Live

KNOWN: Final[dict[str, AnsweredBy]] = {by: by for by in get_args(AnsweredBy)}
MOST_KEPT: Final = 10_000
"""Verdicts kept here for streams that are to come."""


class Carried(Protocol):
    """A call that runs here, or is about to."""

    @property
    def call_id(self) -> str: ...

    def answered(self, by: AnsweredBy) -> None: ...


class Verdicts:
    """One for a worker. `live`: where workers tell each other; None: it is on its own."""

    def __init__(self, live: Live | None) -> None:
        self._live = live
        self._calls: WeakValueDictionary[str, Carried] = WeakValueDictionary()
        self._kept: OrderedDict[str, AnsweredBy] = OrderedDict()

    async def answered(self, call_id: str, by: str) -> None:
        """The carrier says who answered. What it says in words that are not known counts as
        nothing said."""
        if by not in KNOWN:
            return
        if self._live is not None:
            self._live.verdicts.tell(call_id, by)
        self._take(call_id, KNOWN[by])

    async def known(self, call_id: str) -> AnsweredBy | None:
        """Asked when a stream of the call begins."""
        here = self._kept.get(call_id)
        if here is not None or self._live is None:
            return here
        return KNOWN.get(await self._live.verdicts.known(call_id))

    def begun(self, call: Carried, knows: AnsweredBy | None) -> None:
        """The call is here from now on. `knows`: what `known` said of it; it is told what has come
        since."""
        self._calls[call.call_id] = call
        by = self._kept.get(call.call_id)
        if by is not None and by != knows:
            call.answered(by)

    async def run(self) -> None:
        """Hear what other workers are told, until cancelled."""
        if self._live is None:
            return
        async with aclosing(self._live.verdicts.news()) as news:
            async for call_id, by in news:
                if by in KNOWN and self._kept.get(call_id) != by:
                    self._take(call_id, KNOWN[by])

    def _take(self, call_id: str, by: AnsweredBy) -> None:
        self._kept[call_id] = by
        self._kept.move_to_end(call_id)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        call = self._calls.get(call_id)
        if call is not None:
            call.answered(by)
