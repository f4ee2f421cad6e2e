"""`earshot webhooks`"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from app.after.targets import targets_of
from app.agents import load_agent
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.cli.webhooks_view import as_json, attempt_line, deliveries, message, nothing
from app.outgoing.endpoints import Endpoint, SecretsOf, secrets_from
from app.outgoing.events import TestEvent
from app.outgoing.messages import message_of
from app.outgoing.sending import Attempt, Sender
from app.outgoing.signing import SecretError, new_secret
from app.outgoing.sqlite_store import FILE, SqliteStore
from app.outgoing.store import OutboxError, State
from app.settings import Settings

_STATES: tuple[State, ...] = ("waiting", "dead", "delivered")


@click.group("webhooks")
def command() -> None:
    """What the operator's systems were told: list it, send dead letters again, try endpoints.

    Works beside a running server, on the data folder of this machine.
    """


@command.command("list")
@click.option(
    "--state", type=click.Choice(_STATES), multiple=True, help="Only these; default: all."
)
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_text", is_flag=True, help="One JSON object a line.")
def list_(state: tuple[State, ...], most: int, as_text: bool) -> None:
    """List the newest deliveries, without what was said."""
    with told_plainly():
        store = _store(configured())
    if store is None:
        _say_nothing(as_text)
        return
    with _told():
        found = store.listed(state or _STATES, most)
        if as_text:
            for each in found:
                click.echo(json.dumps(as_json(each)))
        else:
            deliveries(found, store.counts(), store.disabled(), time.time(), Console())
        store.close()


@command.command("show", short_help="Show one message and its deliveries.")
@click.argument("message_id")
@click.option("--json", "as_text", is_flag=True, help="One JSON object.")
def show(message_id: str, as_text: bool) -> None:
    """Show one message, its deliveries and, until it is delivered, its body.

    The body holds what was said in a call.
    """
    with told_plainly(), _told():
        store = _store(configured())
        found = [] if store is None else store.shown(message_id)
        if store is not None:
            store.close()
        if not found:
            raise Failure(f"There is no message {message_id}. `earshot webhooks list` has the ids.")
        if as_text:
            body = json.loads(found[0].body) if found[0].body else None
            told = {"deliveries": [as_json(each) for each in found], "body": body}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            message(found, time.time(), Console())


@command.command("retry", short_help="Send dead letters again.")
@click.argument("message_ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every dead letter.")
def retry(message_ids: tuple[str, ...], every: bool) -> None:
    """Send dead letters again: now, and by the whole schedule.

    Their endpoints are told again, even if they had said that they are gone. The running server
    sends them within a second; without one, the next that starts.
    """
    if bool(message_ids) == every:
        raise click.UsageError("Name messages, or give --all.")
    with told_plainly(), _told():
        store = _store(configured())
        count = 0 if store is None else store.revive(message_ids, time.time())
        if store is not None:
            store.close()
    if not count:
        raise Failure("There is no such dead letter. `earshot webhooks list --state dead`")
    click.echo(f"{count} {'delivery waits' if count == 1 else 'deliveries wait'} to be sent again")


@command.command("test", short_help="Send a signed webhook.test to an agent's endpoints.")
@click.argument("agent", default="")
@click.option("--json", "as_text", is_flag=True, help="One JSON object a line.")
def test(agent: str, as_text: bool) -> None:
    """Send a signed webhook.test to every endpoint of AGENT (default: EARSHOT_AGENT), once.

    Exits 1 if one of them did not take it.
    """
    with told_plainly():
        settings = configured()
        name = agent or settings.agent
        targets = targets_of(load_agent(name).after_call, settings.webhook_url)
        endpoints = (*targets.everywhere, *targets.endpoints)
        if not endpoints:
            raise Failure(
                f"Nobody is told of {name}: its file has no after_call.webhook, and "
                "EARSHOT_WEBHOOK_URL is not set."
            )
    attempts = asyncio.run(_try(endpoints, name, _secrets(settings)))
    for endpoint, attempt, took_ms in attempts:
        click.echo(attempt_line(endpoint.url, attempt, took_ms, as_text=as_text))
    sys.exit(0 if all(attempt.delivered for _, attempt, _ in attempts) else 1)


@command.command("secret", short_help="Print a new secret that signs.")
def secret() -> None:
    """Print a new secret that signs. Nothing keeps it: put it where both sides read it."""
    click.echo(new_secret())


async def _try(
    endpoints: tuple[Endpoint, ...], agent: str, secrets_of: SecretsOf
) -> list[tuple[Endpoint, Attempt, int]]:
    async with Sender() as sender:

        async def one(endpoint: Endpoint) -> tuple[Endpoint, Attempt, int]:
            event = message_of(TestEvent(call_id="", agent=agent), time.time())
            began_s = time.monotonic()
            try:
                secrets = secrets_of(endpoint.secret_name)
            except SecretError as error:
                return endpoint, Attempt(None, f"{endpoint.secret_name}: {error}"), 0
            attempt = await sender.send(endpoint.url, event.message_id, event.body, secrets)
            return endpoint, attempt, round((time.monotonic() - began_s) * 1000)

        return list(await asyncio.gather(*(one(endpoint) for endpoint in endpoints)))


def _secrets(settings: Settings) -> SecretsOf:
    return secrets_from(os.environ, settings.webhook_secret.get_secret_value())


def _store(settings: Settings) -> SqliteStore | None:
    """None: nothing was ever told from this data folder."""
    folder: Path = settings.data_dir / "outgoing"
    with _told():
        return SqliteStore(folder) if (folder / FILE).exists() else None


def _say_nothing(as_text: bool) -> None:
    if not as_text:
        nothing(Console())


@contextmanager
def _told() -> Iterator[None]:
    """Turn an outbox that cannot be read into a plain failure."""
    try:
        yield
    except OutboxError as error:
        raise Failure(str(error)) from error
