"""The address under which Twilio reaches us. Every URL that Twilio is given or signs starts here.

It comes from configuration, never from the request: behind a proxy the Host header and the scheme
say where the proxy found us, and anyone may write what he likes into them.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

VOICE_PATH: Final = "/twilio/voice"
STATUS_PATH: Final = "/twilio/status"
AMD_PATH: Final = "/twilio/amd"
STREAM_ENDED_PATH: Final = "/twilio/stream-ended"
MEDIA_PATH: Final = "/twilio/media"
ONWARD_PATH: Final = "/twilio/onward"
REFER_PATH: Final = "/twilio/refer"
WHISPER_PATH: Final = "/twilio/whisper"
PERSON_PATH: Final = "/twilio/person"
HELD_PATH: Final = "/twilio/held"
MESSAGE_PATH: Final = "/twilio/message"
SMS_PATH: Final = "/twilio/sms"
SMS_STATUS_PATH: Final = "/twilio/sms-status"
RECORDING_PATH: Final = "/twilio/recording"

_MEND: Final = (
    "Set it to the https:// address that Twilio can reach, such as https://bot.example.com."
)
_DEFAULT_PORTS: Final = {"https": 443, "wss": 443, "http": 80, "ws": 80}


class PublicUrlError(ValueError):
    """The configured public address cannot work: the operator's input."""


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """A checked public address."""

    scheme: str
    """https, or http for a loopback address."""
    netloc: str
    """Host and port with the letters' case kept, since Twilio signs the URL as it was written."""
    prefix: str
    """Path in front of ours, such as "/bots", or ""."""

    @classmethod
    def parse(cls, text: str) -> "PublicUrl":
        """Raises `PublicUrlError` with what is wrong and how to mend it."""
        try:
            parts = urlsplit(text)
            port_is_odd = parts.port == 0
        except ValueError as error:
            raise PublicUrlError(f"PUBLIC_URL is not a URL ({error}). {_MEND}") from error
        problem = _problem(text, parts)
        if problem or port_is_odd:
            raise PublicUrlError(f"PUBLIC_URL {problem or 'has port 0'}. {_MEND}")
        return cls(parts.scheme, parts.netloc, parts.path.rstrip("/"))

    def webhook(self, path: str, query: dict[str, str] | None = None) -> str:
        """The URL of one of our webhooks, as Twilio is to request it."""
        url = f"{self.scheme}://{self.netloc}{self.prefix}{path}"
        return f"{url}?{urlencode(query)}" if query else url

    def media(self) -> str:
        """The URL of the media socket: wss://, or ws:// for a loopback http:// address."""
        return f"{self._socket_scheme}://{self.netloc}{self.prefix}{MEDIA_PATH}"

    def webhook_forms(self, path: str, query: str) -> tuple[str, ...]:
        """Every spelling under which Twilio may have signed a webhook that arrived at `path`."""
        return self._forms(self.scheme, path, query)

    def socket_forms(self, path: str, query: str) -> tuple[str, ...]:
        """Every spelling under which Twilio may have signed an upgrade that arrived at `path`.

        The slash at the end is not reliable here, so both ways count.
        """
        bare = path.rstrip("/")
        return tuple(
            form
            for end in (path, bare if path.endswith("/") else f"{path}/")
            for form in self._forms(self._socket_scheme, end, query)
        )

    @property
    def _socket_scheme(self) -> str:
        return "wss" if self.scheme == "https" else "ws"

    def _forms(self, scheme: str, path: str, query: str) -> tuple[str, ...]:
        tail = f"?{query}" if query else ""
        paths = [f"{self.prefix}{path}"]
        # A proxy may strip our prefix or leave it on; both arrive here.
        if self.prefix and path.startswith(f"{self.prefix}/"):
            paths.append(path)
        return tuple(f"{scheme}://{host}{p}{tail}" for p in paths for host in self._hosts(scheme))

    def _hosts(self, scheme: str) -> tuple[str, str]:
        """With a port and without: Twilio is not consistent, and its own library tries both."""
        bare = re.sub(r":\d*\Z", "", self.netloc)
        if bare != self.netloc:
            return self.netloc, bare
        return self.netloc, f"{self.netloc}:{_DEFAULT_PORTS[scheme]}"


def _problem(text: str, parts: SplitResult) -> str:
    plain_http = parts.scheme == "http" and not _loopback(parts.hostname or "")
    problems = (
        (
            not text.isascii() or re.search(r"[\s\x00-\x1f]", text),
            "has characters that no URL may have (write other alphabets percent-encoded)",
        ),
        (parts.scheme not in ("https", "http"), "should begin with https://"),
        (not parts.hostname, "has no host"),
        ("@" in parts.netloc, "should carry no user name or password"),
        ("?" in text or "#" in text, "should carry no query and no fragment"),
        (plain_http, "may begin with http:// for a loopback address only"),
    )
    return next((words for wrong, words in problems if wrong), "")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
