"""What would really be dialled, judged anew: plain lists, no phonenumbers, nothing of app.policy.

Slow and simple on purpose, and stricter than it need be where that costs nothing: it only looks at
what was cleared. `forbidden` says why something should not have been, or "".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

EMERGENCY: Final = {
    *("000", "08", "110", "111", "112", "113", "115", "117", "118", "119", "122", "133", "144"),
    *("15", "17", "18", "190", "192", "193", "911", "988", "999", "995", "933", "061", "062"),
}
NETWORKS: Final = (
    "870",
    "871",
    "872",
    "873",
    "874",
    "878",
    "881",
    "882",
    "883",
    "888",
    "979",
    "991",
)
PREMIUM: Final = (
    *(
        "1900",
        "449",
        "44871",
        "44872",
        "44873",
        "49900",
        "49137",
        "33897",
        "33898",
        "33899",
        "34803",
    ),
    *("34806", "34807", "41900", "41901", "41906", "43900", "43930", "31900", "31906", "31909"),
    *("32900", "32901", "32902", "32903", "32904", "32905", "32906", "32907", "32908", "32909"),
    *("39892", "39899", "61190", "35315", "46900", "46939", "46944", "4829", "48701", "48703"),
)
SHARED: Final = ("49180", "44843", "44844", "44845", "41840", "41842", "41844", "41848", "43810")
SPECIAL: Final = (
    "4470",
    "4476",
    "4455",
    "4970",
    "1500",
    "1533",
    "1544",
    "1566",
    "1577",
    "1588",
    "1710",
)
FREE: Final = (
    *("1800", "1833", "1844", "1855", "1866", "1877", "1888", "44800", "44808", "49800", "33800"),
    *("33801", "33805", "34900", "39800", "41800", "43800", "31800", "32800", "61180", "800"),
)
_CANADA: Final = """
204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 468 474
506 514 519 548 568 579 581 584 587 600 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819
825 851 867 873 879 902 905 942
"""
_ISLANDS: Final = """
242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876
"""
CANADA: Final = tuple(_CANADA.split())
ISLANDS: Final = tuple(_ISLANDS.split())
"""North American area codes of other countries, known from "one ring" fraud."""
OUTLYING: Final = ("340", "670", "671", "684", "787", "939")
"""North American area codes that are no state's and no other country's."""


@dataclass(frozen=True)
class Oracle:
    """One policy in plain words. `codes`: what numbers must begin with, plus and all, to be of an
    allowed country; `not_codes`: the exceptions."""

    codes: tuple[str, ...]
    not_codes: tuple[str, ...] = ()
    own: str = ""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    free: bool = False
    toll_free: bool = False
    hosts: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    configured: Mapping[str, str] = field(default_factory=dict)
    """Key -> what it dials."""

    def forbidden(  # noqa: PLR0911 - a list of reasons
        self, asked: object, dialled: str, caller: str
    ) -> str:
        """Why `dialled` must not be, when somebody who is believed nothing asked for `asked`."""
        if not isinstance(asked, str):
            return "dialled without a text"
        if asked in self.configured:
            return "" if dialled == self.configured[asked] else "not the configured target"
        if not self.free:
            return "a free target, and none may be"
        scheme, colon, rest = dialled.partition(":")
        if not colon:
            return self._number(asked, dialled, caller)
        if scheme == "client":
            return "" if rest in self.clients else "no listed client"
        if scheme == "queue":
            return "" if rest in self.queues else "no listed queue"
        return self._sip(rest, caller) if scheme in ("sip", "sips") else "a strange scheme"

    def _number(self, asked: str, dialled: str, caller: str) -> str:
        written = "".join(letter for letter in asked if letter in "0123456789")
        if not dialled.endswith(written[-6:]) or len(written) < 6:
            return "something else was dialled than was written"
        if any(ord(letter) > 126 or ord(letter) < 32 for letter in asked):
            return "strange characters"
        if any(letter in asked.lower() for letter in "abcdefghijklmnopqrstuvwxyz;,*#:@%"):
            return "letters or an extension"
        return self.number(dialled, caller)

    def number(self, dialled: str, caller: str) -> str:  # noqa: PLR0911 - a list of reasons
        """Why this number, plus and digits, must not be dialled; "" if it may."""
        if dialled[:1] != "+" or not dialled[1:].isascii() or not dialled[1:].isdigit():
            return "not plus and digits"
        if not 8 <= len(dialled) <= 16:
            return "too short or too long"
        digits = dialled[1:]
        for name, ranges in (("network", NETWORKS), ("premium", PREMIUM)):
            if any(digits.startswith(one) for one in ranges):
                return name
        if len(digits) == 11 and digits[0] == "1" and digits[4:7] == "976":
            return "premium"
        if dialled == self.own:
            return "the line itself"
        allow = [len(one) for one in self.allow if dialled.startswith(one)]
        deny = [len(one) for one in self.deny if dialled.startswith(one)]
        if deny and (not allow or max(deny) >= max(allow)):
            return "denied"
        return self._kind(digits, allow) or self._reach(dialled, allow, caller)

    def _kind(self, digits: str, allow: list[int]) -> str:
        if allow and max(allow) >= 6:
            return ""
        for name, ranges in (("shared", SHARED), ("special", SPECIAL)):
            if any(digits.startswith(one) for one in ranges):
                return name
        if not self.toll_free and any(digits.startswith(one) for one in FREE):
            return "toll free"
        island = digits[0] == "1" and digits[1:4] in ISLANDS
        return "an island of area code 1" if island and not (allow and max(allow) >= 5) else ""

    def _reach(self, dialled: str, allow: list[int], caller: str) -> str:
        if not allow:
            home = any(dialled.startswith(code) for code in self.codes)
            if not home or any(dialled.startswith(code) for code in self.not_codes):
                return "another country"
            if dialled != caller:
                return "neither the caller's own nor on the list"
        return ""

    def _sip(self, rest: str, caller: str) -> str:
        if not all(32 < ord(letter) < 127 for letter in rest) or any(
            c in rest for c in '<>"\\^`{|}'
        ):
            return "strange characters"
        decoded = rest
        for _ in range(4):
            decoded = unquote(decoded)
        if not decoded.isprintable() or not decoded.isascii():
            return "an escaped control character"
        before, _, headers = rest.partition("?")
        if before.count("@") > 1 or "@" in headers or "%" in before:
            return "two parsers would not agree on it"
        place, *parameters = before.split(";")
        user, _, host = place.rpartition("@")
        if any(one.split("=")[0] not in ("transport", "edge") for one in parameters):
            return "a parameter"
        for one in headers.split("&") if headers else ():
            if one.split("=")[0].lower() not in [name.lower() for name in self.headers]:
                return "a header"
        return self._host(host) or self._user(user, caller)

    def _host(self, host: str) -> str:
        if host in self.hosts:
            return ""
        bare, _, port = host.rpartition(":")
        return "" if bare in self.hosts and port in ("5060", "5061") else "no listed host"

    def _user(self, user: str, caller: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._+-]*", user):
            return "a strange user"
        digits = re.sub(r"[^0-9]", "", user)
        if digits in EMERGENCY:
            return "emergency"
        if len(digits) >= 7:
            return self.number(user, caller) if user.startswith("+") else "a hidden number"
        return ""
