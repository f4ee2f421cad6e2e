"""What is kept and where, and whom it is told."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr, field_validator

from app.setting_groups.group import SettingGroup
from app.setting_rules import setting


class RecordSettings(SettingGroup):
    """A part of `app.settings.Settings`."""

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
    """The SQL database for the record of calls and for campaigns. Default: SQLite, in a file of
    the data folder."""

    data_dir: Path = setting(Path("earshot-data"), "EARSHOT_DATA_DIR", expected="a folder")
    """Where the record of each call goes; made when first needed."""

    record_events: bool = setting(True, "EARSHOT_RECORD_EVENTS", expected="true or false")
    """Keep each call's event log, which `earshot replay` reads. It holds what was said."""

    keep_days: int = setting(
        0, "EARSHOT_KEEP_DAYS", expected="a whole number from 0 to 36500", ge=0, le=36_500
    )
    """Calls that are older, in days, are deleted: their rows, and their files but for recordings
    and evidence. So are the people of campaigns that are over for so long. 0: never."""

    evidence_key: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_EVIDENCE_KEY",
        expected="a secret of 16 characters or more, or nothing",
        example="the output of openssl rand -hex 32",
    )
    """Keys the hashes of calls' evidence, so that only who has it can make a chain that verifies.
    Default: plain hashes."""

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

    api_token: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_API_TOKEN",
        expected="16 characters or more without spaces; while rotating: both, a comma between them",
        example="...",
    )
    """Who knows it may manage campaigns over HTTP at /api/v1. Default: nobody may."""

    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "EARSHOT_LOG_LEVEL", expected="debug, info, warning or error"
    )
    """The least severe log record that is written."""

    log_format: Literal["text", "json"] = setting(
        "text", "EARSHOT_LOG_FORMAT", expected="text or json"
    )
    """text for people, json for one object a line."""

    @field_validator("redis_url", "database_url")
    @classmethod
    def _store_url(cls, value: SecretStr, info: Any) -> SecretStr:
        schemes = (
            r"rediss?|unix" if info.field_name == "redis_url" else r"(sqlite|postgres(ql)?)\S*?"
        )
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

    @field_validator("api_token")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr) -> SecretStr:
        found = value.get_secret_value()
        if found and not all(re.fullmatch(r"[!-+\--~]{16,}", one) for one in found.split(",")):
            raise ValueError("a token is shorter, or holds a space")
        return value

    @field_validator("evidence_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"([!-~]{16,})?", value.get_secret_value()):
            raise ValueError("it is shorter, or holds a space")
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def api_tokens(self) -> tuple[str, ...]:
        """Each of them opens /api/v1."""
        return tuple(filter(None, self.api_token.get_secret_value().split(",")))
