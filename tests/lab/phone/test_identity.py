"""Every request about a call names it in the same way; the voice webhook adds what it may."""

from app.lab.phone.identity import CallIdentity, new_sid


def test_sids_are_two_letters_and_32_hex_digits_and_never_the_same() -> None:
    first, second = new_sid("CA"), new_sid("CA")
    assert first != second
    assert (first[:2], len(first)) == ("CA", 34)
    int(first[2:], 16)


def test_a_number_brings_address_fields_that_may_be_blank_and_sip_does_not() -> None:
    number = CallIdentity("CA1", "AC1", "+15005550006", "+15005550010", "inbound")
    sip = CallIdentity(
        "CA1", "AC1", "sip:a@b.test", "sip:bot@x.test", "inbound", {"SipCallId": "1"}
    )
    assert number.voice("ringing")["CallerCity"] == ""
    assert set(sip.voice("ringing")) - set(sip.standard("ringing")) == {"SipCallId"}


def test_attestation_belongs_to_inbound_calls() -> None:
    outbound = CallIdentity("CA1", "AC1", "+15005550006", "+15005550010", "outbound-api")
    assert "StirVerstat" not in outbound.voice("in-progress")
