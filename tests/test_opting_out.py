"""Who wants no more calls is on the list before anybody is told; the key counts alone, and once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.call.events import DeadlineReached, KeyPressed, Prompted
from app.opting_out import ACTION, KEY, OptingOut, OptOutKey
from app.records.do_not_call import Entry
from tests.call.handover_play import talking

NUMBER = "+14155550111"


class Office:
    """The list, the texts and the gate, all in one."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken
        self.done: list[tuple[Any, ...]] = []

    async def add(self, entry: Entry) -> bool:
        if self.broken:
            raise OSError(28, "no space")
        self.done.append(("listed", entry.number, entry.source, entry.call_id))
        return True

    async def out(self, number: str, source: str) -> None:
        self.done.append(("no texts", number, source))

    def decided(self, call_id: str, action: str, subject: str, verdict: Any, by: str) -> None:
        self.done.append((action, call_id, by))


def opting_out(office: Any) -> OptingOut:
    return OptingOut(office, office, office)


async def test_the_list_comes_first(tmp_path: Path) -> None:
    office = Office()
    assert await opting_out(office).said(NUMBER, "CA1", "clerk")
    assert office.done == [
        ("listed", NUMBER, "spoken", "CA1"),
        (ACTION, "CA1", "model"),
        ("no texts", NUMBER, "call"),
    ]


async def test_a_text_message_is_listed_and_no_more() -> None:
    office = Office()
    await opting_out(office).wrote(NUMBER)
    assert office.done == [("listed", NUMBER, "sms", None)]


async def test_what_is_kept_nowhere_is_not_promised(caplog: pytest.LogCaptureFixture) -> None:
    office = Office(broken=True)
    assert not await opting_out(office).pressed(NUMBER, "CA1", "clerk")
    assert office.done == []
    assert NUMBER not in caplog.text


class Scene:
    """A call that is watched for the key."""

    def __init__(self, kept: bool = True) -> None:
        self.call = talking()
        self.pressed = 0
        self.said: list[str] = []
        self._kept = kept
        self._watch = OptOutKey(self._press)
        self._watch.watch(self)  # type: ignore[arg-type]
        self._now_ms = 1_000

    async def _press(self) -> bool:
        self.pressed += 1
        return self._kept

    def prompt(self, prompted: Prompted) -> None:
        self.said.append(prompted.say)

    async def types(self, keys: str) -> None:
        for key in keys:
            self._now_ms += 300
            event = KeyPressed(key)
            self._watch.step(self.call, event, self.call.handle(event, self._now_ms), self._now_ms)
        end_ms = self._now_ms + 5_000
        while (due_ms := self.call.due_ms) is not None and due_ms <= end_ms:
            self._now_ms = due_ms
            due = DeadlineReached()
            self._watch.step(self.call, due, self.call.handle(due, due_ms), due_ms)
        self._now_ms = end_ms
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_the_key_alone_counts_once() -> None:
    scene = Scene()
    await scene.types(KEY)
    await scene.types(KEY)
    assert scene.pressed == 1
    [say] = scene.said
    assert "will not be called again" in say


@pytest.mark.parametrize("keys", ["99", "19", "90", "9#", "1"])
async def test_another_entry_is_not_the_key(keys: str) -> None:
    scene = Scene()
    await scene.types(keys)
    assert scene.pressed == 0


async def test_who_could_not_be_kept_is_told_nothing() -> None:
    scene = Scene(kept=False)
    await scene.types(KEY)
    assert scene.said == []
