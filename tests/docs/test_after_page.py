"""Invariant: what the page about the time after a call says of keys, events and figures is so, and
its examples run."""

import asyncio
import dataclasses
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from app.after.checking import Problem
from app.after.conversation import MOST_CHARS
from app.after.extraction import ExtractionLimits, Status
from app.after.intake import Times
from app.agents import AgentError, load_agent
from app.agents.after_table import AfterCall, AfterField, FieldType
from app.cli.webhooks import command
from app.demo.stage import free_port
from app.live import names
from app.outgoing.deliverer import KEEP_DEAD_S, KEEP_DELIVERED_S, MOST_EACH
from app.outgoing.events import CATALOGUE, CallEnded, TestEvent, data_of
from app.outgoing.messages import message_of
from app.outgoing.retries import DEFAULT_S, JITTER
from app.outgoing.sending import TIMEOUT_S, Sender
from app.outgoing.sqlite_store import PATIENT_ATTEMPTS
from app.persona import make_persona
from app.settings import Settings
from tests.docs.pages import codes, example, page, table
from tests.outgoing.receiver import NAME, OTHER_SECRET, SECRET

TEXT = page("after-the-call")
PLAIN = " ".join(TEXT.split())
AGENT = example(TEXT, "agent")


def written(folder: Path, text: str = AGENT.text) -> Path:
    path = folder / "restaurant.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "after"), [(AfterCall, "<!-- keys:"), (AfterField, "<!-- fields:")]
)
def test_every_key_stands_with_its_default(kind: Any, after: str) -> None:
    rows = {codes(row[0])[0]: row[1] for row in table(TEXT, after)}
    fields = {field.name: field for field in dataclasses.fields(kind)}
    assert rows.keys() == fields.keys()
    for name, told in rows.items():
        if fields[name].default is dataclasses.MISSING and told == "none":
            continue
        default = tomllib.loads(f"x = {codes(told)[0]}")["x"]
        actual: Any = fields[name].default
        if actual is dataclasses.MISSING:
            actual = {}
        assert (tuple(default) if isinstance(default, list) else default) == actual


def test_every_type_of_a_field_is_told() -> None:
    [row] = [row for row in table(TEXT, "<!-- fields:") if codes(row[0]) == ["type"]]
    assert {code.strip('"') for code in codes(row[2])} == set(get_args(FieldType))


def test_the_example_is_an_agent_whose_webhooks_can_be_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = load_agent(written(tmp_path))
    assert agent.after_call is not None
    assert agent.after_call.fields["callback_number"].required
    settings = Settings(openai_api_key=SecretStr("sk-own"))
    monkeypatch.delenv(NAME, raising=False)
    with pytest.raises(AgentError, match=f"{NAME}: it is not set"):
        make_persona(agent, settings)
    monkeypatch.setenv(NAME, SECRET)
    make_persona(agent, settings)


def test_every_event_stands_with_its_data() -> None:
    rows = {codes(row[0])[0]: set(codes(row[2])) for row in table(TEXT, "<!-- events:")}
    assert rows.keys() == {kind.type for kind in CATALOGUE}
    common = {"call_id", "agent", "direction"}
    for kind in CATALOGUE:
        ours = {"occurrence", "caller", "called", "result"} | common
        keys = {field.name for field in dataclasses.fields(kind)} - ours
        assert keys <= rows[kind.type], kind.type
    event = CallEnded(call_id="CA1", agent="a", reason="x")
    assert data_of(event, numbers=True).keys() == common | {"from", "to", "reason", "duration_s"}


def test_every_status_and_problem_is_told() -> None:
    for word in (*get_args(Status), *filter(None, get_args(Problem))):
        assert f"`{word}`" in TEXT


def test_the_figures_are_those_of_the_code() -> None:
    limits, times = ExtractionLimits(), Times()
    words = {2: "two", 4: "four", 11: "eleven"}
    assert f"at most {words[limits.attempts]} with mending" in PLAIN
    assert f"within {words[int(limits.whole_s // 60)]} minutes" in PLAIN
    assert f"({MOST_CHARS:,} characters are read)" in PLAIN
    assert f"until then, {names.AFTER_SAID_TTL_S // 3600} hours at most" in PLAIN
    assert times.handed_on_s == names.AFTER_SAID_TTL_S
    assert f"does not say, for {times.lost_s / 60:g} minutes" in PLAIN
    assert f"after {names.AFTER_CLAIM_TTL_S // 60} minutes" in PLAIN
    assert limits.whole_s < names.AFTER_CLAIM_TTL_S
    assert f"2xx within {TIMEOUT_S:g} s" in PLAIN
    units = {"s": 1, "min": 60, "h": 3600}
    [waits] = re.findall(r"Waits are (.*?), each up to a fifth longer: (\w+) attempts", PLAIN)
    assert tuple(int(n) * units[u] for n, u in re.findall(r"(\d+) (s|min|h)\b", waits[0])) == (
        DEFAULT_S
    )
    assert waits[1] == words[len(DEFAULT_S) + 1]
    assert pytest.approx(1 / 5) == JITTER
    assert f"kept for {KEEP_DEAD_S / 86_400:g} days" in PLAIN
    assert f"stay for {KEEP_DELIVERED_S / 86_400:g} days" in PLAIN
    assert f"{words[MOST_EACH].capitalize()} requests at a time" in PLAIN
    assert f"has failed {({3: 'three'})[PATIENT_ATTEMPTS]} times" in PLAIN


def test_every_command_of_webhooks_is_told() -> None:
    assert set(re.findall(r"earshot webhooks (\w+)", TEXT)) == set(command.commands)


async def test_the_receiver_takes_what_is_signed_once_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "receiver.py"
    path.write_text(example(TEXT, "receiver").text, "utf-8")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(path)),
        env={**os.environ, NAME: SECRET, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/"
    message = message_of(TestEvent(call_id="CA1", agent="restaurant"), 1_800_000_000.0)
    try:
        async with Sender() as sender, asyncio.timeout(60):

            async def send(secret: str) -> int | None:
                sent = await sender.send(url, message.message_id, message.body, (secret,))
                return sent.status

            while await send(OTHER_SECRET) is None:  # noqa: ASYNC110 - it does not listen yet
                await asyncio.sleep(0.05)
            assert await send(OTHER_SECRET) == 401
            assert [await send(SECRET) for _ in range(3)] == [204] * 3
    finally:
        process.kill()
    printed, _ = await process.communicate()
    assert printed.decode() == "webhook.test CA1\n"
