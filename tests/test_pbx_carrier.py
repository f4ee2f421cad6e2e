"""Whatever a PBX makes of an order, campaigns are told what they may rely on: placed, not placed,
or that nobody knows; and never that a call was not there which may be over."""

from typing import Any

import pytest

from app.call.events import OnAnswer
from app.campaigns.ports import (
    Carrier,
    FateUnknownError,
    LiveCalls,
    NotPlacedError,
    Order,
    Seen,
)
from app.carriers.asterisk.ari import Ari, AriError, Channel, Originate, Trouble
from app.carriers.asterisk.placed import PlacedSeals
from app.pbx_carrier import (
    AWAY_AGAIN_MS,
    CONFIGURED_AGAIN_MS,
    ITS_OWN_TRUNK,
    PbxCarrier,
    ari_of,
)
from app.settings import Settings

ATTEMPT = "0123456789abcdef" * 2
SEALS = PlacedSeals(["a-password-of-16"])


class ToldAri(Ari):
    """`answer`: what comes of the next order; `lives`: what channels there are."""

    def __init__(
        self, answer: AriError | None = None, lives: list[Channel] | AriError | None = None
    ) -> None:
        super().__init__("http://127.0.0.1:9", "bot", "x")
        self.answer = answer
        self.lives = [] if lives is None else lives
        self.orders: list[Originate] = []

    async def originate(self, order: Originate) -> None:
        self.orders.append(order)
        if self.answer is not None:
            raise self.answer

    async def channels(self) -> list[Channel]:
        if isinstance(self.lives, AriError):
            raise self.lives
        return self.lives

    async def channel(self, channel_id: str) -> Channel | None:
        return next((one for one in await self.channels() if one.id == channel_id), None)

    async def hang_up(self, channel_id: str) -> None:
        await self.channels()


def order(**more: Any) -> Order:
    given: dict[str, Any] = {
        "attempt_id": ATTEMPT,
        "to": "+15550100001",
        "from_": "+15550100002",
        "agent": "sales",
        "ring_s": 25,
        "detect_machine": True,
        "variables": {"name": "Ada"},
    }
    return Order(**given | more)


def carrier(ari: Ari) -> Carrier:
    return PbxCarrier(ari, SEALS)


LOST = AriError(Trouble.AWAY, outcome_unknown=True)
AWAY = AriError(Trouble.AWAY)
ITS = Channel("AO" + ATTEMPT, "Ring", "2026-11-20T10:00:00.000+0000")


async def test_an_order_goes_out_with_all_that_it_is_about() -> None:
    ari = ToldAri()
    placed = await carrier(ari).place(order(on_answer=OnAnswer("hang_up")))
    [sent] = ari.orders
    assert placed.call_id == sent.channel_id == "AO" + ATTEMPT
    call = SEALS.open(sent.variables["__EARSHOT_ORDER"], sent.channel_id)
    assert call is not None
    assert (call.attempt_id, call.agent, call.variables) == (ATTEMPT, "sales", {"name": "Ada"})
    assert call.on_answer == OnAnswer("hang_up")


@pytest.mark.parametrize(
    ("trouble", "again_ms"),
    [
        (Trouble.AWAY, AWAY_AGAIN_MS),
        (Trouble.LOGIN, CONFIGURED_AGAIN_MS),
        (Trouble.NOT_THERE, CONFIGURED_AGAIN_MS),
        (Trouble.REFUSED, CONFIGURED_AGAIN_MS),
    ],
)
async def test_what_would_go_wrong_with_any_number_is_no_contacts_fault(
    trouble: Trouble, again_ms: int
) -> None:
    with pytest.raises(NotPlacedError) as caught:
        await carrier(ToldAri(AriError(trouble))).place(order())
    assert (caught.value.again_after_ms, caught.value.number_is_wrong) == (again_ms, False)


async def test_an_answer_that_was_lost_is_looked_for() -> None:
    assert (await carrier(ToldAri(LOST, [ITS])).place(order())).call_id == ITS.id
    for lives in ([], [Channel("AO" + "f" * 32, "Up")], AWAY):
        with pytest.raises(FateUnknownError):
            await carrier(ToldAri(LOST, lives)).place(order())


@pytest.mark.parametrize("more", [{"to": "911"}, {"from_": "anonymous"}, {"ring_s": 0}])
async def test_what_cannot_be_dialled_is_asked_of_nobody(more: dict[str, Any]) -> None:
    ari = ToldAri()
    with pytest.raises(NotPlacedError) as caught:
        await carrier(ari).place(order(**more))
    assert caught.value.again_after_ms is None
    assert ari.orders == []


async def test_a_trunk_of_twilios_is_no_way_out_of_a_pbx() -> None:
    ari = ToldAri()
    with pytest.raises(NotPlacedError, match=ITS_OWN_TRUNK):
        await carrier(ari).place(order(trunk="BY" + "0" * 32))
    assert ari.orders == []


async def test_what_lives_is_told_by_its_attempt_and_others_channels_are_not() -> None:
    ari = ToldAri(lives=[Channel("1795170608.1", "Up"), ITS])
    seen = await carrier(ari).calls("", "", 0)
    assert isinstance(seen, LiveCalls)
    assert seen == (Seen(ITS.id, "ringing", 1_795_168_800_000, ATTEMPT),)
    with pytest.raises(FateUnknownError):
        await carrier(ToldAri(lives=AWAY)).calls("", "", 0)


@pytest.mark.parametrize(
    ("state", "fate"), [("Up", "in-progress"), ("Ring", "ringing"), ("Down", "ringing")]
)
async def test_one_call_is_as_its_channel_is(state: str, fate: str) -> None:
    ours = carrier(ToldAri(lives=[Channel(ITS.id, state)]))
    seen = await ours.call(ITS.id)
    assert seen is not None and seen.fate == fate
    assert await ours.call("AO" + "f" * 32) is None
    away = carrier(ToldAri(lives=AWAY))
    for asking in (away.call(ITS.id), away.end(ITS.id)):
        with pytest.raises(FateUnknownError):
            await asking


def test_the_pbx_is_that_of_the_settings() -> None:
    assert isinstance(ari_of(Settings(ari_url="http://127.0.0.1:8088")), Ari)
