"""What a line is told: where it listens, whom it takes, whom it serves, which worker answers."""

import ipaddress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import IPv4Network
from typing import Final
from urllib.parse import urlsplit

from app.sip_line.jitter import Delay
from app.sip_line.sdp import Codec

DEFAULT_PORT: Final = 5060


class LineConfigError(ValueError):
    """A value that cannot be: says what was expected, what came and how to mend it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An IPv4 address or a name, and a UDP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int = DEFAULT_PORT) -> "Address":
        """Read HOST or HOST:PORT. Raises `LineConfigError`."""
        host, colon, port = text.partition(":")
        if not host or (colon and not (port.isascii() and port.isdecimal())):
            raise LineConfigError(f"Expected HOST or HOST:PORT (IPv4 or a name), got {text!r}.")
        number = int(port) if colon else default_port
        if number > 65_535:
            raise LineConfigError(f"Expected a port up to 65535, got {number}.")
        return cls(host, number)


@dataclass(frozen=True, slots=True)
class Trunk:
    """A registrar at which the line makes itself known."""

    user: str
    registrar: Address
    password: str = field(repr=False)
    realm_user: str = ""
    """The name to authenticate with, where it is not `user`."""
    expires_s: int = 300


@dataclass(frozen=True, slots=True)
class LineConfig:
    """All of it. What is not said is safe: loopback, and nobody may call."""

    worker_url: str
    """`ws://` or `wss://`, the worker's door for Asterisk."""
    worker_user: str = ""
    worker_password: str = field(default="", repr=False)
    listen: Address = Address("127.0.0.1", DEFAULT_PORT)
    advertised: str = ""
    """The IPv4 address that peers are told; needed where `listen` is a wildcard."""
    rtp_ports: tuple[int, int] = (10_000, 10_999)
    """First and last UDP port for RTP."""
    peers: tuple[IPv4Network, ...] = ()
    """Who may call without credentials."""
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    """User -> password: with any here, callers from elsewhere are challenged, not refused."""
    realm: str = "earshot"
    served: tuple[str, ...] = ("*",)
    """Patterns of users that are served: `100`, `+1555*`."""
    max_calls: int = 50
    retry_after_s: int = 10
    codecs: tuple[Codec, ...] = ("PCMU", "PCMA")
    delay: Delay = field(default_factory=Delay)
    worker_answers: bool = False
    """The call rings until the worker says ANSWER (Asterisk's dial option `n`)."""
    silence_end_s: int = 0
    """End a call that is not held when no RTP came for so long; 0: never."""
    worker_timeout_s: float = 3.0
    connection_id: str = "sip-line"
    trunk: Trunk | None = None

    def __post_init__(self) -> None:
        """Raises `LineConfigError`."""
        url = urlsplit(self.worker_url)
        if url.scheme not in ("ws", "wss") or not url.hostname:
            raise LineConfigError(
                f"Expected a worker like ws://127.0.0.1:8000/asterisk/media, "
                f"got {self.worker_url!r}."
            )
        first, last = self.rtp_ports
        if not 1_024 <= first < last <= 65_535:
            raise LineConfigError(f"Expected RTP ports like 10000-10999, got {first}-{last}.")
        if ipaddress.IPv4Address(self.host).is_unspecified:
            raise LineConfigError(
                f"Peers cannot send to {self.host}: say with --advertise which address of this "
                "machine they are to be told."
            )

    @property
    def host(self) -> str:
        """The address that peers are told."""
        return self.advertised or self.listen.host

    def serves(self, user: str) -> bool:
        return any(fnmatchcase(user, pattern) for pattern in self.served)

    def is_peer(self, host: str) -> bool:
        address = ipaddress.IPv4Address(host)
        return any(address in network for network in self.peers)


def parse_network(text: str) -> IPv4Network:
    """Read 192.0.2.7 or 192.0.2.0/24. Raises `LineConfigError`."""
    try:
        return IPv4Network(text, strict=False)
    except ValueError as error:
        raise LineConfigError(
            f"Expected an IPv4 address or network like 192.0.2.0/24, got {text!r}."
        ) from error


def require_ipv4(text: str) -> str:
    """An IPv4 address as it is. Raises `LineConfigError`."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise LineConfigError(f"Expected an IPv4 address like 192.0.2.7, got {text!r}.") from error
