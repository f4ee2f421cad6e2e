"""Invariant: the lab page's examples run as they stand there, and its tables hold all there is."""

import asyncio
import dataclasses
import os
import re
import sys
from pathlib import Path
from typing import NoReturn

import click
import pytest

from app.cli import lab
from app.cli.lab_carrier import carrier
from app.lab.carrier.parties import DOES, REFUSALS, Digits
from app.lab.carrier.troubles import Troubles
from app.lab.phone import CallReport, Impairments, script
from app.lab.phone.twiml import PERFORMED
from app.lab.realtime.behaviour import Behaviour
from app.lab.speech.ear import SphinxEar
from app.lab.speech.engines import find_engine
from app.lab.speech.faults import MissingPartError
from app.lab.speech.script import parse_dialog
from telecodecs import ULAW_SILENCE
from tests.docs.pages import ROOT, codes, example, following, page, table
from tests.docs.tiny_bot import TOKEN, tiny_bot

TEXT = page("lab")


def skip_unless_ci(error: MissingPartError) -> NoReturn:
    if os.environ.get("CI") == "true":
        raise error
    pytest.skip(str(error))


async def run(name: str, folder: Path, **variables: str) -> str:
    """Save the example as a user would, run it with Python, return what it printed."""
    path = folder / "example.py"
    path.write_text(example(TEXT, name).text, encoding="utf-8")
    sources = os.pathsep.join([str(ROOT), str(ROOT / "codecs")])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(path),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": sources, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, complaints.decode()
    return printed.decode()


async def test_the_telephone_example_calls_a_foreign_bot(tmp_path: Path) -> None:
    async with tiny_bot() as url:
        printed = await run("telephone", tmp_path, VOICE_URL=url, TWILIO_AUTH_TOKEN=TOKEN)
    assert re.search(r"^cleared at \d+ ms, [1-9]\d* ms never heard$", printed, re.MULTILINE)
    assert re.search(r"^the caller heard [1-9]\d* ms of the bot$", printed, re.MULTILINE)
    assert (tmp_path / "call.wav").stat().st_size > 100_000


async def test_the_telephone_example_fails_where_the_bot_does(tmp_path: Path) -> None:
    async with tiny_bot() as url:
        with pytest.raises(AssertionError, match="11200"):
            await run("telephone", tmp_path, VOICE_URL=url, TWILIO_AUTH_TOKEN="not the bot's")


async def test_the_rest_example_prints_what_the_page_says(tmp_path: Path) -> None:
    assert await run("rest", tmp_path) == following(TEXT, example(TEXT, "rest"))


async def test_the_account_example_runs(tmp_path: Path) -> None:
    async with tiny_bot() as url:
        assert await run("account", tmp_path, VOICE_URL=url, TWILIO_AUTH_TOKEN=TOKEN) == ""


async def test_the_model_example_prints_what_the_page_says(tmp_path: Path) -> None:
    try:
        find_engine()
        SphinxEar()
    except MissingPartError as error:
        skip_unless_ci(error)
    assert await run("model", tmp_path) == following(TEXT, example(TEXT, "model"))


async def test_the_ear_knows_the_words_of_the_dialog_example() -> None:
    dialog = parse_dialog(example(TEXT, "dialog").text, "my.toml")
    try:
        ear = SphinxEar()
    except MissingPartError as error:
        skip_unless_ci(error)
    async with ear:
        assert await ear.hear(ULAW_SILENCE * 8_000, dialog.hints("open")) is None


def test_every_flag_of_the_telephone_is_told() -> None:
    tables = (
        "### Flags for difficult callers",
        "If the bot says less",
        "### Flags for other people",
        "### Flags for a bad line",
    )
    rows = [row for words in tables for row in table(TEXT, words)]
    told = {flag.split()[0] for row in rows for flag in codes(row[0])}
    options = [parameter for parameter in lab.call.params if isinstance(parameter, click.Option)]
    flags = {flag for option in options for flag in option.opts}
    in_the_text = {"--account-sid", "--auth-token", "--wav"}
    assert told == flags - in_the_text
    assert in_the_text <= set(re.findall(r"`(--[a-z-]+)", TEXT))


def test_every_behaviour_stands_with_its_default() -> None:
    rows = {name: row[1] for row in table(TEXT, "<!-- behaviour:") for name in codes(row[0])}
    fields = {field.name: field.default for field in dataclasses.fields(Behaviour)}
    assert rows.keys() == fields.keys()
    for name, default in fields.items():
        if isinstance(default, int | float) and not isinstance(default, bool):
            told = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", rows[name])]
            assert float(default) in told, name


def test_every_impairment_is_told() -> None:
    told = {name for row in table(TEXT, "`Impairments(...)`") for name in codes(row[0])}
    fields = {field.name for field in dataclasses.fields(Impairments)}
    assert told == fields - {"seed"}
    assert "the same `seed`" in TEXT


def test_every_step_is_told() -> None:
    told = {re.split(r"[.(]", codes(row[0])[0])[0] for row in table(TEXT, "### Steps")}
    assert told == {step.__name__ for step in script.Step.__args__}


def test_the_fields_of_the_report_exist_and_none_is_missing() -> None:
    told = {name for row in table(TEXT, "### What the report says") for name in codes(row[0])}
    fields = {field.name for field in dataclasses.fields(CallReport)} - {"identity"}
    assert told == fields | {"as_scripted", "faults"}


def test_every_verb_that_is_carried_out_is_told() -> None:
    modelled = next(
        row[0] for row in table(TEXT, "## What of Twilio is modelled") if "TwiML:" in row[0]
    )
    assert set(re.findall(r"<(\w+)>", modelled)) - {"Stream"} == PERFORMED


def test_every_error_code_of_the_telephone_is_told() -> None:
    codes_told = next(
        row[0] for row in table(TEXT, "## What of Twilio is modelled") if "error codes" in row[0]
    )
    source = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "app/lab/phone").glob("*.py"))
    known = {int(code) for code in re.findall(r"^[A-Z_]+ = (\d{5})$", source, re.MULTILINE)}
    in_calls = {code for code in known if not 20_000 <= code < 30_000}
    assert {int(code) for code in re.findall(r"\d{5}", codes_told)} == in_calls


def test_every_flag_of_the_carrier_is_told() -> None:
    told = {codes(row[0])[0].split()[0] for row in table(TEXT, "### A carrier for ten thousand")}
    options = [each for each in carrier.params if isinstance(each, click.Option)]
    flags = {flag for option in options for flag in option.opts}
    assert told == flags - {"--account-sid", "--auth-token"}


def test_every_trouble_stands_with_its_default() -> None:
    rows = {name: row[1] for row in table(TEXT, "<!-- troubles:") for name in codes(row[0])}
    fields = {field.name: field.default for field in dataclasses.fields(Troubles)}
    assert rows.keys() == fields.keys() - {"seed"}
    for name, told in rows.items():
        defaults = [0.0] if told == "any" else [float(word) for word in told.split(",")]
        assert fields[name] in defaults, name


def test_every_party_stands_with_its_digits_and_its_code() -> None:
    rows = {name: row for row in table(TEXT, "<!-- parties:") for name in codes(row[1])}
    assert rows.keys() == set(DOES)
    for does, (ends, _, becomes) in rows.items():
        assert Digits()(f"+1415555000{ends.split()[0]}", 0).does == does
        if does in REFUSALS:
            assert str(REFUSALS[does][0]) in becomes
