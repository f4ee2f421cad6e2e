"""What the operator sets: one typed object, read from the environment and `.env`.

Each field names its variable, says what is expected and what it is for; `earshot doctor` and the
docs are made from the same words. Read it with `load_settings()`; a command says which variables
it cannot do without by `settings.require(...)`. "" always means "not set".
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app.setting_groups.callers import CallerSettings
from app.setting_groups.carriers import ARI, CarrierSettings
from app.setting_groups.models import DEFAULT_MODEL, ModelSettings
from app.setting_groups.records import RecordSettings
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

SERVING = ("OPENAI_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL")
"""What answering real calls needs."""


class Settings(CallerSettings, RecordSettings, CarrierSettings, ModelSettings):
    """Everything the operator can set. Immutable; secrets do not show in its repr."""

    _warnings: tuple[str, ...] = PrivateAttr(())

    public_url: str = setting(
        "",
        "PUBLIC_URL",
        expected="the https:// address at which Twilio reaches this server",
        example="https://bot.example.com",
    )
    """The origin of webhooks and of the media socket; may carry a path prefix. Signatures are
    checked against it, never against the Host header. http:// is for loopback only."""

    agent: str = setting(
        "receptionist", "EARSHOT_AGENT", expected="an agent's name or the path of its TOML file"
    )
    """The agent that answers when a call names none."""

    lead_ms: int = setting(
        200, "EARSHOT_LEAD_MS", expected="whole milliseconds from 40 to 2000", ge=40, le=2000
    )
    """How far ahead of the caller's ear audio is sent, in ms. More rides out jitter; less is
    left to clear when the caller interrupts."""

    routes: str = setting("", "EARSHOT_ROUTES", expected="the path of a TOML file with routes")
    """Which agent answers which number. Default: `agents/routes.toml`, if it is there."""

    tool_timeout_s: float = setting(
        10.0, "EARSHOT_TOOL_TIMEOUT_S", expected="seconds from 0.1 to 120", ge=0.1, le=120
    )
    """How long a tool may run before the model is told that it took too long, in seconds."""

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

    @field_validator("openai_base_url", "twilio_api_url", "telnyx_api_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        return tidy_http_url(value)

    @field_validator("ari_url")
    @classmethod
    def _ari_url(cls, value: str) -> str:
        if value.rstrip("/").endswith("/ari"):
            raise ValueError("/ari is added to it")
        return tidy_http_url(value) if value else value

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        return tidy_public_url(value) if value else value

    @property
    def warnings(self) -> tuple[str, ...]:
        """Lines for the operator at start: what is odd but works."""
        return self._warnings

    @property
    def digest_keys(self) -> tuple[str, ...]:
        """Where OpenAI's connector alone brings calls, its secret serves too."""
        own = self.openai_webhook_secret.get_secret_value()
        return super().digest_keys or ((own,) if own else ())

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in clear text, for the log's redaction."""
        fields = type(self).model_fields
        values = [getattr(self, name) for name in fields if fields[name].annotation is SecretStr]
        webhooks = self.webhook_secret.get_secret_value().split(",")
        rotating = (
            *self.twilio_auth_tokens,
            *(w.strip() for w in webhooks if w.strip()),
            *self.api_tokens,
        )
        return (*(v.get_secret_value() for v in values if v), *rotating)

    @property
    def needed_to_serve(self) -> tuple[str, ...]:
        """Names of variables: where others bring the calls, there need be no Twilio."""
        twilio = self.twilio_account_sid or self.twilio_auth_token.get_secret_value()
        others = self.takes_pbx_calls or self.takes_telnyx_calls or self.takes_openai_calls
        return SERVING[:1] if others and not twilio else SERVING

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
    odd = []
    if settings.public_url.startswith("http://"):
        odd.append("PUBLIC_URL is http://, so streams use ws:// and only this machine can call.")
    given = (settings.ari_url, settings.ari_user, settings.ari_password.get_secret_value())
    if any(given) and not all(given):
        lacks = ", ".join(name for name, value in zip(ARI, given, strict=True) if not value)
        odd.append(f"{lacks} is not set, so the PBX places no calls: {', '.join(ARI)} go together.")
    elif all(given) and settings.twilio_account_sid and not settings.calls_out:
        odd.append("Twilio places the calls, not the PBX; EARSHOT_CALLS_OUT says who does.")
    return odd
