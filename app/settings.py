"""What the operator sets: one typed object, read from the environment and `.env`.

Each field names its variable, says what is expected and what it is for; `earshot doctor` and the
docs are made from the same words. Read it with `load_settings()`; a command says which variables
it cannot do without by `settings.require(...)`. "" always means "not set".
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.setting_rules import (
    Problem,
    SettingsError,
    misspelt,
    names_of,
    problem_with,
    problems_in,
    read_env_file,
    setting,
    tidy_http_url,
    tidy_public_url,
    variable_of,
    websocket_url,
)

__all__ = [
    "DEFAULT_MODEL",
    "SERVING",
    "Problem",
    "Settings",
    "SettingsError",
    "load_settings",
    "variable_of",
]

DEFAULT_MODEL = "gpt-realtime-2.1"
SERVING = ("OPENAI_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL")
"""What answering real calls needs."""


class Settings(BaseSettings):
    """Everything the operator can set. Immutable; secrets do not show in its repr."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True
    )
    _warnings: tuple[str, ...] = PrivateAttr(())

    openai_api_key: SecretStr = setting(
        SecretStr(""), "OPENAI_API_KEY", expected="an OpenAI secret key", example="sk-..."
    )
    """The key for the model. Needed to serve calls."""

    openai_base_url: str = setting(
        "https://api.openai.com/v1",
        "OPENAI_BASE_URL",
        expected="an http(s):// address, as for OpenAI's SDK",
    )
    """Where the model is. An http:// base gives ws:// sessions, https:// gives wss://."""

    openai_project: str = setting(
        "",
        "OPENAI_PROJECT",
        "OPENAI_PROJECT_ID",
        expected="a project id",
        example="proj_...",
        pattern=r"^[!-~]*$",
    )
    """The OpenAI project that pays. Default: the key's own."""

    twilio_account_sid: str = setting(
        "",
        "TWILIO_ACCOUNT_SID",
        expected="AC and 32 hexadecimal digits",
        example="AC...",
        pattern=r"^(AC[0-9a-fA-F]{32})?$",
    )
    """The Twilio account. Needed to serve calls."""

    twilio_auth_token: SecretStr = setting(
        SecretStr(""),
        "TWILIO_AUTH_TOKEN",
        expected="the account's auth token; while rotating: the primary one, a comma, the next",
        example="...",
    )
    """Checks Twilio's signatures (any of them) and logs in to its API (the first)."""

    public_url: str = setting(
        "",
        "PUBLIC_URL",
        expected="the https:// address at which Twilio reaches this server",
        example="https://bot.example.com",
    )
    """The origin of webhooks and of the media socket; may carry a path prefix. Signatures are
    checked against it, never against the Host header. http:// is for loopback only."""

    redis_url: SecretStr = setting(
        SecretStr(""),
        "REDIS_URL",
        expected="a redis://, rediss:// or unix:// address",
        example="redis://localhost:6379/0",
    )
    """The Redis for what must outlive a worker. Default: a private one where a Redis server is
    installed, else the memory of the process."""

    database_url: SecretStr = setting(
        SecretStr(""),
        "DATABASE_URL",
        expected="an sqlite:// or postgresql:// address",
        example="postgresql://localhost/earshot",
    )
    """The SQL database for records. Default: none; records are files in the data folder."""

    agent: str = setting(
        "receptionist", "EARSHOT_AGENT", expected="an agent's name or the path of its TOML file"
    )
    """The agent that answers when a call names none."""

    model: str = setting(
        "", "EARSHOT_MODEL", expected="a realtime model's id", example=DEFAULT_MODEL
    )
    """Overrides every agent's model. Default: the agent's own, else gpt-realtime-2.1."""

    data_dir: Path = setting(Path("earshot-data"), "EARSHOT_DATA_DIR", expected="a folder")
    """Where the record of each call goes; made when first needed."""

    record_events: bool = setting(True, "EARSHOT_RECORD_EVENTS", expected="true or false")
    """Keep each call's event log, which `earshot replay` reads. It holds what was said."""

    lead_ms: int = setting(
        200, "EARSHOT_LEAD_MS", expected="whole milliseconds from 40 to 2000", ge=40, le=2000
    )
    """How far ahead of the caller's ear audio is sent, in ms. More rides out jitter; less is
    left to clear when the caller interrupts."""

    voice_detector: Literal["silero", "webrtc", "energy"] = setting(
        "silero", "EARSHOT_VOICE_DETECTOR", expected="silero, webrtc or energy"
    )
    """What hears callers where an agent's barge_in.by is "voice". The others are cheaper, and take
    most noise for a voice."""

    max_calls: int = setting(
        50, "EARSHOT_MAX_CALLS", expected="a whole number from 1 to 10000", ge=1, le=10_000
    )
    """Calls at once in one worker process; the next one is refused."""

    max_lag_ms: int = setting(
        200, "EARSHOT_MAX_LAG_MS", expected="whole milliseconds from 20 to 5000", ge=20, le=5000
    )
    """How late the process's clock may tick, in ms, before it takes no new calls."""

    when_full: Literal["apologise", "busy", "queue", "redirect"] = setting(
        "apologise",
        "EARSHOT_WHEN_FULL",
        expected="apologise, busy, queue or redirect",
    )
    """What a caller hears when there is no room: an apology, the busy tone, a wait until there
    is, or what EARSHOT_FULL_REDIRECT_URL says."""

    full_redirect_url: str = setting(
        "",
        "EARSHOT_FULL_REDIRECT_URL",
        expected="the https:// address of TwiML for callers without a place",
        example="https://handler.twilio.com/twiml/EH...",
        pattern=r"^(https?://\S+)?$",
    )
    """Where calls go when there is no room and EARSHOT_WHEN_FULL is redirect."""

    blocked: str = setting(
        "", "EARSHOT_BLOCKED", expected="the path of a file", example="blocked.txt"
    )
    """Callers who are not let in, one number or beginning of numbers (+1900*) a line. Read again
    when it changes. Default: none but those that `earshot block` and agents block."""

    when_blocked: Literal["busy", "message"] = setting(
        "busy", "EARSHOT_WHEN_BLOCKED", expected="busy or message"
    )
    """What such a caller meets: the busy tone, unanswered, or a sentence and the end."""

    anonymous: Literal["allow", "reject"] = setting(
        "allow", "EARSHOT_ANONYMOUS", expected="allow or reject"
    )
    """Whether callers who withhold their number are let in."""

    caller_calls: int = setting(
        0, "EARSHOT_CALLER_CALLS", expected="a whole number from 0 to 1000", ge=0, le=1000
    )
    """So many calls from one number within EARSHOT_CALLER_WINDOW_S are let in, the next ones meet
    the busy tone. 0: no limit."""

    caller_window_s: int = setting(
        600, "EARSHOT_CALLER_WINDOW_S", expected="whole seconds from 10 to 86400", ge=10, le=86_400
    )
    """The time in which they are counted, in seconds."""

    drain_s: float = setting(
        60.0, "EARSHOT_DRAIN_S", expected="seconds from 0 to 3600", ge=0, le=3600
    )
    """How long calls may go on by themselves when the process is told to stop; then they move to
    another worker."""

    model_connect_timeout_s: float = setting(
        1.5, "EARSHOT_MODEL_CONNECT_TIMEOUT_S", expected="seconds from 0.5 to 60", ge=0.5, le=60
    )
    """How long one attempt to open a model session may take, in seconds."""

    model_give_up_s: float = setting(
        2.7, "EARSHOT_MODEL_GIVE_UP_S", expected="seconds from 0.5 to 60", ge=0.5, le=60
    )
    """How long a call may be without a model, all attempts together, before it falls back."""

    session_minutes: float = setting(
        15.0, "EARSHOT_SESSION_MINUTES", expected="minutes from 0.05 to 600", ge=0.05, le=600
    )
    """How long a model session lasts before the call moves to the next one."""

    session_context_tokens: int = setting(
        12_000,
        "EARSHOT_SESSION_CONTEXT_TOKENS",
        expected="a whole number from 0 to 1000000",
        ge=0,
        le=1_000_000,
    )
    """The call moves to a fresh session when an answer has read this many tokens. 0: no limit."""

    session_spend_usd: float = setting(
        0.0, "EARSHOT_SESSION_SPEND_USD", expected="US dollars from 0 to 1000", ge=0, le=1000
    )
    """The call moves to a fresh session when this one has cost so much. 0: no limit."""

    prune_audio_tokens: int = setting(
        0,
        "EARSHOT_PRUNE_AUDIO_TOKENS",
        expected="a whole number from 0 to 100000",
        ge=0,
        le=100_000,
    )
    """When so many tokens of old audio have gathered in a session's memory, their words replace
    them. Cheaper for calls of many minutes; the model then knows old turns as text. 0: never."""

    summary_model: str = setting(
        "", "EARSHOT_SUMMARY_MODEL", expected="a text model's id, or nothing"
    )
    """Writes the summaries that a call's next session starts from. Default: the session itself."""

    summary_base_url: str = setting(
        "",
        "EARSHOT_SUMMARY_BASE_URL",
        expected="an http(s):// address",
        pattern=r"^(https?://\S+)?$",
    )
    """Where the summary model is. Default: OPENAI_BASE_URL."""

    after_call_model: str = setting(
        "gpt-6-luna", "EARSHOT_AFTER_CALL_MODEL", expected="a text model's id"
    )
    """Writes what agents with an [after_call] table want to know of a call that is over, where they
    name no model of their own."""

    after_call_base_url: str = setting(
        "",
        "EARSHOT_AFTER_CALL_BASE_URL",
        expected="an http(s):// address",
        pattern=r"^(https?://\S+)?$",
    )
    """Where that model is. Default: OPENAI_BASE_URL."""

    webhook_url: str = setting(
        "",
        "EARSHOT_WEBHOOK_URL",
        expected="an https:// address, or an http:// one of this machine",
        example="https://crm.example.com/earshot",
        pattern=r"^((https://[!-~]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[!-~]*)?))?$",
    )
    """Is told everything of every agent's calls. Default: only agents' own webhooks are told."""

    webhook_secret: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_WEBHOOK_SECRET",
        expected="whsec_ and base64; while rotating: both, a comma between them",
        example="whsec_...",
    )
    """Signs what EARSHOT_WEBHOOK_URL is told. `earshot webhooks secret` makes one."""

    webhook_retry_s: str = setting(
        "",
        "EARSHOT_WEBHOOK_RETRY_S",
        expected="seconds above 0 with commas between them",
        example="5,30,300,3600",
    )
    """Waits before a webhook that was not taken is sent again. Default: ten of them, 5 s to 10 h,
    about a day in all."""

    judge_model: str = setting("", "EARSHOT_JUDGE_MODEL", expected="a text model's id, or nothing")
    """Asked whether a caller who paused has said all, for agents that end turns by our own voice
    detection. A small and fast one. Default: nobody is asked, the silence decides."""

    judge_base_url: str = setting(
        "", "EARSHOT_JUDGE_BASE_URL", expected="an http(s):// address", pattern=r"^(https?://\S+)?$"
    )
    """Where that model is. Default: OPENAI_BASE_URL."""

    judge_timeout_s: float = setting(
        0.4, "EARSHOT_JUDGE_TIMEOUT_S", expected="seconds from 0.05 to 3", ge=0.05, le=3
    )
    """How long its verdict is waited for, in seconds."""

    judge_reasons: bool = setting(True, "EARSHOT_JUDGE_REASONS", expected="true or false")
    """It is a reasoning model, which is told not to reason. false: for models that refuse that."""

    text_model: str = setting("", "EARSHOT_TEXT_MODEL", expected="a text model's id, or nothing")
    """Answers text messages, with the agents' instructions and tools. Default: nobody does; who
    writes is told once that they should call."""

    text_base_url: str = setting(
        "", "EARSHOT_TEXT_BASE_URL", expected="an http(s):// address", pattern=r"^(https?://\S+)?$"
    )
    """Where that model is. Default: OPENAI_BASE_URL."""

    text_hours: float = setting(
        48.0, "EARSHOT_TEXT_HOURS", expected="hours from 0.1 to 720", ge=0.1, le=720
    )
    """How long a conversation by text message is remembered after its last message, in hours; and
    a call, for the messages after it."""

    prices: str = setting("", "EARSHOT_PRICES", expected="the path of a TOML file with prices")
    """The price table that costs are reckoned with. Default: the one that ships."""

    routes: str = setting("", "EARSHOT_ROUTES", expected="the path of a TOML file with routes")
    """Which agent answers which number. Default: `agents/routes.toml`, if it is there."""

    tool_timeout_s: float = setting(
        10.0, "EARSHOT_TOOL_TIMEOUT_S", expected="seconds from 0.1 to 120", ge=0.1, le=120
    )
    """How long a tool may run before the model is told that it took too long, in seconds."""

    twilio_timeout_s: float = setting(
        10.0, "EARSHOT_TWILIO_TIMEOUT_S", expected="seconds from 0.5 to 60", ge=0.5, le=60
    )
    """How long a request to Twilio's API may take, in seconds."""

    twilio_api_url: str = setting(
        "https://api.twilio.com", "EARSHOT_TWILIO_API_URL", expected="an http(s):// address"
    )
    """Twilio's API. Another address is for tests against the lab's."""

    from_number: str = setting(
        "",
        "EARSHOT_FROM_NUMBER",
        expected="a number of yours in E.164 form: + and 8 to 15 digits",
        example="+1...",
        pattern=r"^(\+[1-9][0-9]{7,14})?$",
    )
    """The caller ID of outbound calls."""

    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "EARSHOT_LOG_LEVEL", expected="debug, info, warning or error"
    )
    """The least severe log record that is written."""

    log_format: Literal["text", "json"] = setting(
        "text", "EARSHOT_LOG_FORMAT", expected="text or json"
    )
    """text for people, json for one object a line."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only `load_settings` reads the environment: `Settings(...)` is what its caller says."""
        return (init_settings,)

    @field_validator("openai_base_url", "twilio_api_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        return tidy_http_url(value)

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        return tidy_public_url(value) if value else value

    @field_validator("twilio_auth_token")
    @classmethod
    def _tokens(cls, value: SecretStr) -> SecretStr:
        tokens = value.get_secret_value()
        if tokens and not all(re.fullmatch(r"\s*[!-+\--~]+\s*", t) for t in tokens.split(",")):
            raise ValueError("an entry between the commas is empty or holds a space")
        return value

    @field_validator("openai_api_key")
    @classmethod
    def _header_safe(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]*", value.get_secret_value()):
            raise ValueError("it holds a space or a character that no key has")
        return value

    @field_validator("redis_url", "database_url")
    @classmethod
    def _store_url(cls, value: SecretStr, info: Any) -> SecretStr:
        schemes = r"rediss?|unix" if info.field_name == "redis_url" else r"(sqlite|postgresql)\S*?"
        if value and not re.match(rf"({schemes})://", value.get_secret_value()):
            raise ValueError("it begins with none of these")
        return value

    @field_validator("webhook_retry_s")
    @classmethod
    def _waits(cls, value: str) -> str:
        if value and not re.fullmatch(r"\s*(\d+(\.\d+)?)(\s*,\s*\d+(\.\d+)?)*\s*", value):
            raise ValueError("these are no seconds")
        if any(not 0 < float(part) <= 604_800 for part in value.split(",") if part):
            raise ValueError("a wait is above 0 and at most a week")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secrets(cls, value: SecretStr) -> SecretStr:
        found = value.get_secret_value()
        if found and not all(
            re.fullmatch(r"\s*whsec_[A-Za-z0-9+/]{32,86}={0,2}\s*", s) for s in found.split(",")
        ):
            raise ValueError("an entry is not whsec_ and base64 of 24 to 64 bytes")
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def warnings(self) -> tuple[str, ...]:
        """Lines for the operator at start: what is odd but works."""
        return self._warnings

    @property
    def twilio_auth_tokens(self) -> tuple[str, ...]:
        """The tokens in clear text, the primary one first; empty when none is set."""
        tokens = self.twilio_auth_token.get_secret_value().split(",")
        return tuple(token.strip() for token in tokens if token.strip())

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in clear text, for the log's redaction."""
        fields = type(self).model_fields
        values = [getattr(self, name) for name in fields if fields[name].annotation is SecretStr]
        webhooks = self.webhook_secret.get_secret_value().split(",")
        rotating = (*self.twilio_auth_tokens, *(w.strip() for w in webhooks if w.strip()))
        return (*(v.get_secret_value() for v in values if v), *rotating)

    def model_for(self, agents_model: str) -> str:
        """The model to use for an agent that names `agents_model` (or "")."""
        return self.model or agents_model or DEFAULT_MODEL

    def url(self, path: str) -> str:
        """The public address of one of our paths, such as "/twilio/voice"."""
        return self.public_url + path

    def socket_url(self, path: str) -> str:
        """The public WebSocket address of one of our paths, such as "/twilio/media"."""
        return websocket_url(self.public_url) + path

    def require(self, *names: str) -> None:
        """Raise SettingsError with a line for each of these variables that is not set."""
        fields = {variable_of(info): (key, info) for key, info in type(self).model_fields.items()}
        missing = [name for name in names if not getattr(self, fields[name][0])]
        if missing:
            raise SettingsError(problem_with(name, fields[name][1], "", "") for name in missing)


def load_settings(
    env: Mapping[str, str] | None = None, env_file: Path | str | None = ".env"
) -> Settings:
    """Read the settings from `env` (default: the process's environment), then from `env_file`.

    A missing `.env` is no error, another missing file is. A variable that is set to nothing
    counts as not set. Raises SettingsError: one line for each problem, never a secret's value.
    """
    file = Path(env_file) if env_file is not None else None
    named = file is not None and file != Path(".env")
    given = read_env_file(file) if file is not None and (named or file.exists()) else {}
    given.update(os.environ if env is None else env)
    given = {name: value.strip() for name, value in given.items() if value.strip()}
    known = {name: info for info in Settings.model_fields.values() for name in names_of(info)}
    try:
        settings = Settings.model_validate({k: v for k, v in given.items() if k in known})
    except ValidationError as error:
        raise SettingsError(problems_in(error, given, known)) from None
    settings._warnings = (*misspelt(given, known), *_oddities(settings))
    return settings


def _oddities(settings: Settings) -> list[str]:
    if settings.public_url.startswith("http://"):
        return ["PUBLIC_URL is http://, so streams use ws:// and only this machine can call."]
    return []
