"""What a call is about comes back whole to whoever carries it, for that call only, and nobody who
sets variables of a channel can make one up; what the PBX is asked for can be dialled."""

from typing import Any

import pytest

from app.call.events import OnAnswer
from app.carriers.asterisk.identity import call_id_of, read_identity
from app.carriers.asterisk.placed import (
    MOST_SEALED,
    PlacedCall,
    PlacedInputError,
    PlacedSeals,
    attempt_of,
    id_of_attempt,
    new_id,
)

SEALS = PlacedSeals(["a-password-of-16", "the old one"])
ATTEMPT = "0123456789abcdef" * 2
ID = id_of_attempt(ATTEMPT)
TO, FROM = "+15550100001", "+15550100002"


def call(**more: Any) -> PlacedCall:
    given: dict[str, Any] = {
        "call_id": ID,
        "to": TO,
        "from_": FROM,
        "agent": "sales",
        "ring_s": 25,
        "variables": {"name": "Ada"},
        "attempt_id": ATTEMPT,
        "on_answer": OnAnswer("message", "Hello."),
    }
    return PlacedCall(**given | more)


def test_an_order_names_the_call_and_carries_what_it_is_about() -> None:
    order = SEALS.originate(call())
    assert (order.channel_id, order.endpoint) == (ID, f"Local/{TO}@earshot-out/n")
    assert (order.context, order.extension, order.caller_id) == ("earshot-outgoing", "talk", FROM)
    assert order.timeout_s > 25, "the dialplan's own end comes first"
    assert all(name.startswith("__EARSHOT_") for name in order.variables), "all are inherited"
    who = read_identity(order.variables)
    assert (who.call_id, who.placed, who.agent) == (ID, True, "sales")
    assert SEALS.open(who.order, who.call_id) == call()
    assert "Ada" not in str(order.variables)
    assert TO not in repr(order) and TO not in repr(call())


def test_a_sip_address_is_dialled_by_an_extension_of_its_own() -> None:
    order = SEALS.originate(call(to="sip:ann@pbx.example.com:5060"))
    assert order.endpoint == "Local/address@earshot-out/n"
    assert order.variables["__EARSHOT_TO"] == "sip:ann@pbx.example.com:5060"


def test_facts_say_that_we_called() -> None:
    facts = call().facts(1_000)
    assert (facts.direction, facts.party, facts.line) == ("outbound", TO, FROM)
    assert (facts.attempt_id, facts.campaign) == (ATTEMPT, {"name": "Ada"})
    assert (facts.on_answer, facts.answered_at_ms) == (OnAnswer("message", "Hello."), 1_000)
    assert (facts.origin, call(to="sip:ann@x.example").facts(None).origin) == ("pstn", "sip")


def test_only_this_calls_own_order_opens() -> None:
    sealed = SEALS.seal(call())
    other = new_id()
    assert SEALS.open(sealed, other) is None
    assert SEALS.open(sealed, "AS" + ATTEMPT) is None
    assert SEALS.open("A" + sealed[1:], ID) is None
    assert SEALS.open("", ID) is None
    assert PlacedSeals(["another-password"]).open(sealed, ID) is None
    assert PlacedSeals(["a-new-one", "a-password-of-16"]).open(sealed, ID) == call()


def test_the_id_is_the_attempts_and_tells_it() -> None:
    assert attempt_of(ID) == ATTEMPT
    assert attempt_of(new_id()) not in ("", attempt_of(new_id()))
    for other in ("", "AS" + ATTEMPT, ATTEMPT, ID + "0", ID + "\n", ID.upper()):
        assert attempt_of(other) == ""
    for wrong in ("", "a-7", ATTEMPT + "0", ATTEMPT.upper(), "../" + ATTEMPT[3:]):
        with pytest.raises(PlacedInputError):
            id_of_attempt(wrong)


def test_a_caller_cannot_take_the_id_of_a_call_of_ours() -> None:
    assert call_id_of(ID) != ID
    assert call_id_of(ID, placed=True) == ID
    assert call_id_of("anything", placed=True).startswith("AS")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"to": "5550100001"}, "E.164"),
        ({"to": "+0555010000"}, "E.164"),
        ({"to": "+15550100001&PJSIP/x"}, "E.164"),
        ({"to": "sip:ann@pbx.example.com;x=1"}, "sip:user@host"),
        ({"to": "sip:ann@pbx.example.com?X-A=1"}, "sip:user@host"),
        ({"to": "sip:a,b@pbx.example.com"}, "sip:user@host"),
        ({"to": "sip:${SHELL(x)}@pbx.example.com"}, "sip:user@host"),
        ({"from_": "anonymous"}, "caller ID"),
        ({"from_": "sip:us@x.example"}, "caller ID"),
        ({"ring_s": 0}, "1 to 600 s of ringing, got 0"),
        ({"ring_s": 601}, "1 to 600 s of ringing"),
        ({"variables": {"n": "x" * 1_024}}, "1024 bytes of variables, got 1025"),
        ({"on_answer": OnAnswer("message", "x" * 1_001)}, "1000 bytes, got 1001"),
    ],
)
def test_what_cannot_be_dialled_or_carried_is_told(more: dict[str, Any], expected: str) -> None:
    with pytest.raises(PlacedInputError) as caught:
        SEALS.originate(call(**more))
    assert expected in str(caught.value)
    assert str(more.get("to", "?")) not in str(caught.value)


def test_the_most_that_may_be_given_fits() -> None:
    most = "".join(chr(33 + n * 7919 % 90) for n in range(1_000))
    order = SEALS.originate(call(variables={"n": most}, on_answer=OnAnswer("message", most[::-1])))
    assert len(order.variables["__EARSHOT_ORDER"]) <= MOST_SEALED
    assert read_identity(order.variables).order == order.variables["__EARSHOT_ORDER"]
