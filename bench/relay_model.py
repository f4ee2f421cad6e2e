"""The lab's model for `bench.relay` as a process of its own; at last it hands over what it knows.

`python -m bench.relay_model SEED CALLS UTTERANCES PORT FILE` serves until its standard input ends,
then writes a pickle of what its sessions heard and saw. Seed, calls and utterances make the plans,
so that this process and the telephones' know the same ones.
"""

import asyncio
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from app.demo.stage import LAB_KEY
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import Append, SessionLog
from app.lab.realtime.server import LabRealtime
from app.lab.speech.coded import decode_coded
from app.server import settle
from bench.relay_brain import CodedEar, RelayBrain, Said
from bench.relay_talk import BACKGROUND, MOST_UTTERANCES, Plan, make_plan
from bench.stages import NoMouth

LONGEST_WORDS: Final = 14


@dataclass(frozen=True, slots=True)
class Known:
    """What the model's process hands over."""

    sessions: list[SessionLog]
    said: list[Said]


def plans_for(seed: int, calls: int, utterances: int) -> dict[int, Plan]:
    """By the calls' numbers."""
    return {
        call: make_plan(call, seed, utterances, longest_words=LONGEST_WORDS)
        for call in range(calls)
    }


def call_of(session: SessionLog) -> int | None:
    """Which call a session heard; None when it heard nobody."""
    streams = {run.stream_id for run in decode_coded(bytes(session.caller_audio))}
    if not streams:
        return None
    stream = max(streams)
    return stream - BACKGROUND if stream >= BACKGROUND else stream // MOST_UTTERANCES


def read_known(path: Path) -> Known:
    """Written by our own child a moment ago."""
    return Known(*pickle.loads(path.read_bytes()))


async def serve(plans: dict[int, Plan], port: int, file: Path) -> None:
    """Until standard input ends."""
    said: list[Said] = []
    model = LabRealtime(
        port=port,
        api_key=LAB_KEY,
        brain_factory=lambda: RelayBrain(plans, said),
        ear=CodedEar(plans),
        mouth=NoMouth(),
        behaviour=Behaviour(think_ms=150, speed=3.0, text_step_ms=5, connect_delay_ms=50),
    )
    async with model:
        settle()
        await asyncio.to_thread(sys.stdin.read)
        known = pickle.dumps(([lean(log) for log in model.sessions], said))
        await asyncio.to_thread(file.write_bytes, known)


def lean(log: SessionLog) -> SessionLog:
    """Without what nobody asks for, which is most of it."""
    log.sent.clear()
    log.items.clear()
    first: Sequence[Append] = log.appends[:1]
    log.appends = list(first)
    for item in log.conversation.items:
        for part in item.parts:
            part.audio.clear()
    return log


def main(argv: Sequence[str]) -> None:
    seed, calls, utterances, port = map(int, argv[:4])
    uvloop.run(serve(plans_for(seed, calls, utterances), port, Path(argv[4])))


if __name__ == "__main__":
    main(sys.argv[1:])
