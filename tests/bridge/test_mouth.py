"""What the heart releases reaches the carrier in its order and to the byte; ears and recording are
told of all that was sent, and of nothing else."""

import json
from base64 import b64decode
from typing import Any, cast

import pytest

from app.bridge.carrier_writer import CarrierWriter
from app.bridge.ears import Ears
from app.bridge.mouth import Mouth
from app.bridge.recording import Recording
from app.call.commands import (
    Command,
    EndCall,
    KeepAudio,
    KeepSilence,
    OpenLeg,
    ReplayAudio,
    SendAudio,
    SendClear,
    SendMark,
    SendSound,
)
from app.call.endings import EndReason
from app.call.generation import Generation
from app.call.playout import Playout
from app.carriers.twilio.media_door import MediaStream
from telecodecs import ULAW_SILENCE

ANSWER = bytes(range(160)) * 5


class Witness:
    """Ears and recording at once: what they were told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def played(self, ulaw: bytes, at_ms: int) -> None:
        self.told.append(("ears", ulaw, at_ms))

    def cleared(self) -> None:
        self.told.append(("cleared",))

    def bot(self, generation: Generation, start: int, ulaw: bytes, guess_ms: int) -> None:
        self.told.append(("tape", generation.number, start, ulaw, guess_ms))


class Speaking:
    """A mouth, and the ledger whose commands it carries out."""

    def __init__(self, witness: Witness | None = None) -> None:
        self.sent: list[dict[str, Any]] = []

        async def send(message: str | bytes) -> None:
            self.sent.append(json.loads(message))

        self.playout = Playout()
        self.writer = CarrierWriter(send, lambda cause, detail: None)
        ears, tape = cast("Ears | None", witness), cast("Recording | None", witness)
        self.mouth = Mouth(self.playout, self.writer, MediaStream("MZ1"), ears, tape)

    def says(self, audio: bytes, now_ms: int = 0) -> None:
        self.does(self.playout.receive("r1", "i1", 0, len(audio), now_ms), audio)

    def does(self, commands: list[Command], audio: bytes | None = None) -> None:
        for command in commands:
            assert self.mouth.carry_out(command, audio)

    async def heard(self) -> list[str]:
        """What the carrier was sent: the kind of each message."""
        await self.writer.close()
        return [message["event"] for message in self.sent]


async def test_audio_goes_out_as_it_came_with_its_marks_around_it() -> None:
    speaking = Speaking()
    speaking.says(ANSWER)
    speaking.does(speaking.playout.finish(0))

    assert await speaking.heard() == ["mark", "media", "mark"]
    assert b64decode(speaking.sent[1]["media"]["payload"]) == ANSWER


async def test_ears_and_recording_are_told_when_it_plays() -> None:
    witness = Witness()
    speaking = Speaking(witness)
    speaking.says(ANSWER, 1_000)
    speaking.does([SendClear()])
    await speaking.heard()

    plays_at_ms = speaking.playout.plays_at_ms(0)
    assert witness.told == [
        ("ears", ANSWER, plays_at_ms),
        ("tape", 0, 0, ANSWER, plays_at_ms),
        ("cleared",),
    ]


async def test_silence_and_what_is_said_again_come_from_what_was_kept() -> None:
    speaking = Speaking()
    kept: list[Command] = [KeepAudio(0, 160), KeepSilence(0, 160), ReplayAudio(1, 0, 0, 320, 0)]
    speaking.does([*kept, SendAudio(1, 0, 320)], b"\x01" * 160)
    await speaking.heard()

    (message,) = speaking.sent
    assert b64decode(message["media"]["payload"]) == b"\x01" * 160 + ULAW_SILENCE * 160


@pytest.mark.parametrize(
    ("command", "kind"),
    [(SendSound(0, 160), "media"), (SendMark("p0.160"), "mark"), (SendClear(), "clear")],
)
async def test_each_command_is_one_message(command: Command, kind: str) -> None:
    speaking = Speaking()
    speaking.does([command])
    assert await speaking.heard() == [kind]


async def test_what_is_not_for_the_callers_ear_is_left_to_others() -> None:
    speaking = Speaking()
    assert not speaking.mouth.carry_out(OpenLeg(1, 0), None)
    assert not speaking.mouth.carry_out(EndCall(EndReason.DRAINED), None)
    assert await speaking.heard() == []
