"""`earshot call`"""

import asyncio
from collections.abc import Mapping

import click

from app.agents import load_agent
from app.carriers.twilio.rest import CallInfo, TwilioRest
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.settings import Settings


@click.command("call")
@click.argument("to")
@click.option("--from", "from_", default="", help="Caller ID; default: EARSHOT_FROM_NUMBER.")
@click.option("--agent", default="", help="Who speaks; default: EARSHOT_AGENT.")
@click.option("--ring", "ring_s", default=60, show_default=True, help="Seconds to let it ring.")
@click.option("--var", "variables", multiple=True, help="NAME=VALUE for the agent's {{NAME}}.")
def command(to: str, from_: str, agent: str, ring_s: int, variables: tuple[str, ...]) -> None:
    """Call TO (+ and digits, or a sip: address) and let an agent speak.

    A running `earshot serve` at PUBLIC_URL carries the call. Prints the CallSid and its status.
    """
    with told_plainly():
        settings = configured("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL")
        who = agent or settings.agent
        load_agent(who)
        caller_id = from_ or settings.from_number
        if not caller_id:
            raise Failure("No caller ID: give --from +1..., or set EARSHOT_FROM_NUMBER.")
        given = dict(_pair(variable) for variable in variables)
        placed = asyncio.run(_place(settings, to, caller_id, who, ring_s, given))
    click.echo(f"{placed.call_sid} {placed.status}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals):
        raise Failure("--var: expected NAME=VALUE with a name of letters, digits and _.")
    return name, value


async def _place(
    settings: Settings,
    to: str,
    caller_id: str,
    agent: str,
    ring_s: int,
    variables: Mapping[str, str],
) -> CallInfo:
    async with TwilioRest(
        settings.twilio_account_sid,
        settings.twilio_auth_tokens[0],
        public_url=settings.public_url,
        api_url=settings.twilio_api_url,
        timeout_s=settings.twilio_timeout_s,
    ) as rest:
        return await rest.place_call(to, caller_id, agent, ring_s=ring_s, variables=variables)
