"""What happens to a call goes to the log first, then to whoever asked to be told."""

import time
from collections.abc import Mapping

from app.lab.carrier.callbacks import Callback, Callbacks
from app.lab.carrier.calls import CarrierCall
from app.lab.carrier.exchange import SIP_CODES
from app.lab.carrier.log import Line, Log, What
from app.lab.phone.status import event_of, progress


def now_ms() -> int:
    """Unix time."""
    return time.time_ns() // 1_000_000


class Teller:
    """An exchange's `Follower`."""

    def __init__(self, log: Log, callbacks: Callbacks) -> None:
        self._log = log
        self._callbacks = callbacks

    def note(self, what: What, call: CarrierCall | None, said: Mapping[str, object]) -> None:
        sid = "" if call is None else call.identity.call_sid
        self._log.write(Line(now_ms(), what, sid, said))

    def became(self, call: CarrierCall) -> None:
        self.note("status", call, {"status": call.status})
        wanted, sid = call.order.status, call.identity.call_sid
        if wanted is None or event_of(call.status) not in wanted.events:
            return
        sip_code = SIP_CODES.get(call.party.does, "") if call.status in ("busy", "failed") else ""
        fields = progress(call.identity, call.status, call.sequence, call.talked_s, sip_code)
        call.sequence += 1
        about = f"{sid}:{call.status}"
        self._callbacks.send(Callback(sid, about, wanted.url, wanted.method, fields))

    def detected(self, call: CarrierCall, took_ms: int) -> None:
        self.note("detected", call, {"answered_by": call.answered_by})
        asked, who = call.order.detection, call.identity
        if asked is None or not asked.callback:
            return
        fields = {
            "CallSid": who.call_sid,
            "AccountSid": who.account_sid,
            "AnsweredBy": call.answered_by,
            "MachineDetectionDuration": str(took_ms),
        }
        about = f"{who.call_sid}:amd"
        self._callbacks.send(Callback(who.call_sid, about, asked.callback, asked.method, fields))
