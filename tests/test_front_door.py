"""A call has a place or is told what the operator wants, every refusal is counted with its reason,
a call that goes on keeps its place, and one that is over gives it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast, get_args

import pytest

from app.after.intake import AfterCalls
from app.bridge.call_bridge import CallBridge
from app.bridge.switchboard import NoRoom, Switchboard
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import Direction
from app.carriers.twilio.door import Admission, Ending, OfferedCall
from app.carriers.twilio.progress import CallProgress, CallState
from app.files import Files
from app.front_door import REFUSALS, WHEN_FULL, Endings, FrontDoor
from app.live import Live
from app.observe.metrics import Metrics
from app.onward.happenings import Say
from app.settings import Settings
from tests.observe.metered import samples

AGENT = """
instructions = "You answer."
[hours]
timezone = "Europe/London"
when_closed = "message"
message = "Shut."
[hours.week]
monday = ["09:00-17:00"]
"""
SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FROM, TO = "+14155550100", "+14155550199"


@dataclass
class After:
    """What after-call work was told."""

    offers: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    overs: list[tuple[str, str, int | None]] = field(default_factory=list)

    def offered(self, call_id: str, **about: str) -> None:
        self.offers.append((call_id, about))

    def call_over(self, call_id: str, *, state: str, duration_s: int | None) -> None:
        self.overs.append((call_id, state, duration_s))


@dataclass
class Elsewhere:
    """As much of `Live` as endings need: what another worker wrote."""

    endings: Mapping[str, tuple[str, str]]

    @property
    def calls(self) -> "Elsewhere":
        return self

    async def ending_of(self, call_id: str) -> tuple[str, str] | None:
        return self.endings.get(call_id)


@dataclass
class Stream:
    """As much of a call as a switchboard needs."""

    call_id: str

    def hang_up(self, by: str) -> None:
        """It has not ended yet."""


class House:
    """A front door with all that stands behind it."""

    def __init__(
        self,
        folder: Path,
        most: int = 1,
        when_full: str = "apologise",
        elsewhere: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        agent = folder / "house.toml"
        agent.write_text(AGENT, encoding="utf-8")
        given = {"openai_api_key": "sk-test", "agent": str(agent), "when_full": when_full}
        settings = Settings.model_validate(given)
        self.agent = settings.agent
        self.board, self.metrics, self.after = Switchboard(most), Metrics(), After()
        live = None if elsewhere is None else cast(Live, Elsewhere(elsewhere))
        self.endings = Endings(self.board, live)
        self.door = FrontDoor(
            settings,
            Files(settings),
            self.board,
            self.endings,
            self.metrics,
            cast(AfterCalls, self.after),
        )

    def call(self, call_id: str = "CA1", direction: Direction = "inbound") -> OfferedCall:
        return OfferedCall(call_id, self.agent, direction, FROM, TO)

    def stream(self, call_id: str = "CA1") -> CallBridge:
        stream = cast(CallBridge, Stream(call_id))
        self.board.connected(stream)
        return stream


async def test_a_call_that_is_let_in_has_a_place_and_after_call_work_knows(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert await house.door.admit(house.call()) == "open"
    assert house.board.offered == 1
    about = {"agent": house.agent, "direction": "inbound", "caller": FROM, "called": TO}
    assert house.after.offers == [("CA1", about)]


@pytest.mark.parametrize(("when_full", "admission"), WHEN_FULL.items())
async def test_without_a_place_a_call_meets_what_the_operator_wants(
    tmp_path: Path, when_full: str, admission: Admission
) -> None:
    house = House(tmp_path, when_full=when_full)
    house.board.offer("CA0")
    assert await house.door.admit(house.call()) == admission
    assert house.after.offers == []
    assert samples(house.metrics) == {'earshot_calls_refused_total{why="full"}': 1}


async def test_a_refusal_is_counted_with_its_reason(tmp_path: Path) -> None:
    assert REFUSALS.keys() == set(get_args(NoRoom))
    house = House(tmp_path)
    house.board.draining = True
    await house.door.admit(house.call())
    assert samples(house.metrics) == {'earshot_calls_refused_total{why="draining"}': 1}


async def test_a_call_that_is_over_gives_its_place_back(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.door.admit(house.call())
    await house.door.progressed(CallProgress("CA1", CallState.RINGING, 1))
    assert (house.board.offered, house.after.overs) == (1, [])
    await house.door.progressed(CallProgress("CA1", CallState.COMPLETED, 3, duration_s=7))
    assert (house.board.offered, house.after.overs) == (0, [("CA1", "completed", 7)])


@pytest.mark.parametrize(
    ("reason", "seats"),
    [(EndReason.CARRIER_LOST, 1), (EndReason.DRAINED, 1), (EndReason.AGENT_HUNG_UP, 0)],
)
async def test_only_a_call_whose_stream_comes_again_keeps_a_place(
    tmp_path: Path, reason: EndReason, seats: int
) -> None:
    house = House(tmp_path)
    house.board.ended(house.stream(), EndCall(reason, "why"))
    assert await house.endings.of("CA1") == Ending(reason, "why")
    assert house.board.offered == 0, "to know it is not to go on"
    assert await house.door.ending_of("CA1") == Ending(reason, "why")
    assert house.board.offered == seats


async def test_a_call_of_which_nobody_knows_keeps_a_place(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert await house.door.ending_of("CA1") is None
    assert house.board.offered == 1


async def test_nobody_gets_a_place_on_a_worker_that_leaves_alone(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.board.move_calls()
    assert house.door.alone_and_leaving()
    await house.door.ending_of("CA1")
    assert house.board.offered == 0


async def test_an_ending_is_known_wherever_it_was(tmp_path: Path) -> None:
    written = {
        "CA1": ("handed_on", "a plan"),
        "CA2": ("a reason of a newer version", ""),
        "CA3": ("drained", "there"),
    }
    house = House(tmp_path, elsewhere=written)
    house.board.ended(house.stream("CA3"), EndCall(EndReason.AGENT_HUNG_UP, "here"))
    assert await house.endings.of("CA1") == Ending(EndReason.HANDED_ON, "a plan")
    assert await house.endings.of("CA2") is None
    assert await house.endings.of("CA3") == Ending(EndReason.AGENT_HUNG_UP, "here")
    assert await house.endings.of("CA4") is None


async def test_who_calls_outside_the_hours_is_told_so_and_whom_we_call_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    monkeypatch.setattr("app.front_door.now", lambda: SUNDAY)
    assert await house.door.closed(house.call()) == Say("Shut.")
    assert await house.door.closed(house.call(direction="outbound")) is None
    monkeypatch.setattr("app.front_door.now", lambda: MONDAY)
    assert await house.door.closed(house.call()) is None
