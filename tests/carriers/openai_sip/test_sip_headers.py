"""SIP headers choose the agent and fill variables; whatever they say, they make nobody trusted."""

from hypothesis import given
from hypothesis import strategies as st

from app.carriers.openai_sip.sip_headers import (
    MOST_HEADER_BYTES,
    address_of,
    read_facts,
)
from app.policy.trust import Doors, Trust, by_sip_origin, by_verstat, level

OURS = Doors(sip_domains=("b", "pbx.example"))
NUMBER, PROJECT = "+14155550123", "proj_abc123"


def test_a_number_is_found_however_the_header_is_written() -> None:
    for written in (
        f'"Ann" <sip:{NUMBER}@carrier.example>;tag=1',
        f"<sip:{NUMBER};phone-context=x@carrier.example;user=phone>",
        f"sip:{NUMBER}@carrier.example",
        f"<tel:{NUMBER}>",
        "<tel:+1-415-555-0123;ext=1>",
        f"<SIPS:{NUMBER}@[2001:db8::1]:5061>",
    ):
        assert address_of(written) == NUMBER, written


def test_a_name_stays_an_address_and_nobody_stays_nobody() -> None:
    assert address_of('"Ann" <sip:ann@pbx.example:5061;x=y>') == "sip:ann@pbx.example"
    for nobody in ("", "<sip:anonymous@anonymous.invalid>", "<sip:@x>", "gibberish", "<http://x>"):
        assert address_of(nobody) == "", nobody


def test_a_trunk_names_the_project_and_the_number_stands_in_diversion() -> None:
    facts = read_facts(
        (
            ("From", "<sip:+14155550100@trunk.example>"),
            ("To", f"<sip:{PROJECT}@sip.api.openai.com>"),
            ("Diversion", f"<sip:{NUMBER}@trunk.example>;reason=unconditional"),
        )
    )
    assert (facts.from_number, facts.to_number) == ("+14155550100", NUMBER)
    assert facts.forwarded_from == NUMBER


def test_what_came_first_counts_and_compact_names_are_known() -> None:
    facts = read_facts(
        (
            ("f", "<sip:+14155550100@a>"),
            ("t", f"<sip:{NUMBER}@b>"),
            ("X-Order", "47"),
            ("x-order", "48"),
            ("Via", "secret"),
            ("User-to-User", "abc;encoding=hex"),
        )
    )
    assert facts.from_number == "+14155550100"
    assert dict(facts.sip_headers) == {"X-Order": "47", "User-to-User": "abc;encoding=hex"}
    assert read_facts(()).from_number == "anonymous"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ("From", "To", "Diversion", "X-Twilio-VerStat", "X-a", "P-Asserted-Identity")
            ),
            st.text(max_size=300) | st.just("TN-Validation-Passed-A") | st.just("<sip:a@b>"),
        ),
        max_size=12,
    )
)
def test_no_header_raises_trust_or_an_error(headers: list[tuple[str, str]]) -> None:
    facts = read_facts(headers)
    assert (facts.origin, facts.direction) == ("sip", "inbound")
    door = by_sip_origin(OURS, facts.sip_domain, facts.source_ip)
    assert level(by_verstat(facts.stir_verstat), door) is Trust.UNKNOWN
    kept = sum(len(k.encode()) + len(v.encode()) for k, v in facts.sip_headers.items())
    assert kept <= MOST_HEADER_BYTES
