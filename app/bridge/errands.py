"""What the heart sends somebody off for: tools, summaries, phrases, tones, verdicts. The media path
does not wait for any of them; each result comes back as an event."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app.bridge.key_sound import key_sound
from app.bridge.legs import Step
from app.bridge.ports import Phrases, Summariser, Tools, TurnJudge
from app.call.commands import (
    CancelTool,
    Command,
    JudgeTurn,
    PlayKeys,
    PlayPhrase,
    RunTool,
    Summarise,
)
from app.call.events import (
    PhraseStored,
    SummaryWritten,
    TonesMade,
    ToolBegan,
    ToolFinished,
    TurnJudged,
)


@dataclass(frozen=True, slots=True)
class Runners:
    """Whoever does the work for a call. None: nobody does, and the heart is told so."""

    tools: Tools
    summariser: Summariser | None = None
    phrases: Phrases | None = None
    judge: TurnJudge | None = None


class Errands:
    """One per call. `step` takes an event into the heart; `spawn` runs a task whose faults end the
    call."""

    def __init__(
        self, runners: Runners, step: Step, spawn: Callable[[Awaitable[None]], object]
    ) -> None:
        self._runners = runners
        self._step = step
        self._spawn = spawn

    def run(self, command: Command) -> bool:
        """False for what is nobody's errand."""
        match command:
            case RunTool():
                self._spawn(self._run_tool(command))
            case CancelTool(call_id):
                self._runners.tools.cancel(call_id)
            case Summarise(by="text_model"):
                self._spawn(self._summarise(command))
            case PlayPhrase():
                self._spawn(self._fetch_phrase(command))
            case PlayKeys():
                self._spawn(self._make_tones(command))
            case JudgeTurn():
                self._spawn(self._judge(command))
            case _:
                return False
        return True

    def schemas(self, topics: tuple[str, ...]) -> list[dict[str, Any]]:
        """What a model is told of the tools when it has asked for these topics."""
        return self._runners.tools.schemas(topics)

    async def _run_tool(self, command: RunTool) -> None:
        tools = self._runners.tools
        manner = tools.manner(command.name)
        cancellable = manner.on_interruption == "cancel"
        if manner.wait_words or cancellable:
            self._step(ToolBegan(command.call_id, manner.wait_words, cancellable))
        outcome = await tools.run(command.name, command.arguments, run_id=command.call_id)
        self._step(
            ToolFinished(command.call_id, outcome.output, outcome.ok, outcome.effect, outcome.proof)
        )

    async def _summarise(self, command: Summarise) -> None:
        written = SummaryWritten(command.request_id, "")
        if self._runners.summariser is not None:
            written = await self._runners.summariser(command)
        self._step(written)

    async def _fetch_phrase(self, command: PlayPhrase) -> None:
        phrases = self._runners.phrases
        ulaw = phrases(command.text) if phrases is not None else None
        self._step(PhraseStored(command.text, len(ulaw or b"")), ulaw)

    async def _make_tones(self, command: PlayKeys) -> None:
        ulaw = key_sound(command.keys)
        self._step(TonesMade(command.keys, len(ulaw)), ulaw)

    async def _judge(self, command: JudgeTurn) -> None:
        judged = TurnJudged(command.request_id, None)
        if self._runners.judge is not None:
            judged = await self._runners.judge(command)
        self._step(judged)
