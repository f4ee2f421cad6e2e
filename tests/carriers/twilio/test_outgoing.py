"""A login goes to the host that it is for and to no other, a trunk to calls to numbers only, and no
password is shown."""

import pytest

from app.carriers.twilio.outgoing import LoginError, Outgoing, SipLogin, read_logins

TRUNK = "BY" + "0a" * 16
TEXT = "pbx.example.com=earshot:s3cret:x, Other.Example=u%2Cv:p%40%2C"


def test_logins_are_read_as_they_are_written() -> None:
    assert read_logins(TEXT) == {
        "pbx.example.com": SipLogin("earshot", "s3cret:x"),
        "other.example": SipLogin("u,v", "p@,"),
    }
    assert read_logins("") == {}


@pytest.mark.parametrize("text", ["pbx", "pbx=u", "pbx=:p", "pbx=u:", "=u:secretly", "p x=u:p"])
def test_what_is_no_login_is_told_without_it(text: str) -> None:
    with pytest.raises(LoginError, match="expected host=user:password, see part 1") as told:
        read_logins(text)
    assert "secretly" not in str(told.value)


@pytest.mark.parametrize(
    ("to", "user"),
    [
        ("sip:desk@pbx.example.com", "earshot"),
        ("sips:desk@PBX.example.com:5061;transport=tls?X-A=1", "earshot"),
        ("sip:pbx.example.com", "earshot"),
        ("sip:desk@pbx.example.com.evil.example", ""),
        ("sip:pbx.example.com@evil.example", ""),
        ("sip:desk@evil.example?X-A=@pbx.example.com", ""),
        ("client:anna", ""),
    ],
)
def test_a_login_goes_to_its_own_host(to: str, user: str) -> None:
    given = Outgoing(read_logins(TEXT), TRUNK).parameters(to)
    assert given.get("sip_auth_username", "") == user
    assert "byoc" not in given
    assert bool(given) is bool(user)


def test_a_trunk_is_for_numbers() -> None:
    assert Outgoing(byoc=TRUNK).parameters("+14155550100") == {"byoc": TRUNK}
    assert Outgoing().parameters("+14155550100") == {}


def test_nothing_of_it_is_shown() -> None:
    outgoing = Outgoing(read_logins(TEXT))
    assert "s3cret" not in repr(outgoing) + repr(outgoing.login("sip:pbx.example.com"))
