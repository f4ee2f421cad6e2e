"""Where a call's tools are put together: those of who speaks, as far as the caller is trusted, run
once, and with a telephone behind them that the policy stands in front of."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from functools import partial

from app.bridge.call_bridge import CallBridge
from app.bridge.once import OnceTools, UnderWay
from app.call.arrival import Arrival
from app.call.events import StreamStarted
from app.call.facts import CallFacts, number_of
from app.call_tools import CallTools
from app.care.desk import LineOf
from app.cast import Cast
from app.departments import Departments
from app.dial_book import DialBook
from app.gate import Who
from app.keeping import keeping, with_callbacks
from app.live import Live
from app.onward.ways import How
from app.opting_out import OptOutKey
from app.persona import Persona
from app.policy.destinations import Cleared
from app.policy.trust import Proof, Trust, by_sip_origin, by_verstat, level
from app.rules import doors
from app.telephone_line import NeverCall, Offices, TelephoneLine
from app.text.desk import CallOver
from app.tools.current_call import CurrentCall
from app.tools.toolbox import Source


class ToolRoom:
    """One for a worker. `saved`: awaited until what a tool brought is where others find it.
    `dials`: keeps when people whom campaigns call want to be called back."""

    def __init__(
        self,
        departments: Departments,
        live: Live | None,
        saved: Callable[[], Awaitable[object]],
        dials: DialBook | None = None,
    ) -> None:
        self._departments = departments
        self._dials = dials
        self._live = live
        self._saved = saved
        self._under_way = UnderWay()
        self._casts: dict[CallBridge, Cast] = {}

    def begun(self, bridge: CallBridge, cast: Cast) -> None:
        """The call stands; it may need the tools of who speaks in it until it is over."""
        self._casts[bridge] = cast

    def sources(self, calls: Collection[CallBridge]) -> Iterator[Source]:
        """What the tools of these calls come from; they are all that run here."""
        running = set(calls)
        self._casts = {bridge: cast for bridge, cast in self._casts.items() if bridge in running}
        for cast in self._casts.values():
            for part in cast.parts:
                yield from part.persona.tools.sources

    def tools(
        self, cast: Cast, arrival: Arrival, started: StreamStarted, bridge: Callable[[], CallBridge]
    ) -> OnceTools:
        """What this call may do. `bridge`: the call, once it stands."""
        gate, care = self._departments.gate, self._departments.care
        call_id, facts = started.call_id, arrival.facts
        caller, own = number_of(facts.party), number_of(facts.line)

        def speaker() -> str:
            """Who speaks now, by name; "": who began."""
            return bridge().call.handover.speaker

        def who() -> Who:
            chosen_as = cast.part(speaker()).chosen_as
            return Who(call_id, chosen_as, caller, own, started.direction)

        def how(key: str) -> How | None:
            way = cast.part(speaker()).persona.ways.transfers.get(key)
            return None if way is None else way.how

        offices = self._offices(who, started, bridge, facts.attempt_id)
        by_sip = facts.origin == "sip"
        line = TelephoneLine(gate, who, offices, how=how, by_sip=by_sip, lacks=arrival.lacks)
        chosen_as = cast.first.chosen_as
        current = CurrentCall(call_id, chosen_as, started.direction, caller, own, line)
        tools = CallTools(
            lambda: cast.part(speaker()),
            current,
            lambda persona: trust_of(persona, facts, bridge().call.proofs),
            lambda name, verdict: gate.decided(call_id, f"tool:{name}", name, verdict, "model"),
        )
        caring = care.tools(
            tools,
            call_id,
            lambda: cast.part(speaker()).persona.agent.abuse,
            lambda: LineOf(bridge()),
        )
        runs = None if self._live is None else self._live.tool_runs
        return OnceTools(caring, call_id, runs, self._under_way, self._saved)

    def _offices(
        self,
        who: Callable[[], Who],
        started: StreamStarted,
        bridge: Callable[[], CallBridge],
        attempt_id: str,
    ) -> Offices:
        texting = self._departments.texting

        async def send_text(to: Cleared, text: str, key: str) -> bool:
            return await texting.send(who(), to, text)

        async def begin_text(key: str) -> str:
            now = who()
            snapshot = bridge().call.snapshot()
            return await texting.begin(
                CallOver(now.call_sid, snapshot, now.agent, now.caller, now.own)
            )

        return Offices(
            send_text=send_text,
            begin_text=begin_text,
            keep=with_callbacks(
                keeping(
                    self._departments.outgoing,
                    lambda: (who().agent, started.call_id),
                    started.direction,
                ),
                self._dials,
                attempt_id,
            ),
            never_call=self._never_call(who),
        )

    def _never_call(self, who: Callable[[], Who]) -> NeverCall | None:
        opting_out = self._departments.opting_out
        if opting_out is None:
            return None
        return lambda number: opting_out.said(number, who().call_sid, who().agent)

    def opt_out_key(self, facts: CallFacts, started: StreamStarted) -> OptOutKey | None:
        """Watches a call of ours for the key; None: it means nothing in this one."""
        opting_out, number = self._departments.opting_out, number_of(facts.party)
        if opting_out is None or started.direction != "outbound" or not number.startswith("+"):
            return None
        return OptOutKey(partial(opting_out.pressed, number, started.call_id, started.agent))


def trust_of(persona: Persona, facts: CallFacts, proofs: Collection[str] = ()) -> Trust:
    """How far the caller is trusted, by the doors of this agent: by what the carrier says, and by
    what they proved in this call. What they say counts for nothing."""
    by_network = by_verstat(facts.stir_verstat)
    by_door = by_sip_origin(doors(persona.agent), facts.sip_domain, facts.source_ip)
    return level(by_network, by_door, proofs=Proof.known(proofs))
