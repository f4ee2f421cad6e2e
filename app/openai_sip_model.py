"""The only session of a call that OpenAI's SIP connector carries: taken, then joined."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.beginning import Beginning
from app.call.commands import OpenLeg
from app.call.events import CarrierClosed, CloseCause, ModelClosed, Snapshot
from app.call.phases import CallSettings
from app.carriers.line import Hears
from app.carriers.openai_sip.rest import Calls, Done
from app.models.never_opened import NeverOpened
from app.models.openai_client_events import accepted_session
from app.models.openai_connect import Credentials
from app.models.openai_sideband import (
    SIDEBAND,
    Joined,
    Sideband,
    SidebandLimits,
    open_sideband,
)
from app.models.ports import ModelSession, ServerVad
from app.persona import Persona
from app.served import WITHOUT, served_config, served_settings
from app.sessions import Sessions


@dataclass(slots=True)
class SipCall:
    """What is known of one call across the streams that carry it."""

    call_id: str
    on_asked: Callable[[], None] = lambda: None
    """From now on it may talk, whatever becomes of us."""
    began_s: float = field(default_factory=time.time)
    """Unix seconds."""
    asked: bool = False
    """It was asked for, so it may be ours to end, whatever the answer was."""
    accepted: bool = False
    elsewhere: bool = False
    """Another worker goes on with it."""
    told: set[str] = field(default_factory=set)
    """Tool calls whose output the model has been told."""


@dataclass(slots=True)
class SipModel:
    """One stream of the call: see `app.served.Served`."""

    call: SipCall
    rest: Calls
    sessions: Sessions
    credentials: Credentials
    limits: SidebandLimits
    left: Snapshot | None = None
    hears: Hears | None = None
    """The call, once it stands."""
    session: Sideband | None = None

    def settings(self, persona: Persona) -> CallSettings:
        age_ms = round((time.time() - self.call.began_s) * 1_000)
        return served_settings(persona, age_ms=max(0, age_ms) if self.left is not None else 0)

    def clear_output(self) -> None:
        """Have the caller hear nothing more of what is being said."""
        if self.session is not None:
            self.session.clear_output()

    async def open(self, begun: Beginning, leg: OpenLeg) -> ModelSession:
        """Never raises for what went wrong with the vendor: that session never opened."""
        if leg.leg > 1:
            return _never("failed", "the call has one session, and it is gone")
        choice = begun.persona.models[0]
        part = begun.cast.first
        config = served_config(await self.sessions.config(choice, part, begun.about, leg))
        fresh = not self.call.accepted
        if fresh:
            self.call.asked = True
            self.call.on_asked()
            done = await self.rest.accept(self.call.call_id, accepted_session(config))
            if done != "done":
                return self._not_accepted(done)
            self.call.accepted = True
        turns = config.turn_detection
        joined = Joined(
            self.call.call_id,
            config.model,
            instructions=config.instructions,
            silence_ms=turns.silence_duration_ms if isinstance(turns, ServerVad) else 0,
            without=WITHOUT,
            told=self.call.told,
            fresh=fresh,
        )
        session = await open_sideband(joined, self.credentials, sideband=self.limits)
        match session:
            case CarrierClosed():
                return self._gave_up()
            case ModelClosed():
                return NeverOpened(session, SIDEBAND)
        self.session = session
        return session

    def _not_accepted(self, done: Done) -> ModelSession:
        if done == "gone":
            return self._gave_up()
        return _never("refused", "the call could not be accepted")

    def _gave_up(self) -> ModelSession:
        """The caller, before we were there."""
        if self.hears is not None:
            self.hears.carrier_closed("hangup", "before the call was joined")
        return _never("refused", "the caller has hung up")


def _never(cause: CloseCause, detail: str) -> NeverOpened:
    return NeverOpened(ModelClosed(cause, detail), SIDEBAND)
