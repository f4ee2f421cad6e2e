"""The models: who talks, who listens, and who writes beside them."""

import re
from typing import Literal

from pydantic import SecretStr, field_validator

from app.setting_groups.group import SettingGroup
from app.setting_rules import check_signing_secret, setting

DEFAULT_MODEL = "gpt-realtime-2.1"


class ModelSettings(SettingGroup):
    """A part of `app.settings.Settings`."""

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

    openai_webhook_secret: SecretStr = setting(
        SecretStr(""),
        "OPENAI_WEBHOOK_SECRET",
        expected="the signing secret of an OpenAI webhook endpoint",
        example="whsec_...",
    )
    """Checks the signatures of OpenAI's webhooks, by which calls come over its SIP connector. Not
    set: no such call is taken."""

    model: str = setting(
        "", "EARSHOT_MODEL", expected="a realtime model's id", example=DEFAULT_MODEL
    )
    """Overrides every agent's model. Default: the agent's own, else gpt-realtime-2.1."""

    voice_detector: Literal["silero", "webrtc", "energy"] = setting(
        "silero", "EARSHOT_VOICE_DETECTOR", expected="silero, webrtc or energy"
    )
    """What hears callers where an agent's barge_in.by is "voice". The others are cheaper, and take
    most noise for a voice."""

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

    @field_validator("openai_api_key")
    @classmethod
    def _header_safe(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]*", value.get_secret_value()):
            raise ValueError("it holds a space or a character that no key has")
        return value

    @field_validator("openai_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr) -> SecretStr:
        check_signing_secret(value.get_secret_value())
        return value

    def model_for(self, agents_model: str) -> str:
        """The model to use for an agent that names `agents_model` (or "")."""
        return self.model or agents_model or DEFAULT_MODEL

    @property
    def takes_openai_calls(self) -> bool:
        """OpenAI's SIP connector may offer calls."""
        return bool(self.openai_webhook_secret.get_secret_value())
