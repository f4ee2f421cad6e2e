"""Checks of the settings: what is set, what is missing, and what Twilio's console must be told."""

from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from app.doctor.report import Check, masked
from app.settings import Problem, Settings, SettingsError, variable_of

GROUP = "Settings"
_DEFAULT: Final = " (default)"


def check_refused(error: SettingsError) -> list[Check]:
    """The settings could not be read: a failed check for each problem."""
    return [
        Check(
            GROUP,
            problem.name,
            "fail",
            f"expected {problem.expected}, got {problem.got or 'nothing'}",
            problem.mend,
        )
        for problem in error.problems
    ]


def check_settings(settings: Settings, *, every: bool = False) -> list[Check]:
    """The settings with their values (secrets masked), those first that calls cannot do without.

    Those that nobody has set are one line together, unless `every` of them is to be told.
    """
    missing = _missing(settings)
    fields = {variable_of(info): key for key, info in Settings.model_fields.items()}
    serving = settings.needed_to_serve
    needed = [_needed(name, _shown(settings, fields[name]), missing) for name in serving]
    others = [
        _other(name, _shown(settings, fields[name])) for name in fields if name not in serving
    ]
    if not every:
        others = _set_ones(others)
    return [*needed, *others, *(Check(GROUP, "Note", "warn", text) for text in settings.warnings)]


def check_twilio_urls(settings: Settings) -> list[Check]:
    """The addresses to type into Twilio's console, and the one that Twilio is told by TwiML;
    nothing where others bring the calls."""
    group = "Addresses for Twilio"
    if "TWILIO_ACCOUNT_SID" not in settings.needed_to_serve:
        return []
    if not settings.public_url:
        return [Check(group, "Voice webhook", "skip", "PUBLIC_URL is not set")]
    return [
        Check(group, "A call comes in", "ok", f"POST {settings.url('/twilio/voice')}"),
        Check(group, "Call status changes", "ok", f"POST {settings.url('/twilio/status')}"),
        Check(group, "A message comes in", "ok", f"POST {settings.url('/twilio/sms')}"),
        Check(group, "Media stream", "ok", f"{settings.socket_url('/twilio/media')} (by TwiML)"),
    ]


def check_pbx(settings: Settings) -> list[Check]:
    """Where a PBX of the operator's finds us; nothing where none may come."""
    group, name = "Your own PBX", "Media socket"
    if not settings.takes_pbx_calls:
        if not (settings.pbx_user or settings.pbx_password.get_secret_value()):
            return []
        mend = "Set EARSHOT_PBX_USER and EARSHOT_PBX_PASSWORD, both."
        return [Check(group, name, "fail", "a name or a password alone", mend)]
    if not settings.public_url:
        return [
            Check(group, name, "ok", "/asterisk/media; with PUBLIC_URL its address stands here")
        ]
    checks = [
        Check(group, name, "ok", f"{settings.socket_url('/asterisk/media')} (uri)"),
        Check(group, "What comes next", "ok", f"POST {settings.url('/asterisk/next')}"),
    ]
    if settings.ari_url:
        told = f"POST {settings.url('/asterisk/dialled')}"
        checks.append(Check(group, "What came of a call", "ok", told))
    return checks


def check_streams_of_telnyx(settings: Settings) -> list[Check]:
    """Where Telnyx finds us; nothing where it may not come."""
    group, name, path = "Telnyx", "stream_url", "/telnyx/media/"
    if settings.takes_telnyx_calls:
        at = settings.socket_url(path) if settings.public_url else path
        return [Check(group, name, "ok", f"{at} and EARSHOT_TELNYX_TOKEN")]
    if not any(key.get_secret_value() for key in (settings.telnyx_token, settings.telnyx_api_key)):
        return []
    mend = "Set EARSHOT_TELNYX_TOKEN and EARSHOT_TELNYX_API_KEY, both."
    return [Check(group, name, "fail", "a token or a key alone", mend)]


def check_sip_of_openai(settings: Settings) -> list[Check]:
    """Where OpenAI offers us calls of its SIP connector; nothing where it may not."""
    if not settings.takes_openai_calls:
        return []
    at = f"POST {settings.url('/openai/webhook')} (realtime.call.incoming)"
    return [Check("OpenAI's SIP connector", "A call comes in", "ok", at)]


def _set_ones(checks: list[Check]) -> list[Check]:
    told = [c for c in checks if c.status != "skip" and not c.seen.endswith(_DEFAULT)]
    rest = len(checks) - len(told)
    if rest:
        seen = f"{rest} are not set or have their defaults; `earshot doctor --all` lists them"
        told.append(Check(GROUP, "All others", "ok", seen))
    return told


def _missing(settings: Settings) -> dict[str, Problem]:
    try:
        settings.require(*settings.needed_to_serve)
    except SettingsError as error:
        return {problem.name: problem for problem in error.problems}
    return {}


def _needed(name: str, seen: str, missing: Mapping[str, Problem]) -> Check:
    if name in missing:
        return Check(GROUP, name, "fail", "not set", missing[name].mend)
    return Check(GROUP, name, "ok", seen)


def _other(name: str, seen: str) -> Check:
    return Check(GROUP, name, "ok" if seen else "skip", seen or "not set")


def _shown(settings: Settings, field: str) -> str:
    """The value as it may be shown; "" if it is not set."""
    if field == "twilio_auth_token":
        return ", then ".join(masked(token) for token in settings.twilio_auth_tokens)
    value = getattr(settings, field)
    if isinstance(value, SecretStr):
        return masked(value.get_secret_value()) if value else ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if field in settings.model_fields_set or not text else f"{text}{_DEFAULT}"
