"""`earshot lab`: the telephone and the model of the demo, for bots of any make."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click
import uvloop

from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.cli.lab_caller import VOICES, InOrder, acts, caller_flags, steps
from app.cli.lab_carrier import carrier
from app.cli.lab_line import impairments, line_flags
from app.cli.lab_people import people_flags
from app.demo.stage import CALLED, LAB_ACCOUNT, LAB_KEY
from app.lab.phone.account import Account
from app.lab.phone.line import PhoneLine
from app.lab.phone.people import Callee
from app.lab.phone.report import CallReport, LineEvent
from app.lab.phone.rest import TwilioRest
from app.lab.phone.script import Script
from app.lab.realtime.server import LabRealtime
from app.lab.speech.dialog import ScriptedBrain
from app.lab.speech.ear import SphinxEar
from app.lab.speech.mouth import OfflineMouth
from app.lab.speech.script import load_dialog


@click.group("lab")
def command() -> None:
    """A telephone and a realtime model made of software."""


command.add_command(carrier)


@command.command("call", cls=InOrder)
@click.argument("voice_url")
@caller_flags
@click.option(
    "--voice",
    type=click.Choice(VOICES),
    help="One person's clips for all that the caller says of itself; default: anybody's.",
)
@click.option(
    "--background",
    type=click.Choice(("comfort", "silence")),
    default="comfort",
    help="What the line carries while nobody speaks; default: comfort noise.",
)
@people_flags
@line_flags
@click.option("--seed", default=0, help="Of all chance: the same seed, the same caller and line.")
@click.option("--limit", "limit_s", default=120, metavar="S", help="Hangs up after so many s.")
@click.option("--account-sid", default="", help="Default: TWILIO_ACCOUNT_SID.")
@click.option("--auth-token", default="", help="Signs as Twilio does. Default: TWILIO_AUTH_TOKEN.")
@click.option("--wav", type=click.Path(dir_okay=False, path_type=Path), help="Record to this WAV.")
@click.pass_context
def call(
    ctx: click.Context,
    /,
    voice_url: str,
    voice: str | None,
    background: Literal["comfort", "silence"],
    seed: int,
    limit_s: int,
    account_sid: str,
    auth_token: str,
    wav: Path | None,
    caller: str,
    people: Mapping[str, Callee],
    api_port: int | None,
    **flags: Any,
) -> None:
    """Call the bot whose voice webhook is VOICE_URL, as Twilio would.

    The caller waits for the greeting, does what the flags from --say to --silence tell, in the
    order in which they are given and as often, and hangs up.

    Prints what happens, then the outcome as JSON. Exits 0 if the caller could do all of it and
    nothing went wrong that Twilio would report.
    """
    with told_plainly():
        settings = configured()
        auth_token = auth_token or next(iter(settings.twilio_auth_tokens), "")
        if not auth_token:
            raise Failure("No token to sign with: give --auth-token, or set TWILIO_AUTH_TOKEN.")
        try:
            does = steps(acts(ctx), seed, voice)
        except ValueError as error:
            raise Failure(str(error)) from error
    account = Account(
        account_sid=account_sid or settings.twilio_account_sid or LAB_ACCOUNT,
        auth_token=auth_token,
        people=people,
        impairments=impairments(seed, flags),
        on_event=_show,
    )
    script = Script(does, background=background, limit_ms=limit_s * 1000)
    report = uvloop.run(_called(account, voice_url, script, caller, api_port))
    if wav is not None:
        report.recording.write_wav(wav)
    click.echo(json.dumps(_outcome(report), indent=2))
    raise SystemExit(0 if report.as_scripted else 1)


async def _called(
    account: Account, voice_url: str, script: Script, caller: str, api_port: int | None
) -> CallReport:
    line = PhoneLine(voice_url, account=account)
    if api_port is None:
        return await line.call(script, from_=caller, to=CALLED)
    async with TwilioRest(account=account, port=api_port):
        return await line.call(script, from_=caller, to=CALLED)


@command.command("model")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8090, show_default=True, type=click.IntRange(1, 65535))
@click.option("--key", default=LAB_KEY, show_default=True, help="The API key that is accepted.")
@click.option(
    "--dialog",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A dialog file of your own; default: the restaurant's.",
)
def model(host: str, port: int, key: str, dialog: Path | None) -> None:
    """Serve OpenAI's Realtime endpoint from this machine until stopped."""
    with told_plainly():
        script = load_dialog(dialog) if dialog is not None else load_dialog()

        async def run() -> None:
            async with (
                SphinxEar() as ear,
                OfflineMouth() as mouth,
                LabRealtime(
                    host,
                    port,
                    api_key=key,
                    brain_factory=lambda: ScriptedBrain(script),
                    ear=ear,
                    mouth=mouth,
                ) as served,
            ):
                click.echo(f"OPENAI_BASE_URL={served.base_url}")
                click.echo(f"OPENAI_API_KEY={key}")
                await asyncio.Event().wait()

        try:
            uvloop.run(run())
        except KeyboardInterrupt:
            return


def _show(event: LineEvent) -> None:
    click.echo(f"{event.at_ms:>7} ms  {event.kind:<15} {event.text}".rstrip(), err=True)


def _outcome(report: CallReport) -> dict[str, object]:
    return {
        "call_sid": report.identity.call_sid,
        "status": report.status,
        "ended_by": report.ended_by,
        "duration_ms": report.duration_ms,
        "verbs": [verb.name for verb in report.verbs],
        "errors": [f"{error.code or 'lab'}: {error.detail}" for error in report.errors],
        "unfinished_steps": len(report.unfinished),
        "dialled": [
            {
                "to": leg.identity.to,
                "status": leg.status,
                "heard": [one.text or one.kind for one in leg.heard],
            }
            for leg in report.dialled
        ],
        "spoken": [
            {
                "kind": spoken.kind,
                "text": spoken.text,
                "onset_ms": round(spoken.onset_ms),
                "end_ms": round(spoken.end_ms),
            }
            for spoken in report.spoken
        ],
        "streams": [
            {
                "heard_ms": stream.played.position // 8,
                "underruns": len(stream.played.underruns()),
                "clears": len(stream.played.clears),
                "faults": [str(fault) for fault in stream.faults],
            }
            for stream in report.streams
        ],
    }
