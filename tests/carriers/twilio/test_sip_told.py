"""Where a REFER leads is read as carriers send it, and headers of an answer stay few and short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.twilio.sip_told import answer_headers, refer_target


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ("<tel:+14155550100>", "+14155550100"),
        ("tel:+1-415-555-0100;phone-context=x", "+14155550100"),
        ('"Ann" <sip:ann@pbx.example.com;transport=tls>', "sip:ann@pbx.example.com;transport=tls"),
        ("sip:ann@pbx.example.com", "sip:ann@pbx.example.com"),
        ("  <sip:a@b>  ", "sip:a@b"),
        ("", ""),
        ("<>", ""),
    ],
)
def test_where_a_refer_leads_is_read_as_carriers_send_it(said: str, target: str) -> None:
    assert refer_target({"ReferTransferTarget": said}) == target


def test_an_answers_headers_are_few_and_short() -> None:
    fields = {f"DialSipHeader_X-{n}": "v" * 999 for n in range(9)}
    found = answer_headers({"DialCallStatus": "completed", **fields})
    assert list(found) == [f"X-{n}" for n in range(5)]
    assert set(map(len, found.values())) == {255}
    assert answer_headers({"SipHeader_X-Who": "7", "From": "x"}) == {"X-Who": "7"}


NAMES = st.text(st.characters(exclude_characters="<>"), max_size=40)
ADDRESSES = st.from_regex(r"sips?:[a-z0-9.]{1,20}@[a-z0-9.]{1,30}", fullmatch=True)


@given(NAMES, ADDRESSES, NAMES)
def test_a_name_and_brackets_around_an_address_change_nothing(
    name: str, address: str, behind: str
) -> None:
    assert refer_target({"ReferTransferTarget": f"{name}<{address}>{behind}"}) == address
    assert refer_target({"ReferTransferTarget": address}) == address


@given(st.text(max_size=300))
def test_nothing_that_comes_as_a_target_is_a_fault(said: str) -> None:
    assert len(refer_target({"ReferTransferTarget": said})) <= len(said)
