"""Invariant: credentials are believed once, for a nonce of ours that is not over, and only when
user, password and realm all fit."""

import pytest
from sippy.Security.SipNonce import HashOracle
from sippy.SipHeader import SipHeader
from sippy.SipRequest import SipRequest

from app.sip_line.digest import Credentials, Verdict

REALM = "earshot"
MESSAGE = (
    "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n"
    "From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
)


def request(*headers: SipHeader) -> SipRequest:
    made = SipRequest(MESSAGE)
    made.appendHeaders(list(headers))
    return made


def answered(challenge: SipHeader, user: str, password: str, *, qop: bool = True) -> SipHeader:
    body = SipHeader(s=str(challenge)).getBody()
    uri = "sip:100@127.0.0.1"
    body = body.genAuthHF(user, password, "INVITE", uri, qop="auth" if qop else None)
    return SipHeader(s=f"Authorization: {body}")


@pytest.fixture
def credentials() -> Credentials:
    return Credentials({"alice": "secret", "bob": "word"}, REALM)


@pytest.mark.parametrize("qop", [True, False])
def test_what_fits_is_believed_once(credentials: Credentials, qop: bool) -> None:
    told = answered(credentials.challenge(), "alice", "secret", qop=qop)
    assert credentials.judge(request(told), 0.0) == "known"
    assert credentials.judge(request(told), 1.0) == "stale"


def test_who_reads_credentials_cannot_count_them_on(credentials: Credentials) -> None:
    """Without qop the count is no part of the hash: anybody may add one."""
    told = answered(credentials.challenge(), "alice", "secret", qop=False)
    assert credentials.judge(request(told), 0.0) == "known"
    for more in ("nc=00000002", 'nc=00000003,cnonce="x"'):
        again = SipHeader(s=f"{told},{more}")
        assert credentials.judge(request(again), 1.0) == "stale"


def test_a_stale_challenge_says_so_in_words_that_parsers_know(credentials: Credentials) -> None:
    assert str(credentials.challenge(stale=True)).endswith(",stale=true")
    assert "stale" not in str(credentials.challenge())


@pytest.mark.parametrize(
    ("user", "password"),
    [("alice", "word"), ("eve", "secret"), ("", ""), ("alice", "")],
)
def test_what_does_not_fit_is_refused(credentials: Credentials, user: str, password: str) -> None:
    told = answered(credentials.challenge(), user, password)
    assert credentials.judge(request(told), 0.0) == "unknown"


def test_without_credentials_one_is_asked(credentials: Credentials) -> None:
    assert credentials.judge(request(), 0.0) == "again"


def test_those_for_another_realm_are_not_for_us(credentials: Credentials) -> None:
    theirs = Credentials({"alice": "secret"}, "elsewhere").challenge()
    assert credentials.judge(request(answered(theirs, "alice", "secret")), 0.0) == "again"


@pytest.mark.parametrize("nonce", ["", "made-up", "X" * 64])
def test_a_nonce_that_is_not_ours_is_asked_for_again(credentials: Credentials, nonce: str) -> None:
    told = str(answered(credentials.challenge(), "alice", "secret"))
    begin = told.index('nonce="') + len('nonce="')
    forged = told[:begin] + nonce + told[told.index('"', begin) :]
    expected: Verdict = "stale" if nonce else "unknown"
    assert credentials.judge(request(SipHeader(s=forged)), 0.0) == expected


def test_a_nonce_that_is_over_is_asked_for_again(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = answered(credentials.challenge(), "alice", "secret")
    monkeypatch.setattr(HashOracle, "vtime", -1)
    assert credentials.judge(request(told), 0.0) == "stale"


@pytest.mark.parametrize("algorithm", ["SHA-512-256", "none"])
def test_an_algorithm_that_was_not_offered_is_refused(
    credentials: Credentials, algorithm: str
) -> None:
    told = str(answered(credentials.challenge(), "alice", "secret"))
    changed = told.replace("algorithm=MD5", f"algorithm={algorithm}")
    assert changed != told
    assert credentials.judge(request(SipHeader(s=changed)), 0.0) == "unknown"


def test_nobody_is_known_where_there_are_none() -> None:
    assert not Credentials({}, REALM)
