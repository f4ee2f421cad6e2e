"""The tables of an agent's file that declare tools: HTTP endpoints, MCP servers, topics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, with_config

from app.agents.shapes import shaped

OnInterruption: TypeAlias = Literal["finish", "cancel"]
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
ParameterType: TypeAlias = Literal["string", "integer", "number", "boolean", "array"]
Place: TypeAlias = Literal["", "path", "query", "body", "header"]
_A_NAME = "1 to 64 letters, digits, _ or -"
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Name: TypeAlias = Annotated[str, shaped(r"[A-Za-z0-9_-]{1,64}", _A_NAME)]
_Env: TypeAlias = Annotated[
    str, shaped(r"([A-Za-z_][A-Za-z0-9_]*)?", "the name of an environment variable")
]
_HeaderName: TypeAlias = Annotated[str, shaped(r"[A-Za-z0-9-]+", "the name of a header")]
_Url: TypeAlias = Annotated[str, shaped(r"https?://\S+", "an http:// or https:// address")]
_UrlOrNone: TypeAlias = Annotated[str, shaped(r"(https?://\S+)?", "an http:// or https:// address")]
_Pointer: TypeAlias = Annotated[str, shaped(r"(/.*)?", 'a JSON pointer such as "/data/code"')]
_Seconds: TypeAlias = Annotated[float, Field(gt=0, le=120)]
_Chars: TypeAlias = Annotated[int, Field(ge=200, le=100_000)]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpParameter:
    """One argument of an HTTP tool."""

    type: ParameterType = "string"
    """`array` is a list of texts."""
    description: str = ""
    """For the model."""
    required: bool = True
    enum: tuple[str, ...] = ()
    """The only values of a text."""
    minimum: float | None = None
    maximum: float | None = None
    max_chars: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """The longest text."""
    place: Place = ""
    """Where it goes. Default: the path if the url names it, else the query of a GET or DELETE, else
    the body, which is one JSON object."""
    sent_as: str = ""
    """Its name there. Default: its own."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTool:
    """An HTTP endpoint as a tool."""

    name: _Name
    description: _Words
    """Tells the model when to use it."""
    url: _Url
    """May hold `{argument}` in its path."""
    method: Method = "POST"
    parameters: Mapping[_Name, HttpParameter] = field(default_factory=dict)
    headers: Mapping[_HeaderName, str] = field(default_factory=dict)
    """Sent with every request."""
    secret_env: _Env = ""
    """The environment variable that holds the secret of the endpoint."""
    secret_header: _HeaderName = "Authorization"
    """Where the secret goes: as `Bearer ...` in `Authorization`, as it is in any other."""
    signing_secret_env: _Env = ""
    """The environment variable that holds the secret (`whsec_...`) with which requests are signed,
    as Standard Webhooks says."""
    timeout_s: _Seconds = 10.0
    """For all tries together, in seconds."""
    retries: Annotated[int, Field(ge=0, le=5)] = 2
    """After a fault of the server, where trying again is safe: a GET, or `idempotent`."""
    idempotent: bool = False
    """The endpoint does nothing twice for the same Idempotency-Key."""
    once_per_call: bool = False
    """The same arguments again, in the same call, get the first success again."""
    result: tuple[_Pointer, ...] = ()
    """JSON pointers to what the model is told of the answer. Default: the whole."""
    max_result_chars: _Chars = 4_000
    on_interruption: OnInterruption = "finish"
    """What becomes of it when the caller takes the floor."""
    wait_words: str = ""
    """Said when it takes long. Default: silence.tool_words."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class McpOptions:
    """How calls deal with one tool of an MCP server."""

    rename: Annotated[str, shaped(r"[A-Za-z0-9_-]{0,64}", _A_NAME)] = ""
    """What the model calls it. Default: as the server does."""
    idempotent: bool | None = None
    """The server does nothing twice for the same key. Default: what the server says."""
    once_per_call: bool = False
    on_interruption: OnInterruption = "finish"
    wait_words: str = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """An MCP server whose tools the agent has: a program, or an address."""

    command: str = ""
    """The program; it is started with the worker and talked to over its standard input."""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the program, besides the usual ones (PATH, HOME, ...)."""
    pass_env: tuple[_Env, ...] = ()
    """Environment variables that it gets from ours, such as its secrets."""
    url: _UrlOrNone = ""
    """The address (streamable HTTP), in the place of a program."""
    headers: Mapping[_HeaderName, str] = field(default_factory=dict)
    secret_env: _Env = ""
    """The environment variable that holds its bearer token."""
    tools: tuple[str, ...] = ()
    """Those that the agent may use, as the server calls them. Default: all."""
    options: Mapping[str, McpOptions] = field(default_factory=dict)
    """By tool, as the server calls it."""
    timeout_s: _Seconds = 10.0
    """For one run of a tool, in seconds."""
    connect_s: _Seconds = 10.0
    """For starting and listing its tools, in seconds."""
    max_result_chars: _Chars = 4_000


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Tools that the model gets when it asks for them."""

    description: _Words
    """Tells the model when it needs them."""
    tools: Annotated[tuple[_Words, ...], Field(min_length=1)]
    """As the model calls them; "mcp.NAME": all of an MCP server."""
