"""Invariant: `earshot lab call` does what its flags say, in their order, on the line that they
describe; a flag that cannot be meant is a usage error, told in a line."""

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from app.cli import earshot, lab
from app.cli.lab_caller import acts, steps
from app.cli.lab_line import impairments
from app.lab.phone.impairments import (
    Band,
    Bursts,
    Clipping,
    Echo,
    Impairments,
    JitterBursts,
    KeyLeak,
    Noise,
    Stall,
    Window,
)
from app.lab.phone.script import HangUp, Interrupt, Press, Say, SayPieces, Silence, Wait, WaitForBot
from app.lab.speech.voices import voice_clip
from tests.docs.tiny_bot import TOKEN, tiny_bot
from tests.lab.phone.bots import WebBot

URL = "http://127.0.0.1:9/voice"
LINE: dict[str, tuple[str, Any]] = {
    "delay_ms": ("--delay 40", 40),
    "jitter_ms": ("--jitter 20", 20),
    "stalls": (
        "--stall 500:200 --stall 900:50:to_bot",
        (Stall(500, 200), Stall(900, 50, "to_bot")),
    ),
    "gaps": ("--gap 100:60", (Window(100, 60),)),
    "loss": ("--loss 0.02", 0.02),
    "suppress_silence_after_ms": ("--suppress-silence 400", 400),
    "first_timestamp_ms": ("--first-timestamp 1234", 1234),
    "jitter_bursts": ("--jitter-bursts 2000:150:300", JitterBursts(2000, 150, 300)),
    "bursts": ("--loss-bursts 0.05:100", Bursts(0.05, 100)),
    "noise": ("--noise street:10:-28", Noise("street", 10.0, -28.0)),
    "echo": ("--echo 120:24", Echo(120, 24.0)),
    "clipping": ("--clipping 18", Clipping(18.0)),
    "key_leak": ("--key-leak -20:80", KeyLeak(-20.0, 80)),
    "band": ("--band 300:3400", Band(300, 3400)),
}


def context(*words: str) -> click.Context:
    return lab.call.make_context("call", [URL, *words])


def line(*words: str) -> Impairments:
    return impairments(7, context(*words).params)


def script(*words: str, voice: str | None = None) -> tuple[object, ...]:
    return steps(acts(context(*words)), 7, voice)


def kinds(*words: str) -> list[str]:
    return [type(step).__name__ for step in script(*words)]


def refused(*words: str) -> Result:
    return CliRunner().invoke(earshot, ["lab", "call", URL, "--auth-token", TOKEN, *words])


def test_without_flags_the_line_is_as_good_as_it_can_be() -> None:
    assert line() == Impairments(seed=7)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Impairments)])
def test_each_impairment_has_a_flag(field: str) -> None:
    if field != "seed":
        words, value = LINE[field]
        assert line(*words.split()) == dataclasses.replace(Impairments(seed=7), **{field: value})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--noise rain:10", "white, pink"),
        ("--noise street", "KIND:SNR[:SPEECH]"),
        ("--noise street:loud", "KIND:SNR[:SPEECH]"),
        ("--noise street:10:-28:1", "KIND:SNR[:SPEECH]"),
        ("--stall 10:20:up", "AT:LENGTH[:WAY]"),
        ("--loss-bursts 0.99:20", "a share from 0 to"),
        ("--band 3400:300", "low_hz < high_hz"),
        ("--delay -1", "--delay"),
        ("--loss 2", "--loss"),
        ("--press 12A", "0 to 9"),
        ("--voice nobody", "slt"),
    ],
)
def test_a_value_that_cannot_be_meant_is_a_usage_error_that_names_its_flag(
    words: str, told: str
) -> None:
    result = refused(*words.split())
    assert result.exit_code == 2
    assert told in result.stderr
    assert words.split(maxsplit=1)[0] in result.stderr


def test_digits_that_cannot_be_spelled_are_told_in_a_line() -> None:
    result = refused("--spell", "five")
    assert result.exit_code == 1
    assert result.stderr.strip() == "expected digits from 0 to 9 to spell, got 4 characters"


@pytest.mark.parametrize("words", ["--hesitate", "--spell 5"])
def test_a_voice_without_such_clips_is_told_in_a_line(words: str) -> None:
    result = refused("--voice", "awb", *words.split())
    assert result.exit_code == 1
    assert result.stderr.strip() == "expected one of the voices slt, rms, got 'awb'"


def test_a_caller_with_nothing_to_do_hears_the_greeting_and_hangs_up() -> None:
    assert script() == (WaitForBot.finished(quiet_ms=800), HangUp())


def test_the_caller_does_what_the_flags_say_in_their_order(tmp_path: Path) -> None:
    clip = tmp_path / "hello.ulaw"
    clip.write_bytes(voice_clip("no_slt").ulaw)
    found = script(
        *("--wait", "100", "--say", str(clip), "--press", "1#", "--silence", "300"),
        *("--say", str(clip), "--wait", "200"),
    )
    answered = WaitForBot.finished(quiet_ms=1_500)
    said = Say(voice_clip("no_slt").ulaw)
    greeted = WaitForBot.finished(quiet_ms=800)
    assert found == (
        *(greeted, Wait(100), said, answered, Press("1#"), Silence(300), said, answered),
        *(Wait(200), HangUp()),
    )


def test_what_is_done_while_the_bot_speaks_does_not_wait_for_its_end() -> None:
    found = script("--cough", "300", "--hesitate", "--breath", "500", "--backchannel", "900")
    names = [type(step).__name__ for step in found]
    assert names == [
        *("Interrupt", "WaitForBot", "SayPieces", "Interrupt", "Interrupt", "WaitForBot", "HangUp"),
    ]
    begun = [step for step in found if isinstance(step, Interrupt)]
    assert [(step.kind, step.after_ms) for step in begun] == [
        *(("cough", 300), ("breath", 500), ("backchannel", 900)),
    ]


def test_after_talking_over_an_answer_its_tail_is_not_taken_for_the_next_one() -> None:
    *_, waited, hung_up = script("--talk-over")
    assert isinstance(waited, WaitForBot)
    assert waited.said_ms == 300
    assert hung_up == HangUp()


def test_who_is_away_comes_back_without_waiting_for_an_answer() -> None:
    assert kinds("--hold-on", "4000", "--spell", "55") == [
        *("WaitForBot", "Say", "Wait", "SayPieces", "WaitForBot", "HangUp"),
    ]


def test_the_seed_decides_and_the_same_flag_twice_is_not_the_same_act() -> None:
    first, second = (s for s in script("--hesitate", "--hesitate") if isinstance(s, SayPieces))
    assert first != second
    assert script("--hesitate", "--hesitate") == script("--hesitate", "--hesitate")


def test_one_voice_is_one_person() -> None:
    said = [
        s for s in script("--hesitate", "--spell", "5", voice="slt") if isinstance(s, SayPieces)
    ]
    digit = voice_clip("digit_5_slt").ulaw
    assert said[1].pieces[-1].audio in digit


async def called(url: str, *words: str) -> Result:
    arguments = ["lab", "call", url, "--auth-token", TOKEN, *words]
    return await asyncio.to_thread(CliRunner().invoke, earshot, arguments)


async def test_a_call_on_a_bad_line_by_a_difficult_caller() -> None:
    async with tiny_bot() as url:
        result = await called(
            *(url, "--spell", "55", "--talk-over", "--noise", "white:40", "--delay", "20"),
            *("--loss", "0.01", "--voice", "slt", "--seed", "3"),
        )
    assert result.exit_code == 0, result.stderr
    outcome = json.loads(result.stdout)
    assert [spoken["kind"] for spoken in outcome["spoken"]] == ["spelling", "interruption"]
    assert outcome["spoken"][0]["text"] == "my number is ... five ... five"
    assert outcome["streams"][0]["clears"] >= 2


async def test_the_bot_dials_people_whom_the_flags_put_there() -> None:
    document = (
        "<Response><Dial><Number url='/whisper'>+15550100077</Number></Dial>"
        "<Dial>+15550100078</Dial></Response>"
    )
    whisper = (
        "<Response><Gather numDigits='1' action='/no'><Say>Press 1 or 2</Say></Gather></Response>"
    )
    pages = {"/voice": document, "/whisper": whisper, "/no": "<Response><Hangup/></Response>"}
    async with WebBot(pages) as bot:
        result = await called(
            *(f"{bot.url}/voice", "--at", "+15550100077=press:2", "--at", "+15550100078=busy"),
            *("--from", "+15550100005", "--api-port", "0", "--wait", "20000"),
        )
        assert bot.forms("/no")[0]["Digits"] == "2"
        assert bot.forms("/voice")[0]["From"] == "+15550100005"
    dialled = json.loads(result.stdout)["dialled"]
    assert [(leg["to"], leg["status"]) for leg in dialled] == [
        ("+15550100077", "completed"),
        ("+15550100078", "busy"),
    ]
    assert dialled[0]["heard"][0] == "Press 1 or 2"


@pytest.mark.parametrize("words", ["+15550100077", "=busy", "+15550100077=away"])
def test_a_person_that_cannot_be_is_a_usage_error(words: str) -> None:
    result = refused("--at", words)
    assert result.exit_code == 2
    assert "--at" in result.stderr


async def test_a_caller_who_does_not_get_through_is_told_by_the_exit_code() -> None:
    async with tiny_bot() as url:
        result = await called(url, "--wait", "60000", "--limit", "2")
    assert result.exit_code == 1
    outcome = json.loads(result.stdout)
    assert outcome["ended_by"] == "limit"
    assert outcome["unfinished_steps"] == 2
