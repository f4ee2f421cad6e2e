"""The door opens for the PBX's password, or for the proxy's word about its certificate; a header
that is missing, doubled or broken opens nothing, and without a lock nobody comes in."""

from base64 import b64encode

import pytest

from app.carriers.asterisk.locks import PbxLocks

PASSWORD = PbxLocks("pbx", "a-password-of-16", "", "")
PROXY = PbxLocks("", "", "X-Client-Verified", "the-proxy-says-so")


def basic(pair: str) -> tuple[bytes, bytes]:
    return b"authorization", b"Basic " + b64encode(pair.encode())


RIGHT = basic("pbx:a-password-of-16")


def test_the_password_opens() -> None:
    assert PASSWORD.open_for([RIGHT])
    assert PASSWORD.open_for([(RIGHT[0], RIGHT[1].replace(b"Basic", b"basic"))])


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [basic("pbx:wrong")],
        [basic("pbx:")],
        [basic("other:a-password-of-16")],
        [basic("pbx:a-password-of-16x")],
        [(b"authorization", b"Bearer a-password-of-16")],
        [(b"authorization", b"Basic *")],
        [(b"authorization", b"")],
        [RIGHT, RIGHT],
        [RIGHT, basic("pbx:wrong")],
        [(b"x-client-verified", b"the-proxy-says-so")],
    ],
)
def test_nothing_else_does(headers: list[tuple[bytes, bytes]]) -> None:
    assert not PASSWORD.open_for(headers)


def test_the_proxys_word_opens() -> None:
    assert PROXY.open_for([(b"x-client-verified", b"the-proxy-says-so")])
    assert not PROXY.open_for([(b"x-client-verified", b"NONE")])
    assert not PROXY.open_for([RIGHT])


def test_without_a_lock_there_is_no_way_in() -> None:
    for locks in (PbxLocks(), PbxLocks("pbx", ""), PbxLocks("", "a-password-of-16")):
        assert not locks.set
        assert not locks.open_for([basic(":"), (b"", b"")])
        assert not locks.open_for([basic("pbx:"), (b"", b"")])
