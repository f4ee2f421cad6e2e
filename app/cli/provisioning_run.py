"""A plan made of what is there and what is wanted, shown, and carried out if it is asked for."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from app.carriers.twilio.errors import TwilioError
from app.carriers.twilio.provisioning import Provisioning
from app.carriers.twilio.public_url import STATUS_PATH, VOICE_PATH, PublicUrl
from app.carriers.twilio.rest import TwilioRest
from app.cli.failure import Failure
from app.cli.provisioning_view import show_done, show_plan
from app.provisioning.planning import Plan, plan
from app.provisioning.resources import Key, Present, Ref, Wanted
from app.provisioning.wanted import Ours
from app.settings import Settings

Check = Callable[[Plan], None]
"""Looks at a plan before it is carried out; raises what `told_plainly` tells."""


@dataclass(frozen=True, slots=True)
class Options:
    """`group`: the command, for hints."""

    group: str
    delete: bool = False
    applies: bool = False
    yes: bool = False


def ours_of(settings: Settings) -> Ours:
    """Where Twilio finds this bot."""
    url = PublicUrl.parse(settings.public_url)
    return Ours(
        voice=lambda agent: url.webhook(VOICE_PATH, {"agent": agent} if agent else None),
        status=url.webhook(STATUS_PATH),
    )


def every_number(settings: Settings) -> list[Present]:
    """All of the account. Raises `TwilioError`."""

    async def ask() -> list[Present]:
        async with _client(settings) as rest:
            return await Provisioning(rest).numbers()

    return asyncio.run(ask())


def run(
    settings: Settings, wanted: Sequence[Wanted], options: Options, check: Check = lambda plan: None
) -> None:
    """Raises `Failure` where something is left to do that was asked for, and `TwilioError`."""
    asyncio.run(_run(settings, wanted, options, check))


async def _run(
    settings: Settings, wanted: Sequence[Wanted], options: Options, check: Check
) -> None:
    console = Console()
    async with _client(settings) as rest:
        account = Provisioning(rest)
        present = await account.present([key for one in wanted for key in (one.key, *_refs(one))])
        made = plan(wanted, present, delete=options.delete)
        show_plan(made, options.group, console)
        if options.applies and made.actions:
            check(made)
            if not options.yes:
                raise Failure("Nothing was changed. Add --yes to do this.")
            await _apply(account, made, options, console)
    if made.problems:
        raise Failure(f"{len(made.problems)} to be mended by you, see above.")


def _refs(wanted: Wanted) -> list[Key]:
    values = (*wanted.fields.values(), *wanted.given.values())
    return [value.key for value in values if isinstance(value, Ref)]


async def _apply(account: Provisioning, made: Plan, options: Options, console: Console) -> None:
    for number, action in enumerate(made.actions):
        try:
            await account.carry_out(action)
        except TwilioError as error:
            raise Failure(
                f"{action.key.kind} {action.key.shown}: {error}\n"
                f"{number} of {len(made.actions)} were done. Run `earshot {options.group} apply` "
                "again: it goes on with what is left."
            ) from error
        show_done(action, console)


def _client(settings: Settings) -> TwilioRest:
    return TwilioRest(
        settings.twilio_account_sid,
        settings.twilio_auth_tokens[0],
        public_url=settings.public_url,
        api_url=settings.twilio_api_url,
        timeout_s=settings.twilio_timeout_s,
    )
