"""`[lookup]`: what is asked about a caller over HTTP before the agent speaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, with_config

from app.agents.placeholders import NAME, names_in
from app.agents.shapes import fitting, shaped, wrong
from app.agents.variables import BUILT_IN, SIP

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


def _is_url(url: str) -> bool:
    """Names stand behind the "?" only, so that no value chooses another place."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    place = url.partition("?")[0]
    fine = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return bool(fine) and not names_in(place + parts.fragment) and not any(map(str.isspace, url))


def _fields(fields: Mapping[str, str]) -> Mapping[str, str]:
    for name, pointer in fields.items():
        own = name not in BUILT_IN or name == "caller_name"
        if not (NAME.match(name) and own and not name.startswith(SIP)):
            raise wrong("names of variables of your own, or caller_name")
        if not pointer.startswith("/"):
            raise wrong('JSON pointers such as "/customer/name"')
    return fields


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Asked when a call comes in, beside everything else; nothing that the caller hears waits."""

    url: Annotated[
        str, fitting(_is_url, 'an http:// or https:// address, with {{...}} only behind its "?"')
    ]
    """May hold {{caller_number}} and its like in the query."""
    fields: Annotated[Mapping[str, str], AfterValidator(_fields)]
    """Variable = JSON pointer into the answer."""
    method: Literal["GET", "POST"] = "GET"
    """A POST brings what is known of the call, as JSON."""
    secret_env: Annotated[
        str, shaped(r"([A-Za-z_][A-Za-z0-9_]*)?", "the name of an environment variable")
    ] = ""
    """The environment variable that holds a secret for the other side. Default: none is sent."""
    sign: Literal["bearer", "webhook"] = "bearer"
    """How it is used: as a bearer token, or to sign by Standard Webhooks."""
    timeout_ms: Annotated[int, Field(ge=50, le=3_000)] = 800
    """The longest that the model's first session waits for the answer, in ms since the call came
    in. Never more than half of EARSHOT_MODEL_CONNECT_TIMEOUT_S once the stream is there."""
