"""Did the demo's call go as scripted? Judged from what the telephone played and the model kept."""

from dataclasses import dataclass
from itertools import takewhile

from app.call.call import Call
from app.call.endings import EndReason
from app.lab.phone.report import CallReport
from app.lab.realtime.log import LoggedItem, SessionLog

MOST_TRUNCATION_ERROR_MS = 60
FIRST_WORDS = 2
"""What the agent says before the caller: the disclosure and the greeting."""
_ANCHOR_BYTES = 1_600
_SILENT = (0xFF, 0x7F)


@dataclass(frozen=True, slots=True)
class Check:
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Truncated:
    """One answer that was cut: what the model remembers, and what was really played."""

    told_ms: int
    played_ms: int
    whole_ms: int

    @property
    def error_ms(self) -> int:
        return self.told_ms - self.played_ms


def truncations(report: CallReport, session: SessionLog) -> list[Truncated]:
    """Every accepted truncation beside the truth."""
    frames = (frame for stream in report.streams for frame in stream.played.frames if frame)
    played = b"".join(frames)
    return [
        Truncated(item.truncated_ms, played_bytes(bytes(item.audio), played) // 8, item.audio_ms)
        for item in session.items.values()
        if item.truncated_ms is not None
    ]


def played_bytes(item: bytes, played: bytes) -> int:
    """How many of an item's first bytes are in what was played. 0 if it never began."""
    start = next((i for i, byte in enumerate(item) if byte not in _SILENT), len(item))
    anchor = item[start : start + _ANCHOR_BYTES]
    at = played.find(anchor) - start if anchor else -1
    if at < 0:
        return 0
    same = 0
    for ours, theirs in zip(item, played[at:], strict=False):
        if ours != theirs:
            break
        same += 1
    return same


def judge_story(report: CallReport, session: SessionLog, call: Call) -> list[Check]:
    """The scripted call: disclosure, greeting, interrupted answer, booking, goodbye."""
    cuts = truncations(report, session)
    agent = [line for line in call.transcript.lines if line.speaker == "agent"]
    first = list(takewhile(lambda line: line.speaker == "agent", call.transcript.lines))
    tools = [run for turn in call.timeline.turns for run in turn.tools]
    interrupted = [line for line in agent if line.interrupted]
    error_ms = max((abs(cut.error_ms) for cut in cuts), default=0)
    return [
        Check(report.as_scripted, "the caller got through the whole script"),
        Check(
            len(first) == FIRST_WORDS and not any(line.interrupted for line in first),
            "that a machine speaks, and the greeting, were heard to their end",
        ),
        Check(len(interrupted) == 1, "the answer about opening hours was interrupted"),
        Check(
            len(cuts) == 1 and error_ms <= MOST_TRUNCATION_ERROR_MS,
            f"the model's memory was cut to what was heard (off by {error_ms} ms)",
        ),
        Check([run.name for run in tools] == ["book_table"], "a table was booked, once"),
        Check(bool(tools) and bool(tools[0].ok), "the booking was confirmed by the tool"),
        Check(
            call.timeline.end_reason is EndReason.AGENT_HUNG_UP,
            "the agent said goodbye and hung up",
        ),
        Check(_last_words_played(report, session), "its last word was played before the line went"),
    ]


def judge_own_caller(report: CallReport, session: SessionLog, call: Call) -> list[Check]:
    """A caller's own recording: the call was held, and the caller was noticed and answered."""
    causes = [turn.cause for turn in call.timeline.turns]
    answered = any(
        turn.cause == "caller" and turn.first_played_carrier_ms is not None
        for turn in call.timeline.turns
    )
    return [
        Check(report.as_scripted, "the call was held to its end"),
        Check("caller" in causes, "the caller was noticed"),
        Check(answered, "the caller was answered"),
    ]


def _last_words_played(report: CallReport, session: SessionLog) -> bool:
    spoken: list[LoggedItem] = [item for item in session.items.values() if item.audio]
    if not spoken or not report.streams:
        return False
    played = b"".join(frame for frame in report.streams[-1].played.frames if frame)
    last = bytes(spoken[-1].audio)
    return played_bytes(last, played) == len(last)
