"""How a setting is declared, what a right one looks like, and how a wrong one is told in a line."""

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from dotenv.parser import parse_stream
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong or missing setting. `got` never holds a secret's value; "" means not set."""

    name: str
    expected: str
    got: str
    mend: str

    def __str__(self) -> str:
        got = f"got {self.got}" if self.got else "but it is not set"
        return f"{self.name}: expected {self.expected}, {got}. {self.mend}"


class SettingsError(ValueError):
    """The operator's settings cannot be used. Its text is one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def setting(default: object, *names: str, expected: str, example: str = "", **limits: Any) -> Any:
    """A field read from the first of `names` that is set; `expected` fits after "expected"."""
    extra = {"expected": expected, "example": example or str(default)}
    return Field(
        default, validation_alias=AliasChoices(*names), json_schema_extra=dict(extra), **limits
    )


_LOGINS: Final = re.compile(r"(\s*[A-Za-z0-9.-]+\s*=[^:,\s]+:[^,\s]+\s*(,|\Z))*")


def are_logins(text: str) -> bool:
    """host=user:password, several of them with commas between."""
    return _LOGINS.fullmatch(text) is not None


def names_of(info: FieldInfo) -> list[str]:
    """The variables that a field is read from, the usual one first."""
    aliases = info.validation_alias
    assert isinstance(aliases, AliasChoices)
    return [str(name) for name in aliases.choices]


def variable_of(info: FieldInfo) -> str:
    """The environment variable that a field is read from."""
    return names_of(info)[0]


def problem_with(name: str, info: FieldInfo, got: str, reason: str) -> Problem:
    """The problem with the variable `name`, in the words of its field; "" as `got`: not set."""
    extra = info.json_schema_extra
    assert isinstance(extra, dict)
    mend = "Set, for example," if got else "Put it into .env or the environment:"
    got = f"{got} ({reason})" if reason else got
    return Problem(name, str(extra["expected"]), got, f"{mend} {name}={extra['example']}")


def problems_in(
    error: ValidationError, given: Mapping[str, str], fields: Mapping[str, FieldInfo]
) -> list[Problem]:
    """What pydantic found wrong with the variables `given`; `fields` are by variable."""
    problems = []
    for wrong in error.errors(include_url=False):
        info = fields[str(wrong["loc"][0])]
        name = next(alias for alias in names_of(info) if alias in given)
        reason = str(wrong.get("ctx", {}).get("error", ""))
        got = shown(given[name], secret=info.annotation is SecretStr)
        problems.append(problem_with(name, info, got, reason))
    return problems


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env` file, taken literally: `${...}` is not expanded.

    Raises SettingsError if the file cannot be read or has a line that is not NAME=value.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        mend = "Mend the file, or start without it."
        raise SettingsError([Problem(str(path), "a readable file", str(what), mend)]) from error
    bad = [b.original.line for b in bindings if b.error or (b.key and b.value is None)]
    if bad:
        # The line itself may be a secret, so only its number is told.
        lines = [f"{path} line {line}" for line in bad]
        mend = "Write one setting on each line; put values with spaces or # into quotes."
        raise SettingsError([Problem(line, "NAME=value", "something else", mend) for line in lines])
    return {b.key: b.value for b in bindings if b.key and b.value is not None}


def misspelt(given: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """A warning for each EARSHOT_ variable that we do not know, with the nearest right name."""
    names = sorted(name for name in known if name.startswith("EARSHOT_"))
    warnings = []
    for name in sorted(given):
        if name in names or not name.startswith("EARSHOT_"):
            continue
        # Without the common beginning, which would make everything look alike.
        ours = [known.removeprefix("EARSHOT_") for known in names]
        near = get_close_matches(name.upper().removeprefix("EARSHOT_"), ours, n=1)
        hint = (
            f"did you mean EARSHOT_{near[0]}?" if near else "`earshot doctor` lists the known ones."
        )
        warnings.append(f"{name} is not a setting and is ignored; {hint}")
    return warnings


def shown(value: object, *, secret: bool) -> str:
    """A value as an error message may quote it."""
    if secret:
        return f"a value of {len(str(value))} characters"
    text = re.sub(r"//[^/@\s]*@", "//...@", str(value))
    return json.dumps(text if len(text) <= 80 else text[:77] + "...", ensure_ascii=False)


def check_signing_secret(secret: str) -> None:
    """Of webhooks that others sign (Standard Webhooks). Raises `ValueError`."""
    if not re.fullmatch(r"[!-~]*", secret):
        raise ValueError("it holds a space or a character that no secret has")
    if secret.startswith("whsec_"):
        try:
            base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise ValueError("what follows whsec_ is no base64") from None


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine reaches: localhost, 127.0.0.0/8, ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tidy_http_url(value: str) -> str:
    """An http(s) address without a trailing slash. Raises ValueError that says what is wrong."""
    if not value.lower().startswith(("https://", "http://")):
        raise ValueError("it does not begin with https:// or http://")
    parts = _split(value)
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a user name or password")
    if parts.query or parts.fragment or value.rstrip("/").endswith(("?", "#")):
        raise ValueError("it has a query (?...) or a fragment (#...)")
    return urlunsplit(parts._replace(path=parts.path.rstrip("/")))


def tidy_public_url(value: str) -> str:
    """`tidy_http_url` that takes plain http for loopback only: Twilio refuses ws:// streams."""
    url = tidy_http_url(value)
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("plain http works on this machine only (localhost, 127.0.0.1)")
    return url


def _split(value: str) -> SplitResult:
    if re.search(r"[^!-~]", value):
        raise ValueError("it holds a space or a character that addresses do not have")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError("its host or port is malformed") from error
    if not parts.hostname or port == 0:
        raise ValueError("it names no host" if port != 0 else "port 0 is no port")
    return parts


def websocket_url(url: str) -> str:
    """The same address for a WebSocket: https gives wss, http gives ws."""
    return "ws" + url.removeprefix("http")
