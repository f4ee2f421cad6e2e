"""Two tools that the call itself carries out: consent to a recording, and the end of abuse.

What the caller said to it is in the transcript; the decision holds a hash of the words, so that it
can be shown later which words were meant.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from app.agents import Abuse
from app.bridge.once import Outcome, Plain
from app.bridge.ports import Manner, ToolOutcome
from app.call.transcript import Transcript
from app.care.screening import Record
from app.live.blocks import Block
from app.policy.decisions import Decision

CONSENT_TOOL: Final = "recording_consent"
ABUSE_TOOL: Final = "report_abuse"
HOUR_S: Final = 3_600
WARN: Final = (
    "Warn the caller once, in one calm sentence, that you will end the call if this goes on. If it "
    "does, call report_abuse again."
)
ENDS: Final = "The call ends now, after your last word. Say nothing more."


class Line(Protocol):
    """The call that the tools work on."""

    @property
    def transcript(self) -> Transcript: ...

    def consent(self, granted: bool) -> None: ...

    def hang_up(self) -> None: ...


class Blocks(Protocol):
    """See `app.live.blocks.Blocks`."""

    def add(self, digest: str, block: Block) -> None: ...

    async def caller(self, call_id: str) -> tuple[str, str] | None: ...


class Consents(Protocol):
    """See `app.live.consents.Consents`."""

    def given(self, call_id: str, granted: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Where what was decided is kept. None: nowhere but in this call."""

    record: Record
    blocks: Blocks | None = None
    consents: Consents | None = None


class CareTools:
    """The tools of one call: these two, where `inner` lists them, and `inner` for all others.

    `abuse`: of the agent that speaks now. `line`: asked for when a tool is run.
    """

    def __init__(
        self,
        inner: Plain,
        call_id: str,
        abuse: Callable[[], Abuse],
        line: Callable[[], Line],
        books: Books,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._inner = inner
        self._line = line
        self._call_id = call_id
        self._abuse = abuse
        self._books = books
        self._now = now
        self._warned = False

    async def run(self, name: str, arguments_json: str, *, key: str) -> ToolOutcome:
        """See `app.bridge.once.Plain`."""
        if name == CONSENT_TOOL and self._lists(name):
            return self._consent(self._line(), arguments_json)
        if name == ABUSE_TOOL and self._lists(name):
            return await self._report(self._line(), arguments_json)
        return await self._inner.run(name, arguments_json, key=key)

    def _lists(self, name: str) -> bool:
        return any(schema["name"] == name for schema in self._inner.schemas())

    def manner(self, name: str) -> Manner:
        """See `app.bridge.once.Plain`."""
        return self._inner.manner(name)

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        """See `app.bridge.once.Plain`."""
        return self._inner.schemas(loaded)

    def _consent(self, line: Line, arguments_json: str) -> Outcome:
        granted = _argument(arguments_json, "granted")
        if not isinstance(granted, bool):
            return _failed("recording_consent was not run: expected granted as true or false.")
        line.consent(granted)
        if self._books.consents is not None:
            self._books.consents.given(self._call_id, granted)
        self._decided("recording", granted, "" if granted else "no_consent", _words(line))
        told = "The call is being recorded." if granted else "The call is not recorded. Go on."
        return _told({"ok": True, "recording": granted, "note": told})

    async def _report(self, line: Line, arguments_json: str) -> Outcome:
        reason = _argument(arguments_json, "reason")
        if not isinstance(reason, str) or not reason.strip():
            return _failed("report_abuse was not run: expected a reason in a few words.")
        if self._abuse().warn_first and not self._warned:
            self._warned = True
            self._decided("abuse", True, "", "reported once: the caller is warned")
            return _told({"ok": True, "ended": False, "note": WARN})
        blocked = await self._block()
        self._decided("abuse", False, "abuse", "reported again" if self._warned else "reported")
        line.hang_up()
        return _told({"ok": True, "ended": True, "blocked": blocked, "note": ENDS})

    async def _block(self) -> bool:
        """Whether the number is blocked from now on."""
        blocks, hours = self._books.blocks, self._abuse().block_hours
        caller = None if blocks is None or not hours else await blocks.caller(self._call_id)
        if blocks is None or caller is None:
            return False
        digest, shown = caller
        until_s = self._now().timestamp() + hours * HOUR_S
        blocks.add(digest, Block(shown, until_s, "abuse", "model"))
        return True

    def _decided(self, action: str, allowed: bool, rule: str, reason: str) -> None:
        decision = Decision(self._now(), self._call_id, action, "", allowed, rule, reason, "model")
        self._books.record.record(decision)


def _words(line: Line) -> str:
    """What the caller said last, as a hash."""
    said = [one.text for one in line.transcript.lines if one.speaker == "caller" and one.text]
    if not said:
        return "words: not known yet"
    return f"words: sha256 {hashlib.sha256(said[-1].encode()).hexdigest()}"


def _argument(arguments_json: str, name: str) -> object:
    try:
        given = json.loads(arguments_json or "{}")
    except (ValueError, RecursionError):
        return None
    return given.get(name) if isinstance(given, dict) else None


def _told(result: dict[str, object]) -> Outcome:
    return Outcome(True, json.dumps(result))


def _failed(sentence: str) -> Outcome:
    return Outcome(False, json.dumps({"error": sentence}))
