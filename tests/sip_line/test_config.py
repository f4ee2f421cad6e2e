"""Invariant: a configuration that cannot work is refused with a word on how to mend it, and one
that says nothing lets nobody in."""

from ipaddress import IPv4Network

import pytest

from app.sip_line.config import (
    Address,
    LineConfig,
    LineConfigError,
    Trunk,
    parse_network,
    require_ipv4,
)

WORKER = "ws://127.0.0.1:8000/asterisk/media"


def test_what_is_not_said_is_safe() -> None:
    config = LineConfig(WORKER)
    assert config.host == "127.0.0.1"
    assert not config.is_peer("127.0.0.1")
    assert config.credentials == {}


def test_who_is_served_and_who_is_a_peer() -> None:
    config = LineConfig(WORKER, served=("100", "+1555*"), peers=(IPv4Network("192.0.2.0/24"),))
    assert [config.serves(user) for user in ("100", "+15550100001", "1000", "")] == [
        *(True, True, False, False)
    ]
    assert config.is_peer("192.0.2.77")
    assert not config.is_peer("192.0.3.1")


def test_passwords_are_not_shown() -> None:
    trunk = Trunk("alice", Address("192.0.2.1", 5060), "trunk-word")
    config = LineConfig(
        WORKER, worker_password="worker-word", credentials={"bob": "word"}, trunk=trunk
    )
    assert "word" not in repr(config).replace("password", "")


def test_addresses() -> None:
    assert Address.parse("192.0.2.1") == Address("192.0.2.1", 5060)
    assert Address.parse("trunk.example:5070") == Address("trunk.example", 5070)
    for text in ("", ":5060", "host:x", "host:70000"):
        with pytest.raises(LineConfigError, match="Expected"):
            Address.parse(text)


def test_mistakes_are_told() -> None:
    with pytest.raises(LineConfigError, match="worker like ws://"):
        LineConfig("http://127.0.0.1:8000/")
    with pytest.raises(LineConfigError, match="10000-10999"):
        LineConfig(WORKER, rtp_ports=(20_000, 10_000))
    with pytest.raises(LineConfigError, match="--advertise"):
        LineConfig(WORKER, listen=Address("0.0.0.0", 5060))
    with pytest.raises(LineConfigError, match="network like"):
        parse_network("example.org")
    with pytest.raises(LineConfigError, match="IPv4 address like"):
        require_ipv4("::1")
    assert LineConfig(WORKER, listen=Address("0.0.0.0", 1), advertised="192.0.2.1").host
    assert parse_network("192.0.2.7") == IPv4Network("192.0.2.7/32")
