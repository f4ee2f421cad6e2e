"""Trust comes from where a call came from and what was proved in it, never from what it says; who
is not known is trusted with nothing that needs more."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy.trust import Doors, Proof, Trust, by_sip_origin, by_verstat, check, level
from app.policy.verdicts import Allowed, Refused, Rule

VERSTAT = {
    "TN-Validation-Passed-A": Trust.ATTESTED,
    "TN-Validation-Passed-B": Trust.ASSERTED,
    "TN-Validation-Passed-C": Trust.UNKNOWN,
    "TN-Validation-Failed": Trust.UNKNOWN,
    "TN-Validation-Failed-A": Trust.UNKNOWN,
    "TN-Validation-Failed-B": Trust.UNKNOWN,
    "TN-Validation-Failed-C": Trust.UNKNOWN,
    "No-TN-Validation": Trust.UNKNOWN,
    "NULL": Trust.UNKNOWN,
    "TN-Validation-Passed-A-Diverted": Trust.ASSERTED,
    "TN-Validation-Passed-B-Diverted": Trust.UNKNOWN,
    "TN-Validation-Passed-C-Diverted": Trust.UNKNOWN,
    "TN-Validation-Failed-A-Diverted": Trust.UNKNOWN,
    "No-TN-Validation-Diverted": Trust.UNKNOWN,
    "NULL-Diverted": Trust.UNKNOWN,
}
DOORS = Doors(sip_domains=("you.sip.twilio.com",), networks=("203.0.113.0/24", "2001:db8::/32"))


@pytest.mark.parametrize(("verstat", "trust"), VERSTAT.items())
def test_every_word_of_the_network_has_its_worth(verstat: str, trust: Trust) -> None:
    assert by_verstat(verstat) is trust


@given(st.none() | st.text() | st.sampled_from(["tn-validation-passed-a", "TN-Validation-Passed"]))
def test_other_words_are_worth_nothing(verstat: str | None) -> None:
    assert by_verstat(verstat) is Trust.UNKNOWN


@pytest.mark.parametrize(
    ("domain", "ip", "trust"),
    [
        ("you.sip.twilio.com", "203.0.113.9", Trust.ATTESTED),
        ("You.SIP.twilio.com", "2001:db8::1", Trust.ATTESTED),
        ("you.sip.twilio.com", "203.0.114.9", Trust.UNKNOWN),
        ("you.sip.twilio.com", "", Trust.UNKNOWN),
        ("you.sip.twilio.com", "203.0.113.9, 1.2.3.4", Trust.UNKNOWN),
        ("you.sip.twilio.com.evil.example", "203.0.113.9", Trust.UNKNOWN),
        ("", "203.0.113.9", Trust.UNKNOWN),
    ],
)
def test_a_sip_call_is_worth_what_its_door_is(domain: str, ip: str, trust: Trust) -> None:
    assert by_sip_origin(DOORS, domain, ip) is trust


def test_without_networks_the_domain_is_enough_and_without_domains_nothing_is() -> None:
    assert by_sip_origin(Doors(sip_domains=("a.example",)), "a.example", "") is Trust.ATTESTED
    assert by_sip_origin(Doors(), "", "") is Trust.UNKNOWN


def test_a_proof_verifies_and_else_the_best_sign_counts() -> None:
    assert level() is Trust.UNKNOWN
    assert level(Trust.ASSERTED, Trust.UNKNOWN) is Trust.ASSERTED
    for proof in Proof:
        assert level(Trust.UNKNOWN, proofs=[proof]) is Trust.VERIFIED


def test_a_tool_runs_for_those_who_are_trusted_enough() -> None:
    for needed, had in itertools.product(Trust, Trust):
        verdict = check("book", had, {"book": needed})
        assert isinstance(verdict, Allowed) == (had >= needed)
    assert isinstance(check("other", Trust.UNKNOWN, {}, default=Trust.ASSERTED), Refused)


def test_a_refusal_tells_what_would_help() -> None:
    needs = {"book": Trust.VERIFIED}
    refused = check("book", Trust.UNKNOWN, needs, proofs=(Proof.PIN, Proof.CALL_BACK))
    assert isinstance(refused, Refused)
    assert refused.rule == Rule.TRUST
    assert "ask for the PIN or offer to call back" in refused.reason
    helpless = check("book", Trust.UNKNOWN, needs)
    assert isinstance(helpless, Refused)
    assert "PIN" not in helpless.reason


def test_levels_are_read_by_name() -> None:
    assert [Trust.named(name) for name in ("unknown", "asserted", "attested", "verified")] == list(
        Trust
    )
    with pytest.raises(ValueError, match="expected one of unknown, asserted"):
        Trust.named("sure")
