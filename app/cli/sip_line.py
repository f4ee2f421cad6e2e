"""`earshot sip line`"""

import asyncio
import os
import signal
from dataclasses import replace
from typing import Final

import click
import uvloop

from app.cli.failure import Failure
from app.observe.log import configure_logging
from app.sip_line.config import (
    Address,
    LineConfig,
    LineConfigError,
    Trunk,
    parse_network,
    require_ipv4,
)
from app.sip_line.jitter import Delay

CREDENTIALS: Final = "EARSHOT_SIP_LINE_CREDENTIALS"
TRUNK_PASSWORD: Final = "EARSHOT_SIP_LINE_TRUNK_PASSWORD"
WORKER_PASSWORD: Final = "EARSHOT_SIP_LINE_WORKER_PASSWORD"
"""Secrets come from the environment: a command line can be seen by everybody on the machine."""


@click.command("line")
@click.option("--worker", required=True, help="ws://HOST:PORT/asterisk/media of a worker.")
@click.option("--worker-user", default="", help=f"For Basic auth, with {WORKER_PASSWORD}.")
@click.option("--listen", default="127.0.0.1:5060", show_default=True, help="Address for SIP.")
@click.option("--advertise", default="", help="The address that peers are told, if another.")
@click.option("--rtp-ports", default="10000-10999", show_default=True)
@click.option("--peer", "peers", multiple=True, help="Address or network that may call; often.")
@click.option("--serve", "served", multiple=True, help="User or pattern like +1555*; often.")
@click.option("--realm", default="earshot", show_default=True, help="For callers with credentials.")
@click.option("--codec", "codecs", multiple=True, type=click.Choice(["PCMU", "PCMA"]))
@click.option("--max-calls", default=50, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--jitter-ms", default=40, show_default=True, type=click.IntRange(0, 200))
@click.option("--worker-answers", is_flag=True, help="It rings until the worker says ANSWER.")
@click.option(
    "--end-after-silence-s", default=0, type=click.IntRange(0), help="No RTP for so long; 0: never."
)
@click.option("--trunk", default="", help="USER@HOST[:PORT] to register at.")
@click.option("--trunk-auth-user", default="", help="If it is not USER.")
@click.option("--trunk-expires-s", default=300, show_default=True, type=click.IntRange(30, 86_400))
@click.option("--log-level", default="info", show_default=True)
@click.option("--log-format", default="text", type=click.Choice(["text", "json"]))
def line(
    trunk: str,
    trunk_auth_user: str,
    trunk_expires_s: int,
    log_level: str,
    log_format: str,
    **told: object,
) -> None:
    """Take SIP calls and hand them to a worker as Asterisk would, until stopped.

    Only peers may call, and callers with credentials: EARSHOT_SIP_LINE_CREDENTIALS is a list like
    alice:secret,bob:word. No encryption, no NAT traversal: see docs/sip-line.md.
    """
    try:
        config = replace(
            _config(told), trunk=_trunk(trunk, trunk_auth_user, trunk_expires_s) if trunk else None
        )
    except LineConfigError as error:
        raise Failure(str(error)) from error
    if not config.peers and not config.credentials:
        raise Failure(
            f"Nobody may call: say who with --peer 127.0.0.1 or with {CREDENTIALS}=alice:secret."
        )
    configure_logging(log_level, "json" if log_format == "json" else "text", secrets=_secrets())
    uvloop.run(_serve(config))


def _config(told: dict[str, object]) -> LineConfig:
    """Raises `LineConfigError`."""
    peers, served, codecs = (_words(told[name]) for name in ("peers", "served", "codecs"))
    listen, advertise = Address.parse(str(told["listen"])), str(told["advertise"])
    return LineConfig(
        worker_url=str(told["worker"]),
        worker_user=str(told["worker_user"]),
        worker_password=os.environ.get(WORKER_PASSWORD, ""),
        listen=Address(require_ipv4(listen.host), listen.port),
        advertised=require_ipv4(advertise) if advertise else "",
        rtp_ports=_ports(str(told["rtp_ports"])),
        peers=tuple(parse_network(peer) for peer in peers),
        credentials=_credentials(os.environ.get(CREDENTIALS, "")),
        realm=str(told["realm"]),
        served=served or ("*",),
        max_calls=int(str(told["max_calls"])),
        codecs=tuple(codec for codec in ("PCMU", "PCMA") if codec in codecs or not codecs),
        delay=Delay(first_ms=int(str(told["jitter_ms"]))),
        worker_answers=bool(told["worker_answers"]),
        silence_end_s=int(str(told["end_after_silence_s"])),
    )


def _words(told: object) -> tuple[str, ...]:
    return tuple(str(word) for word in told) if isinstance(told, tuple | list) else ()


def _ports(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        raise LineConfigError(f"Expected RTP ports like 10000-10999, got {text!r}.")
    return int(first), int(last)


def _credentials(text: str) -> dict[str, str]:
    pairs = [pair.strip().partition(":") for pair in text.split(",") if pair.strip()]
    if any(not user or not password for user, _, password in pairs):
        raise LineConfigError(f"Expected {CREDENTIALS} like alice:secret,bob:word.")
    return {user: password for user, _, password in pairs}


def _trunk(text: str, auth_user: str, expires_s: int) -> Trunk:
    user, at, host = text.removeprefix("sip:").rpartition("@")
    if not user or not at:
        raise LineConfigError(f"Expected a trunk like bot@trunk.example:5060, got {text!r}.")
    password = os.environ.get(TRUNK_PASSWORD, "")
    return Trunk(user, Address.parse(host), password, auth_user, expires_s)


def _secrets() -> list[str]:
    given = [os.environ.get(name, "") for name in (WORKER_PASSWORD, TRUNK_PASSWORD)]
    credentials = _credentials(os.environ.get(CREDENTIALS, ""))
    return [secret for secret in (*given, *credentials.values()) if secret]


async def _serve(config: LineConfig) -> None:
    """Until SIGTERM or SIGINT; calls in progress get a BYE."""
    try:
        from app.sip_line.line import open_line  # noqa: PLC0415 - the stack is an extra
    except ModuleNotFoundError as error:
        raise Failure("The SIP stack is not installed: pip install 'earshot[sip]'") from error
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with open_line(config) as serving:
            click.echo(f"SIP on {config.listen.host}:{serving.port} (UDP), calls go to a worker.")
            await stop.wait()
    except OSError as error:
        raise Failure(
            f"{config.listen.host}:{config.listen.port} cannot be had ({error.strerror}). "
            "Is another SIP program there? Say another with --listen."
        ) from error
