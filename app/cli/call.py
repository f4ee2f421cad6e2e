"""`earshot call`"""

import asyncio
from collections.abc import Mapping
from typing import Literal

import click

from app.agents import Agent, load_agent
from app.call.events import OnAnswer
from app.calls_placed import Wanted, place
from app.carriers.twilio.sip_reference import with_more
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.policy.destinations import By, Cleared, Purpose, judge
from app.policy.numbers import Number, read_number
from app.policy.sip_uris import HEADER_NAME
from app.rules import destination_rules
from app.ways import targets_of


@click.command("call")
@click.argument("to")
@click.option("--from", "from_", default="", help="Caller ID; default: EARSHOT_FROM_NUMBER.")
@click.option("--agent", default="", help="Who speaks; default: EARSHOT_AGENT.")
@click.option("--ring", "ring_s", default=60, show_default=True, help="Seconds to let it ring.")
@click.option("--var", "variables", multiple=True, help="NAME=VALUE for the agent's {{NAME}}.")
@click.option(
    "--on-machine",
    type=click.Choice(["message", "hang_up", "talk"]),
    help="Have the carrier tell who answers, and do this when it is a machine.",
)
@click.option("--header", "headers", multiple=True, help="NAME=VALUE, a header for a SIP system.")
@click.option("--message", default="", help="What is left on a machine, after the beep.")
def command(
    to: str,
    from_: str,
    agent: str,
    ring_s: int,
    variables: tuple[str, ...],
    on_machine: Literal["message", "hang_up", "talk"] | None,
    headers: tuple[str, ...],
    message: str,
) -> None:
    """Call TO (+ and digits, or a sip: address) and let an agent speak.

    A sip: address must be one that the agent's [policy] lets calls reach.

    Twilio places the call, or your own PBX (EARSHOT_CALLS_OUT); a running `earshot serve` carries
    it. Prints the call's id and its status.
    """
    with told_plainly():
        settings = configured()
        settings.require(*settings.needed_to_place)
        if settings.places_by == "pbx":
            _refuse_what_a_pbx_cannot(on_machine, headers)
        who = agent or settings.agent
        speaker = load_agent(who)
        caller_id = from_ or settings.from_number
        if not caller_id:
            raise Failure("No caller ID: give --from +1..., or set EARSHOT_FROM_NUMBER.")
        to = _destination(speaker, to, caller_id, dict(_header(header) for header in headers))
        given = dict(_pair(variable) for variable in variables)
        on_answer = _on_answer(on_machine, message)
        wanted = Wanted(
            to=to,
            from_=caller_id,
            agent=who,
            ring_s=ring_s,
            variables=given,
            on_answer=on_answer,
        )
        call_id, status = asyncio.run(place(settings, wanted))
    click.echo(f"{call_id} {status}")


def _refuse_what_a_pbx_cannot(on_machine: str | None, headers: tuple[str, ...]) -> None:
    if on_machine is not None:
        raise Failure(
            "--on-machine: your PBX does not tell who answers. Give --message TEXT alone: it is "
            "left after a beep that the bot hears itself (docs/answering-machines.md)."
        )
    if headers:
        raise Failure(
            "--header: calls over your PBX carry the headers that its dialplan sets. Add them in "
            "the context earshot-out of extensions.conf with PJSIP_HEADER()."
        )


def _destination(agent: Agent, to: str, caller_id: str, headers: Mapping[str, str]) -> str:
    """As it is dialled. The policy looks at SIP addresses only: a number is the operator's word."""
    if not to.lower().startswith(("sip:", "sips:")):
        if headers:
            raise Failure("--header goes with a sip: address only.")
        return to
    own = (caller_id,) if isinstance(read_number(caller_id), Number) else ()
    rules = destination_rules(agent, own, targets_of(agent))
    verdict = judge(rules, to, purpose=Purpose.DIAL, by=By.OPERATOR)
    if not isinstance(verdict, Cleared):
        raise Failure(f"{agent.name} may not call that address ({verdict.rule}): {verdict.reason}")
    return with_more(verdict.uri, headers)


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and HEADER_NAME.fullmatch(name)):
        raise Failure("--header: expected NAME=VALUE with a name X-... or User-to-User.")
    if not (value.isascii() and value.isprintable() and value):
        raise Failure("--header: expected a value of printable ASCII in one line.")
    return name, value


def _on_answer(
    on_machine: Literal["message", "hang_up", "talk"] | None, message: str
) -> OnAnswer | None:
    if message and on_machine not in (None, "message"):
        raise Failure("--message goes with --on-machine message only.")
    if on_machine == "message" and not message:
        raise Failure("--on-machine message: say what with --message TEXT.")
    if on_machine is None and not message:
        return None
    return OnAnswer(on_machine or "message", message)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals):
        raise Failure("--var: expected NAME=VALUE with a name of letters, digits and _.")
    return name, value
