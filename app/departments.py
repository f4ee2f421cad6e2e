"""The parts of a worker beside the calls themselves, made from its settings: who clears what goes
out, who looks after callers and records, who writes messages, who sends calls on."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from app.agents.variables import headers_out
from app.beyond import Beyond
from app.briefing import now
from app.call.facts import CallFacts
from app.care.desk import CareDesk
from app.care.screening import ScreenSettings
from app.carriers.twilio.door import Ending
from app.desk import Desk
from app.files import Files
from app.gate import Gate
from app.live import Live
from app.observe.metrics import Metrics
from app.opting_out import OptingOut
from app.outgoing.outgoing import Outgoing
from app.policy.limits import Counters
from app.rest_line import RestLine
from app.settings import Settings
from app.telling import Telling
from app.texting import Around, Texting
from app.waiting_room import OutcomesHere, WaitingRoom


@dataclass(frozen=True, slots=True)
class Departments:
    """What a call may need besides its models."""

    gate: Gate
    care: CareDesk
    texting: Texting
    outgoing: Outgoing | None
    """None: nobody is told of anything."""
    opting_out: OptingOut | None = None
    """None: there is no do-not-call list."""


def make_departments(
    settings: Settings,
    files: Files,
    metrics: Metrics,
    rest: RestLine,
    beyond: Beyond,
) -> Departments:
    live, outgoing = beyond.live, beyond.outgoing
    care = _make_care(settings, live, rest)
    gate = _make_gate(settings, files, live, care)
    texting = _make_texting(settings, files, metrics, gate, rest, live)
    if outgoing is not None:
        texting.tell(outgoing.emit)
    return Departments(gate, care, texting, outgoing, _opting_out(beyond, texting, gate))


def _opting_out(beyond: Beyond, texting: Texting, gate: Gate) -> OptingOut | None:
    if beyond.do_not_call is None:
        return None
    opting_out = OptingOut(beyond.do_not_call, texting.opt_outs, gate)
    texting.opt_outs.told = opting_out.wrote
    return opting_out


def _make_care(settings: Settings, live: Live | None, rest: RestLine) -> CareDesk:
    screening = ScreenSettings(
        blocked=settings.when_blocked,
        anonymous=settings.anonymous,
        most_calls=settings.caller_calls,
        window_s=settings.caller_window_s,
    )
    return CareDesk(
        settings.data_dir,
        screening,
        blocked=Path(settings.blocked) if settings.blocked else None,
        keeps_records=settings.record_events,
        live=live,
        rest=rest,
    )


def _make_gate(settings: Settings, files: Files, live: Live | None, care: CareDesk) -> Gate:
    limits = None if live is None else limits_of(settings, live)
    keep, own = care.decisions.keep, settings.from_number
    return Gate(files.personas, limits, keep, own_number=own)


def limits_of(settings: Settings, live: Live) -> Counters:
    """What is counted by numbers is kept under keyed digests, with one key for all workers."""
    token = settings.digest_keys[0].encode()
    return live.limits(hmac.digest(token, b"earshot limits, version 1", "sha256"))


def _make_texting(
    settings: Settings,
    files: Files,
    metrics: Metrics,
    gate: Gate,
    rest: RestLine,
    live: Live | None,
) -> Texting:
    return Texting(
        Around(
            settings=settings,
            personas=files.personas,
            metrics=metrics,
            prices=lambda: files.prices,
            gate=gate,
            rest=rest,
            live=live,
            agent_for=lambda ours: files.route(CallFacts(to_number=ours)) or settings.agent,
        )
    )


def make_desk(
    files: Files,
    departments: Departments,
    rest: RestLine,
    live: Live | None,
    ending_of: Callable[[str], Awaitable[Ending | None]],
    from_number: str = "",
) -> Desk:
    """`from_number`: shown to people where the line has no number."""
    outcomes = OutcomesHere() if live is None else live.outcomes
    return Desk(
        ways=lambda agent: files.personas.get(agent).ways,
        gate=departments.gate,
        waiting=WaitingRoom(rest, ending_of, outcomes),
        send_text=departments.texting.send,
        telling=Telling(departments.outgoing),
        from_number=from_number,
        headers=lambda agent, key, facts: headers_out(
            files.personas.get(agent).agent, key, facts, now
        ),
    )
