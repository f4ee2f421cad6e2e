"""Who takes part in a whole call by OpenAI's SIP connector: the connector, a caller, the app."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bridge.call_record import EVENTS_FILE, TIMELINE_FILE, call_folder
from app.bridge.journal import replay
from app.demo.stage import LAB_KEY, Stage, greeting_first
from app.lab.openai_sip.call import SipCall
from app.lab.openai_sip.server import LabOpenAISip
from app.lab.realtime.ports import Output
from app.lab.realtime.server import LabRealtime
from tests.lab_calls.cast import CodeEar, NoMouth, ScriptedBrain, until

SECRET = "whsec_bGFiLXNlY3JldC1vZi1uby1hY2NvdW50"


@dataclass(frozen=True, slots=True)
class SipStage:
    """The connector `lab`, whose calls `stage` answers."""

    lab: LabOpenAISip
    stage: Stage
    model: LabRealtime

    def folder(self, call: SipCall) -> Path:
        return call_folder(self.stage.worker.settings.data_dir, call.call_id)

    async def over(self, call: SipCall, streams: int = 1) -> list[dict[str, Any]]:
        """Wait for the call's end and its records; its timelines, oldest first."""
        folder = self.folder(call)
        async with asyncio.timeout(60):
            await call.over.wait()
        await until(lambda: len(list(folder.glob("timeline*.json"))) >= streams)
        await until(lambda: not len(self.stage.worker.switchboard))
        first = [folder / TIMELINE_FILE]
        others = sorted(set(folder.glob("timeline*.json")) - set(first), key=born)
        return [json.loads(path.read_text("utf-8")) for path in (*first, *others)]

    def journals(self, call: SipCall) -> list[Path]:
        return sorted(self.folder(call).glob("events*.jsonl"))

    def replays(self, call: SipCall) -> None:
        """Every log of the call gives the same commands again."""
        for path in self.journals(call):
            _, difference, count = replay(path)
            assert difference is None, difference
            assert count

    def header(self, call: SipCall) -> dict[str, Any]:
        """Of the first log: the call's settings."""
        lines = (self.folder(call) / EVENTS_FILE).read_text("utf-8").splitlines()
        header: dict[str, Any] = json.loads(lines[0])
        return header


def born(path: Path) -> float:
    return path.stat().st_mtime


def said(timeline: dict[str, Any], speaker: str) -> list[str]:
    return [line["text"] for line in timeline["transcript"] if line["speaker"] == speaker]


@asynccontextmanager
async def sip_stage(
    data_dir: Path,
    *answers: Sequence[Output],
    words: dict[int, str] | None = None,
    **settings: Any,
) -> AsyncIterator[SipStage]:
    """Every call's model gives the same `answers`."""
    model = LabRealtime(
        api_key=LAB_KEY,
        brain_factory=lambda: ScriptedBrain(answers),
        ear=CodeEar(words),
        mouth=NoMouth(),
    )
    async with model, LabOpenAISip(api_key=LAB_KEY, secret=SECRET, model_url=model.base_url) as lab:
        stage = Stage(
            brain=lambda: ScriptedBrain(answers),
            ear=CodeEar(words),
            mouth=NoMouth(),
            revise=greeting_first,
            data_dir=data_dir,
            **{"openai_base_url": lab.base_url, "openai_webhook_secret": SECRET, **settings},
        )
        async with stage:
            lab.webhook_url = f"{stage.url}/openai/webhook"
            yield SipStage(lab, stage, model)
