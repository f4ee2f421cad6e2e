"""Whatever a dialplan asks, it is told one thing to do with its caller, and no caller goes round
for ever: who rings, who was talking, who is being put through."""

from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from pydantic import SecretStr

from app.bridge.call_bridge import CallBridge
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.carriers.asterisk.identity import call_id_of
from app.demo.stage import LAB_KEY
from app.onward.plan import Plan
from app.pbx_room import MOST_ROUNDS, pbx_locks
from app.server import Worker, make_worker
from app.settings import Settings
from tests.asgi import ask

PASSWORD = "a-password-of-16-x"
KEY = (b"authorization", b"Basic " + b64encode(f"pbx:{PASSWORD}".encode()))
FROM, TO, DESK = "+14155550100", "+14155550199", "+14155550111"
AGENT = f"""
instructions = "You answer."
[transfers.desk]
to = "{DESK}"
how = "{{how}}"
otherwise = "{{otherwise}}"
[transfers.far]
to = "+442079460100"
[transfers.queue]
to = "queue:sales"
[voicemail]
[ladder]
rungs = ["menu", "person", "voicemail"]
person = "desk"
[menu]
words = "Choose."
"""


def worker(folder: Path, how: str = "cold", otherwise: str = "back", **more: object) -> Worker:
    path = folder / "house.toml"
    text = AGENT.format(how=how, otherwise=otherwise)
    path.write_text(text, encoding="utf-8")
    given = {
        "openai_api_key": LAB_KEY,
        "pbx_user": "pbx",
        "pbx_password": PASSWORD,
        "agent": str(path),
        "data_dir": folder / "data",
        **more,
    }
    return make_worker(Settings.model_validate(given))


async def told(made: Worker, **form: str) -> dict[str, str]:
    given = {"call": "pbx-1", "from": FROM, "to": TO, "status": "ANSWER", "rounds": "1"} | form
    body = urlencode(given).encode()
    status, text = await ask(made.app, "/asterisk/next", "POST", [KEY], body)
    assert status == 200
    return dict(parse_qsl(text))


class Ended:
    """As much of a call as the switchboard needs."""

    call_id = call_id_of("pbx-1")

    def carrier_closed(self, cause: str, detail: str = "") -> None:
        raise AssertionError("no other stream replaces it")


def had(made: Worker, reason: EndReason, detail: str = "") -> None:
    """The bot has had the call, and its stream ended so."""
    call: CallBridge = Ended()  # type: ignore[assignment]
    made.switchboard.connected(call)
    made.switchboard.ended(call, EndCall(reason, detail))


def to_the(key: str) -> str:
    return Plan("transfer", key, run="r1").packed()


@pytest.mark.parametrize(
    ("reason", "do"),
    [
        (EndReason.CALLER_HUNG_UP, "hangup"),
        (EndReason.AGENT_HUNG_UP, "hangup"),
        (EndReason.TOO_LONG, "hangup"),
        (EndReason.CARRIER_LOST, "agent"),
        (EndReason.DRAINED, "agent"),
        (EndReason.MODEL_UNREACHABLE, "transfer"),
        (EndReason.INTERNAL_ERROR, "transfer"),
    ],
)
async def test_what_follows_a_stream_is_what_its_end_asks_for(
    tmp_path: Path, reason: EndReason, do: str
) -> None:
    made = worker(tmp_path)
    had(made, reason)
    answer = await told(made)
    assert answer["do"] == do
    if do == "transfer":
        assert answer["to"] == DESK, "the ladder leaves out what needs keys"


async def test_a_call_that_nobody_knows_comes_back_but_not_for_ever(tmp_path: Path) -> None:
    made = worker(tmp_path)
    assert (await told(made))["do"] == "agent"
    assert (await told(made, rounds=str(MOST_ROUNDS)))["do"] == "transfer"


async def test_a_call_that_goes_on_has_a_place_kept(tmp_path: Path) -> None:
    made = worker(tmp_path, max_calls=1)
    had(made, EndReason.CARRIER_LOST)
    await told(made)
    assert made.switchboard.offered == 1


@pytest.mark.parametrize("how", ["cold", "warm"])
async def test_a_transfer_is_dialled_and_its_outcome_told_to_the_agent(
    tmp_path: Path, how: str
) -> None:
    made = worker(tmp_path, how=how)
    had(made, EndReason.HANDED_ON, to_the("desk"))
    first = await told(made)
    assert (first["do"], first["to"], first["caller_id"]) == ("transfer", DESK, TO)
    after = await told(made, status="NOANSWER", journey=first["journey"])
    assert (after["do"], after["news"]) == ("agent", "no_answer|desk")
    talked = await told(made, status="ANSWER", journey=first["journey"])
    assert talked == {"do": "hangup"}


async def test_nobody_there_may_mean_a_voicemail(tmp_path: Path) -> None:
    made = worker(tmp_path, otherwise="voicemail")
    had(made, EndReason.HANDED_ON, to_the("desk"))
    first = await told(made)
    assert (await told(made, status="BUSY", journey=first["journey"]))["do"] == "voicemail"


@pytest.mark.parametrize(("key", "status"), [("far", "refused"), ("queue", "failed")])
async def test_what_the_policy_or_a_pbx_cannot_reach_is_not_dialled(
    tmp_path: Path, key: str, status: str
) -> None:
    made = worker(tmp_path)
    had(made, EndReason.HANDED_ON, to_the(key))
    answer = await told(made)
    assert (answer["do"], answer["news"]) == ("agent", f"{status}|{key}")


@pytest.mark.parametrize("journey", ["nonsense", "stop=nowhere", "stop=transfer&steps=many"])
async def test_a_journey_that_is_none_of_ours_is_as_if_there_were_none(
    tmp_path: Path, journey: str
) -> None:
    made = worker(tmp_path)
    had(made, EndReason.AGENT_HUNG_UP)
    assert await told(made, journey=journey) == {"do": "hangup"}


async def test_a_bot_that_never_took_the_call_leaves_it_to_the_dialplan(tmp_path: Path) -> None:
    assert await told(worker(tmp_path), status="CHANUNAVAIL") == {"do": "fallback"}


async def test_a_bot_that_is_gone_when_it_is_dialled_again_leaves_the_ladder(
    tmp_path: Path,
) -> None:
    made = worker(tmp_path)
    had(made, EndReason.CARRIER_LOST)
    answer = await told(made, status="CHANUNAVAIL", rounds="2")
    assert (answer["do"], answer["to"]) == ("transfer", DESK)


async def test_an_agent_that_there_is_none_falls_back(tmp_path: Path) -> None:
    assert await told(worker(tmp_path), agent="nobody") == {"do": "fallback"}


async def test_an_anonymous_caller_may_be_unwelcome(tmp_path: Path) -> None:
    made = worker(tmp_path, anonymous="reject")
    assert await told(made, status="NOANSWER", **{"from": "anonymous"}) == {"do": "busy"}
    assert await told(made, status="NOANSWER") == {"do": "fallback"}


def test_the_locks_are_those_of_the_settings() -> None:
    both = Settings(pbx_user="pbx", pbx_password=SecretStr(PASSWORD))
    assert pbx_locks(both).open_for([KEY])
    proxy = Settings(pbx_proxy_header=SecretStr("X-Client-Verified=said=by-the-proxy"))
    assert pbx_locks(proxy).open_for([(b"x-client-verified", b"said=by-the-proxy")])
    assert not pbx_locks(Settings()).set


# Calls that we had the PBX place

CALL = "AO" + "0123456789abcdef" * 2
PLACED = {"call": CALL, "direction": "outbound", "from": TO, "to": FROM}
"""Our number is the one that shows."""


def had_out(made: Worker, reason: EndReason, detail: str = "") -> None:
    call = Ended()
    call.call_id = CALL
    bridge: CallBridge = call  # type: ignore[assignment]
    made.switchboard.connected(bridge)
    made.switchboard.ended(bridge, EndCall(reason, detail))


async def test_whom_we_called_is_put_through_under_the_number_that_we_showed(
    tmp_path: Path,
) -> None:
    made = worker(tmp_path)
    had_out(made, EndReason.HANDED_ON, to_the("desk"))
    first = await told(made, **PLACED)
    assert (first["do"], first["to"], first["caller_id"]) == ("transfer", DESK, TO)
    after = await told(made, status="BUSY", journey=first["journey"], **PLACED)
    assert (after["do"], after["news"]) == ("agent", "busy|desk")


async def test_whom_we_called_is_not_screened_and_falls_back_where_there_is_no_place(
    tmp_path: Path,
) -> None:
    made = worker(tmp_path, anonymous="reject")
    answer = await told(made, status="NOANSWER", **PLACED | {"to": "anonymous"})
    assert answer == {"do": "fallback"}


async def test_an_outbound_call_goes_to_no_route(tmp_path: Path) -> None:
    routes = tmp_path / "routes.toml"
    other = tmp_path / "other.toml"
    other.write_text('instructions = "x"\n', encoding="utf-8")
    routes.write_text(f'[[route]]\nto = "{FROM}"\nagent = "{other}"\n', encoding="utf-8")
    made = worker(tmp_path, routes=str(routes))
    had_out(made, EndReason.CARRIER_LOST)
    assert (await told(made, **PLACED))["agent"] == made.settings.agent


async def test_the_end_of_a_placed_call_frees_its_place(tmp_path: Path) -> None:
    made = worker(tmp_path, max_calls=1)
    had_out(made, EndReason.CARRIER_LOST)
    await told(made, **PLACED)
    assert made.switchboard.offered == 1
    body = urlencode({"call": CALL, "status": "ANSWER", "seconds": "3"}).encode()
    for _ in range(2):
        assert (await ask(made.app, "/asterisk/dialled", "POST", [KEY], body))[0] == 200
    assert made.switchboard.offered == 0
