"""Whether a caller agreed to be recorded, and what the carrier calls the recording: for whichever
worker carries the call next."""

from app.live import names
from app.live.asking import Asker, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op


class Consents:
    """With Redis away nothing is known, and who asks must take that for a no."""

    def __init__(self, asker: Asker, outbox: Outbox) -> None:
        self._asker = asker
        self._outbox = outbox

    def given(self, call_id: str, granted: bool) -> None:
        """Written soon; never waits."""
        value = b"granted" if granted else b"refused"
        write = ("SET", names.consent(call_id), value, "EX", names.STATE_TTL_S)
        self._outbox.put(f"consent:{call_id}", Op((write,)))

    async def known(self, call_id: str) -> bool | None:
        """None: they were not asked, or it is not known."""
        try:
            kept = await self._asker.ask("GET", names.consent(call_id))
        except RedisAwayError:
            return None
        return None if kept is None else kept == b"granted"

    def recorded(self, call_id: str, recording_sid: str) -> None:
        """The carrier records the call. Written soon; never waits."""
        write = ("SET", names.recording(call_id), recording_sid, "EX", names.STATE_TTL_S)
        self._outbox.put(f"recording:{call_id}", Op((write,)))

    async def recording(self, call_id: str) -> str:
        """The carrier's id of the recording; "": none, or it is not known."""
        try:
            kept = await self._asker.ask("GET", names.recording(call_id))
        except RedisAwayError:
            return ""
        return "" if kept is None else bytes(kept).decode("ascii", "replace")
