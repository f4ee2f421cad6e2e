"""Tool calls in progress. After the last output of a group there is one request for an answer.

A group is the calls of one response. A slow tool does not hold up the answer to a later group.
"""

import json

from app.call.commands import Command, RunTool, SendToolOutput
from app.call.events import ToolCall, ToolFinished

HANG_UP_TOOL = "hang_up"
"""The built-in tool whose effect is the heart's own."""


class ToolDesk:
    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: dict[str, set[str]] = {}
        """By call id the group that it belongs to: the ids still awaited."""

    def start(self, calls: tuple[ToolCall, ...]) -> list[Command]:
        """Run the calls of one response; hanging up together with other tools is refused."""
        commands: list[Command] = []
        group: set[str] = set()
        for call in calls:
            if call.name == HANG_UP_TOOL:
                reason = "other tools were called at the same time; say goodbye and try again"
                commands.append(refuse(call.call_id, reason))
            else:
                group.add(call.call_id)
                self._running[call.call_id] = group
                commands.append(RunTool(call.call_id, call.name, call.arguments))
        return commands

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def resume(self, calls: list[ToolCall]) -> list[Command]:
        """Ask again for the runs that another worker began: each is run once all the same."""
        return self.start(tuple(calls))

    def finished(self, event: ToolFinished) -> tuple[list[Command], bool]:
        """The output for the model, and whether it was the last one that was waited for."""
        group = self._running.pop(event.call_id, None)
        if group is None:
            return [], False
        group.discard(event.call_id)
        return [output(event.call_id, event.output)], not group


def output(call_id: str, text: str) -> SendToolOutput:
    return SendToolOutput(f"output-{call_id}", call_id, text)


def refuse(call_id: str, reason: str) -> SendToolOutput:
    return output(call_id, json.dumps({"ok": False, "reason": reason}))
