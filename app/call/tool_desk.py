"""Tool calls in progress. After the last output of a group there is one request for an answer.

A group is the calls of one response. A slow tool does not hold up the answer to a later group.
Digits are collected by the heart itself (collecting.py); here that is a call like the others.
"""

import json
from dataclasses import dataclass

from app.call.collect_tool import COLLECT_TOOL
from app.call.commands import CancelTool, Command, RunTool, SendToolOutput
from app.call.events import ToolBegan, ToolCall, ToolFinished

HANG_UP_TOOL = "hang_up"
"""The built-in tool whose effect is the heart's own."""
CANCELLED = json.dumps({"ok": False, "reason": "cancelled because the caller spoke"})
"""Output of a tool that was called off."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """A tool for which the caller waits, as whoever spoke when it began wants it dealt with."""

    agent: str = ""
    wait_words: str = ""
    cancellable: bool = False


UNSAID = AtWork()
"""Nothing was said of it."""


class ToolDesk:
    __slots__ = ("_at_work", "_running")

    def __init__(self) -> None:
        self._running: dict[str, set[str]] = {}
        """By call id the group that it belongs to: the ids still awaited."""
        self._at_work: dict[str, AtWork] = {}

    def start(self, calls: tuple[ToolCall, ...]) -> list[Command]:
        """Run the calls of one response; hanging up together with other tools is refused, and so
        is collecting digits twice at once."""
        commands: list[Command] = []
        group: set[str] = set()
        collects = False
        for call in calls:
            if call.name == HANG_UP_TOOL:
                reason = "other tools were called at the same time; say goodbye and try again"
                commands.append(refuse(call.call_id, reason))
            elif call.name == COLLECT_TOOL and collects:
                reason = "one number at a time; ask for the next one when this one is there"
                commands.append(refuse(call.call_id, reason))
            else:
                group.add(call.call_id)
                self._running[call.call_id] = group
                collects = collects or call.name == COLLECT_TOOL
                if call.name != COLLECT_TOOL:
                    self._at_work[call.call_id] = UNSAID
                    commands.append(RunTool(call.call_id, call.name, call.arguments))
        return commands

    def began(self, event: ToolBegan, agent: str) -> None:
        """`agent`: who speaks."""
        if event.call_id in self._at_work:
            self._at_work[event.call_id] = AtWork(agent, event.wait_words, event.cancellable)

    @property
    def busy(self) -> bool:
        return bool(self._running)

    @property
    def at_work(self) -> bool:
        """A tool runs for which the caller waits; while digits are collected it is they who are
        waited for."""
        return bool(self._at_work)

    @property
    def all_at_work(self) -> dict[str, AtWork]:
        """By call id the tools for which the caller waits, in the order of their beginning."""
        return self._at_work

    @property
    def cancellable(self) -> list[str]:
        """The calls that run and may be called off."""
        return [call_id for call_id, tool in self._at_work.items() if tool.cancellable]

    def call_off(self) -> tuple[list[Command], bool]:
        """The caller took the floor: break off what is not worth going on with. The outputs for
        the model, and whether one of them was the last of its group."""
        commands: list[Command] = []
        last = False
        for call_id in self.cancellable:
            outputs, of_group = self.came_back(call_id, CANCELLED)
            commands += [CancelTool(call_id), *outputs]
            last = last or of_group
        return commands, last

    def resume(self, calls: list[ToolCall]) -> list[Command]:
        """Ask again for the runs that another worker began: each is run once all the same."""
        return self.start(tuple(calls))

    def finished(self, event: ToolFinished) -> tuple[list[Command], bool]:
        """The output for the model, and whether it was the last one that was waited for."""
        return self.came_back(event.call_id, event.output)

    def came_back(self, call_id: str, text: str) -> tuple[list[Command], bool]:
        """As `finished`, for a tool of the heart's own."""
        group = self._running.pop(call_id, None)
        self._at_work.pop(call_id, None)
        if group is None:
            return [], False
        group.discard(call_id)
        return [output(call_id, text)], not group


def output(call_id: str, text: str) -> SendToolOutput:
    return SendToolOutput(f"output-{call_id}", call_id, text)


def refuse(call_id: str, reason: str) -> SendToolOutput:
    return output(call_id, json.dumps({"ok": False, "reason": reason}))
