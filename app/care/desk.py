"""What one worker needs to care for its callers, from its settings and what all workers share."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from app.agents import Abuse, Agent
from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import recording_path
from app.bridge.once import Plain
from app.bridge.recorder import Pen, Recorder
from app.bridge.recording import MakeRecording, OwnRecording, RecordedCall, Recording
from app.call.transcript import Transcript
from app.care.blocklist import BlockFile
from app.care.carrier_recording import CarrierRecording, Remote
from app.care.retention import SWEEP_EVERY_S, kept_for, sweep
from app.care.screening import Screener, ScreenSettings
from app.care.tools import Books, CareTools, Line
from app.carriers.twilio.recording_status import RecordingStatus
from app.carriers.twilio.rest import TwilioRest
from app.carriers.twilio.rest_recordings import CURRENT, RestRecordings
from app.live import Live
from app.observe.call_lines import CallLines
from app.observe.decisions import Decisions
from app.observe.log import event

logger = logging.getLogger(__name__)

RECORDINGS_FILE: Final = "recordings.jsonl"


class CareDesk:
    """One per worker. `rest`: the carrier's API; None without an account."""

    def __init__(
        self,
        data_dir: Path,
        screening: ScreenSettings,
        *,
        blocked: Path | None = None,
        keeps_records: bool = True,
        live: Live | None = None,
        rest: Callable[[], Awaitable[TwilioRest | None]] | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._live = live
        self._rest = rest
        self._pen = Pen()
        self.lines = CallLines(data_dir)
        self.decisions = Decisions(self.lines if keeps_records else None)
        file = None if blocked is None else BlockFile(blocked)
        blocks = None if live is None else live.blocks
        self.screen = Screener(screening, file, blocks, self.decisions)
        consents = None if live is None else live.consents
        self._books = Books(record=self.decisions, blocks=blocks, consents=consents)

    def tools(
        self, inner: Plain, call_id: str, abuse: Callable[[], Abuse], line: Callable[[], Line]
    ) -> CareTools:
        """The tools of one call, with those that care. `abuse`: of the agent that speaks."""
        return CareTools(inner, call_id, abuse, line, self._books)

    async def recording(
        self, agent: Agent, call_id: str, stream_id: str, *, again: bool
    ) -> MakeRecording | None:
        """Whoever records this stream; None: nobody. `again`: it is not the first of its call."""
        table = agent.recording
        if table.by == "off":
            return None
        waits = table.consent == "ask" and await self._consent(call_id) is not True
        if table.by == "own":
            return self._own(agent, call_id, stream_id, waits=waits)
        remote = await self._remote() if _at_twilio(call_id) else None
        if remote is None:
            event(logger, logging.ERROR, "nobody can record this call", call=call_id)
            return None
        sid = (await self._sid(call_id) or CURRENT) if again and not waits else ""
        return self._carriers(call_id, remote, waits=waits, sid=sid)

    async def recording_told(self, status: RecordingStatus) -> None:
        """The carrier tells of a recording of its own."""
        event(
            logger,
            logging.INFO,
            "recording",
            call=status.call_sid,
            recording=status.recording_sid,
            status=status.status,
            duration_s=status.duration_s,
        )
        line = {
            "sid": status.recording_sid,
            "status": status.status,
            "duration_s": status.duration_s,
            "source": status.source,
        }
        self.lines.put(status.call_sid, RECORDINGS_FILE, msgspec.json.encode(line).decode())

    async def sweep_recordings(self) -> None:
        """Delete what is too old, now and then, for ever."""
        while True:
            await asyncio.to_thread(sweep, self._data_dir)
            await asyncio.sleep(SWEEP_EVERY_S)

    def _own(self, agent: Agent, call_id: str, stream_id: str, *, waits: bool) -> MakeRecording:
        table, path = agent.recording, recording_path(self._data_dir, call_id, stream_id)

        def made(call: RecordedCall) -> Recording:
            def begin(from_ms: int, told: Callable[[str], None]) -> Recorder:
                def failed(what: str) -> None:
                    event(logger, logging.ERROR, "a recording ended early", call=call_id, why=what)
                    told(what)

                return Recorder(
                    path,
                    self._pen,
                    call.now_ms,
                    from_ms=from_ms,
                    encoding=table.format,
                    on_fault=failed,
                    on_open=lambda: kept_for(path, table.keep_days, agent.name),
                )

            return OwnRecording(begin, call.now_ms, call.note, waits=waits)

        return made

    def _carriers(self, call_id: str, remote: Remote, *, waits: bool, sid: str) -> MakeRecording:
        def began(recording_sid: str) -> None:
            if self._live is not None:
                self._live.consents.recorded(call_id, recording_sid)

        def made(call: RecordedCall) -> Recording:
            return CarrierRecording(
                call_id, remote, call.note, call.keys_unsafe, waits=waits, sid=sid, began=began
            )

        return made

    async def _consent(self, call_id: str) -> bool | None:
        return None if self._live is None else await self._live.consents.known(call_id)

    async def _sid(self, call_id: str) -> str:
        return "" if self._live is None else await self._live.consents.recording(call_id)

    async def _remote(self) -> RestRecordings | None:
        rest = None if self._rest is None else await self._rest()
        return None if rest is None else RestRecordings(rest)


class LineOf:
    """A call, for its tools."""

    def __init__(self, bridge: CallBridge) -> None:
        self._bridge = bridge

    @property
    def transcript(self) -> Transcript:
        return self._bridge.call.transcript

    def consent(self, granted: bool) -> None:
        if self._bridge.recording is not None:
            self._bridge.recording.consent(granted)

    def hang_up(self) -> None:
        self._bridge.hang_up("operator")


def _at_twilio(call_id: str) -> bool:
    """Its calls' ids begin so; nobody else's calls can be recorded there."""
    return call_id.startswith("CA")
