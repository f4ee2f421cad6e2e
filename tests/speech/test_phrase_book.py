"""Invariant: a phrase is spoken at most once at a time and never twice for the same key while a
whole copy of it exists, in memory or on disk; a damaged copy is never played; `get` never waits.

One test goes the whole way, to the lab's model over a real socket.
"""

import asyncio
import contextlib
import json
import logging
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import Output, Say, Turn
from app.lab.realtime.server import LabRealtime
from app.models.openai_connect import Credentials
from app.models.openai_phrase import PhraseFailed, render_phrase
from app.models.ports import SessionConfig
from app.speech import phrase_book
from app.speech.phrase_book import (
    AT_ONCE,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    MAX_PHRASE_BYTES,
    MOST_PASSING,
    PASSING_AT_ONCE,
    PhraseBook,
    PhraseFailure,
    PhraseKey,
)
from telecodecs import dtmf_tone

KEY = PhraseKey("One moment please.", "marin", "gpt-realtime-2.1")
PATIENCE_S = 10.0


@dataclass
class Speaker:
    """Says each phrase as bytes of its own; counts, and can be held up or made to fail."""

    failure: PhraseFailure | None = None
    error: Exception | None = None
    audio: bytes | None = None
    spoken: list[PhraseKey] = field(default_factory=list)
    running: int = 0
    most: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.free.set()

    async def __call__(self, key: PhraseKey) -> bytes | PhraseFailure:
        self.spoken.append(key)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.free.wait()
        finally:
            self.running -= 1
        if self.error is not None:
            raise self.error
        if self.failure is not None:
            return self.failure
        return sound_of(key) if self.audio is None else self.audio


def sound_of(key: PhraseKey) -> bytes:
    return f"{key.text}/{key.voice}/{key.model}/{key.speed}".encode() * 20


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@contextlib.asynccontextmanager
async def book_of(
    folder: Path, speaker: Speaker, clock: Callable[[], float] | None = None
) -> AsyncIterator[PhraseBook]:
    book = PhraseBook(folder, speaker, clock=clock or Clock())
    try:
        yield book
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await book.close()


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():  # noqa: ASYNC110 - it is the book's own state
            await asyncio.sleep(0.005)


def files(folder: Path) -> tuple[Path, Path]:
    """The one phrase in the folder: sound and card."""
    (sound,) = folder.glob("*.ulaw")
    (card,) = folder.glob("*.json")
    return sound, card


def unfinished(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".part")]


async def test_a_phrase_is_there_once_it_was_spoken_and_not_before(tmp_path: Path) -> None:
    speaker = Speaker()
    async with book_of(tmp_path, speaker) as book:
        assert book.get(KEY) is None
        book.want(KEY)
        assert book.get(KEY) is None
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
        assert book.get(KEY) == sound_of(KEY)
    assert speaker.spoken == [KEY]


async def test_however_often_it_is_wanted_it_is_spoken_once(tmp_path: Path) -> None:
    speaker = Speaker()
    speaker.free.clear()
    async with book_of(tmp_path, speaker) as book:
        for _ in range(5):
            book.want(KEY)
        await until(lambda: speaker.running == 1)
        waiting = [asyncio.create_task(book.ready(KEY, PATIENCE_S)) for _ in range(5)]
        book.want(KEY)
        speaker.free.set()
        assert set(await asyncio.gather(*waiting)) == {sound_of(KEY)}
        book.want(KEY)
        await book.ready(KEY, PATIENCE_S)
    assert speaker.spoken == [KEY]


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, text="One moment, please."),
        replace(KEY, voice="cedar"),
        replace(KEY, model="gpt-realtime-2.1-mini"),
        replace(KEY, speed=1.0),
    ],
)
async def test_another_text_voice_model_or_speed_is_another_phrase(
    tmp_path: Path, other: PhraseKey
) -> None:
    speaker = Speaker()
    async with book_of(tmp_path, speaker) as book:
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
        assert await book.ready(other, PATIENCE_S) == sound_of(other)
    async with book_of(tmp_path, speaker) as again:
        assert await again.ready(KEY, PATIENCE_S) == sound_of(KEY)
        assert await again.ready(other, PATIENCE_S) == sound_of(other)
    assert speaker.spoken == [KEY, other]


async def test_no_more_than_two_are_spoken_at_once(tmp_path: Path) -> None:
    speaker = Speaker()
    speaker.free.clear()
    keys = [replace(KEY, text=f"Phrase {number}.") for number in range(6)]
    async with book_of(tmp_path, speaker) as book:
        for key in keys:
            book.want(key)
        await until(lambda: speaker.running == AT_ONCE)
        speaker.free.set()
        for key in keys:
            assert await book.ready(key, PATIENCE_S) == sound_of(key)
    assert speaker.most == AT_ONCE


async def test_a_phrase_on_disk_does_not_wait_for_those_that_are_being_spoken(
    tmp_path: Path,
) -> None:
    async with book_of(tmp_path, Speaker()) as book:
        await book.ready(KEY, PATIENCE_S)
    slow = Speaker()
    slow.free.clear()
    async with book_of(tmp_path, slow) as book:
        for number in range(AT_ONCE + 1):
            book.want(replace(KEY, text=f"Phrase {number}."))
        await until(lambda: slow.running == AT_ONCE)
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)


async def test_waiting_ends_with_the_time_and_the_speaking_goes_on(tmp_path: Path) -> None:
    speaker = Speaker()
    speaker.free.clear()
    async with book_of(tmp_path, speaker) as book:
        assert await book.ready(KEY, 0.05) is None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await book.ready(KEY, PATIENCE_S)
        speaker.free.set()
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
    assert speaker.spoken == [KEY]


@pytest.mark.parametrize(
    "fault",
    [
        {"failure": PhraseFailed("refused", "HTTP 401")},
        {"error": RuntimeError("a fault of ours")},
        {"audio": b""},
        {"audio": bytes(MAX_PHRASE_BYTES + 1)},
    ],
    ids=["vendor", "ours", "nothing", "too long"],
)
async def test_after_a_failure_it_is_left_alone_for_longer_and_longer(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    clock, speaker = Clock(), Speaker(**fault)
    async with book_of(tmp_path, speaker, clock) as book:
        for number in range(12):
            assert await book.ready(KEY, PATIENCE_S) is None
            longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number)
            clock.now_s += longest_s / 2 - 0.1
            assert await book.ready(KEY, PATIENCE_S) is None
            assert len(speaker.spoken) == number + 1
            clock.now_s += longest_s / 2 + 0.2
        speaker.failure, speaker.error, speaker.audio = None, None, None
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
    assert files(tmp_path)


async def test_a_failure_is_logged_without_the_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    speaker = Speaker(failure=PhraseFailed("timed_out", "no whole recording within 15 s"))
    async with book_of(tmp_path, speaker) as book:
        await book.ready(KEY, PATIENCE_S)
    (record,) = caplog.records
    fields = record.__dict__["fields"]
    assert fields["cause"] == "timed_out"
    assert fields["model"] == KEY.model
    assert record.levelno == logging.WARNING
    assert KEY.text not in record.getMessage() + str(fields)


async def test_a_restart_finds_what_was_spoken(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "phrases"
    async with book_of(folder, Speaker()) as book:
        await book.ready(KEY, PATIENCE_S)
    silent = Speaker(failure=PhraseFailed("unreachable"))
    async with book_of(folder, silent) as book:
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
    assert silent.spoken == []


async def test_the_files_are_ours_alone_and_nothing_unfinished_stays(tmp_path: Path) -> None:
    folder = tmp_path / "phrases"
    async with book_of(folder, Speaker()) as book:
        await book.ready(KEY, PATIENCE_S)
    sound, card = files(folder)
    assert sound.stem == card.stem
    assert len(sound.stem) == 64
    assert sound.read_bytes() == sound_of(KEY)
    assert json.loads(card.read_bytes())["text"] == KEY.text
    assert {stat.S_IMODE(path.stat().st_mode) for path in (sound, card)} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(folder.iterdir()) == sorted([sound, card])


def cut(sound: Path, card: Path) -> None:
    sound.write_bytes(sound.read_bytes()[:-100])


def changed(sound: Path, card: Path) -> None:
    sound.write_bytes(b"\x00" + sound.read_bytes()[1:])


def emptied(sound: Path, card: Path) -> None:
    sound.write_bytes(b"")


def overgrown(sound: Path, card: Path) -> None:
    """Whole and true to its card, but longer than any phrase may be."""
    audio = bytes(MAX_PHRASE_BYTES + 1)
    sound.write_bytes(audio)
    card.write_bytes(phrase_book._card(KEY, audio))


def no_json(sound: Path, card: Path) -> None:
    card.write_bytes(b"\xff{")


def of_another_key(sound: Path, card: Path) -> None:
    card.write_text(card.read_text("utf-8").replace("marin", "cedar"), "utf-8")


def without_card(sound: Path, card: Path) -> None:
    card.unlink()


def without_sound(sound: Path, card: Path) -> None:
    sound.unlink()


@pytest.mark.parametrize(
    "damage",
    [cut, changed, emptied, overgrown, no_json, of_another_key, without_card, without_sound],
)
async def test_a_damaged_copy_is_spoken_anew_and_mended(
    tmp_path: Path, damage: Callable[[Path, Path], None]
) -> None:
    async with book_of(tmp_path, Speaker()) as book:
        await book.ready(KEY, PATIENCE_S)
    damage(*files(tmp_path))
    speaker = Speaker()
    async with book_of(tmp_path, speaker) as book:
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
    assert speaker.spoken == [KEY]
    async with book_of(tmp_path, speaker) as book:
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
    assert speaker.spoken == [KEY]


async def test_an_unreadable_place_is_spoken_anew_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with book_of(tmp_path, Speaker()) as book:
        await book.ready(KEY, PATIENCE_S)
    sound, _ = files(tmp_path)
    sound.unlink()
    sound.mkdir()
    speaker = Speaker()
    async with book_of(tmp_path, speaker) as book:
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
    assert speaker.spoken == [KEY]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert unfinished(tmp_path) == []


async def test_without_a_disk_it_lives_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "phrases"
    blocked.write_text("a file where the folder should be")
    speaker = Speaker()
    async with book_of(blocked / "deep", speaker) as book:
        assert await book.ready(KEY, PATIENCE_S) == sound_of(KEY)
        book.want(KEY)
        assert book.get(KEY) == sound_of(KEY)
    assert speaker.spoken == [KEY]
    assert "memory only" in caplog.records[-1].getMessage()


async def test_the_disk_is_never_touched_on_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    read, write = phrase_book._read, phrase_book._write

    def reading(path: Path, limit_bytes: int) -> bytes:
        threads.append(threading.get_ident())
        return read(path, limit_bytes)

    def writing(path: Path, content: bytes) -> None:
        threads.append(threading.get_ident())
        write(path, content)

    monkeypatch.setattr(phrase_book, "_read", reading)
    monkeypatch.setattr(phrase_book, "_write", writing)
    async with book_of(tmp_path, Speaker()) as book:
        await book.ready(KEY, PATIENCE_S)
        touched = len(threads)
        assert touched == 3
        assert book.get(KEY) == sound_of(KEY)
        assert len(threads) == touched
    assert threading.get_ident() not in threads


async def test_it_can_be_played_before_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_disk = threading.Event()
    monkeypatch.setattr(phrase_book, "_write", lambda path, content: slow_disk.wait(PATIENCE_S))
    async with book_of(tmp_path, Speaker()) as book:
        book.want(KEY)
        try:
            await until(lambda: book.get(KEY) is not None)
        finally:
            slow_disk.set()


async def test_closing_cancels_and_nothing_begins_afterwards(tmp_path: Path) -> None:
    speaker = Speaker()
    speaker.free.clear()
    book = PhraseBook(tmp_path, speaker)
    keys = [replace(KEY, text=f"Phrase {number}.") for number in range(4)]
    for key in keys:
        book.want(key)
    waiting = asyncio.create_task(book.ready(keys[0], PATIENCE_S))
    await until(lambda: speaker.running == AT_ONCE)
    async with asyncio.timeout(PATIENCE_S):
        await book.close()
        await book.close()
        assert await waiting is None
    assert speaker.running == 0
    spoken = len(speaker.spoken)
    book.want(KEY)
    assert await book.ready(KEY, PATIENCE_S) is None
    assert len(speaker.spoken) == spoken


async def test_two_processes_on_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    keys = [replace(KEY, text=f"Phrase {number}.") for number in range(8)]
    async with book_of(tmp_path, Speaker()) as one, book_of(tmp_path, Speaker()) as two:
        both = [book.ready(key, PATIENCE_S) for key in keys for book in (one, two)]
        assert None not in await asyncio.gather(*both)
    silent = Speaker(failure=PhraseFailed("unreachable"))
    async with book_of(tmp_path, silent) as later:
        assert [await later.ready(key, PATIENCE_S) for key in keys] == [sound_of(k) for k in keys]
    assert unfinished(tmp_path) == []


class Announcer:
    """A model that says the phrase, whatever it is asked."""

    def __init__(self, audio: bytes) -> None:
        self._audio = audio

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        raise AssertionError("a phrase must not be part of a conversation")

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [Say(KEY.text, self._audio)]

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        raise AssertionError("a phrase's session hears nobody")

    async def say(self, text: str, voice: str) -> bytes:
        raise AssertionError(f"no audio was given for {text!r}")


async def test_a_phrase_of_the_lab_s_model_survives_the_model_and_the_process(
    tmp_path: Path,
) -> None:
    audio = dtmf_tone("5", 600, 0)
    nobody = Announcer(audio)
    lab = LabRealtime(
        api_key="sk-lab",
        brain_factory=lambda: Announcer(audio),
        ear=nobody,
        mouth=nobody,
        behaviour=Behaviour(think_ms=0, speed=100.0),
    )

    async def render(key: PhraseKey) -> bytes | PhraseFailure:
        config = SessionConfig(model=key.model, voice=key.voice, speed=key.speed)
        return await render_phrase(key.text, config, Credentials("sk-lab", address))

    async with lab:
        address = lab.base_url
        book = PhraseBook(tmp_path, render)
        assert await book.ready(KEY, PATIENCE_S) == audio
        await book.close()
    book = PhraseBook(tmp_path, render)
    assert await book.ready(KEY, PATIENCE_S) == audio
    other = await book.ready(replace(KEY, voice="cedar"), PATIENCE_S)
    await book.close()
    assert other is None
    assert len(lab.sessions) == 1


async def test_a_passing_phrase_is_held_for_a_while_and_never_written(tmp_path: Path) -> None:
    speaker, folder = Speaker(), tmp_path / "phrases"
    async with book_of(folder, speaker) as book:
        keys = [replace(KEY, text=f"Dear {number},") for number in range(MOST_PASSING + 3)]
        for key in keys:
            book.want(key, passing=True)
            book.want(key, passing=True)
        await until(lambda: book.get(keys[-1]) is not None)
        assert len(speaker.spoken) == len(keys), "each once"
        assert speaker.most <= PASSING_AT_ONCE
        assert [book.get(key) for key in keys[:3]] == [None] * 3
        assert book.get(keys[3]) == sound_of(keys[3])
        assert not folder.exists()


async def test_passing_phrases_do_not_hold_up_the_others(tmp_path: Path) -> None:
    speaker = Speaker()
    speaker.free.clear()
    async with book_of(tmp_path, speaker) as book:
        for number in range(2 * PASSING_AT_ONCE):
            book.want(replace(KEY, text=f"Dear {number},"), passing=True)
        await until(lambda: speaker.running == PASSING_AT_ONCE)
        book.want(KEY)
        await until(lambda: KEY in speaker.spoken)
        speaker.free.set()
        await until(lambda: book.get(KEY) is not None)


async def test_a_passing_phrase_that_failed_may_be_wanted_again_at_once(tmp_path: Path) -> None:
    speaker = Speaker(error=RuntimeError("no"))
    async with book_of(tmp_path, speaker) as book:
        book.want(KEY, passing=True)
        await until(lambda: len(speaker.spoken) == 1 and not speaker.running)
        await asyncio.sleep(0)
        speaker.error = None
        book.want(KEY, passing=True)
        await until(lambda: book.get(KEY) is not None)
        assert book.get(KEY) == sound_of(KEY)
