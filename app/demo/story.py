"""The caller of the demo: asks about opening hours, interrupts the answer, books a table."""

from app.lab.phone.script import HangUp, Interrupt, Say, Script, Step, WaitForBot
from app.lab.speech.voices import Clip, voice_clip

INTERRUPT_AFTER_MS = 4_500
"""How much of the answer the caller listens to before speaking into it."""


def story() -> Script:
    """The call as it is meant to go. The agent ends it."""
    hours, sorry, table, thanks = (
        voice_clip(name)
        for name in (
            "opening_hours_slt",
            "sorry_book_slt",
            "four_at_seven_slt",
            "thank_you_goodbye_slt",
        )
    )
    steps: tuple[Step, ...] = (
        WaitForBot.finished(quiet_ms=700),
        _say(hours),
        Interrupt(sorry.ulaw, INTERRUPT_AFTER_MS, sorry.text),
        WaitForBot.finished(quiet_ms=900),
        _say(table),
        # The preamble, a pause for the tool, then the confirmation.
        WaitForBot.finished(quiet_ms=1_800, said_ms=3_500),
        _say(thanks),
        WaitForBot(said_ms=400),
    )
    return Script(steps, limit_ms=90_000)


def own_caller(ulaw: bytes, name: str) -> Script:
    """A caller's own recording, said after the greeting; the caller hangs up after the answer."""
    steps: tuple[Step, ...] = (
        WaitForBot.finished(quiet_ms=700),
        Say(ulaw, name),
        WaitForBot.finished(quiet_ms=2_500),
        HangUp(),
    )
    return Script(steps, limit_ms=300_000)


def _say(clip: Clip) -> Say:
    return Say(clip.ulaw, clip.text)
