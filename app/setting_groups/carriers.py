"""Who brings calls and places them: Twilio, a PBX, Telnyx."""

import re
from typing import Final, Literal

from pydantic import SecretStr, field_validator

from app.setting_groups.group import SettingGroup
from app.setting_rules import are_logins, setting

ARI: Final = ("EARSHOT_ARI_URL", "EARSHOT_ARI_USER", "EARSHOT_ARI_PASSWORD")
"""What goes together: one without the others places no calls."""


class CarrierSettings(SettingGroup):
    """A part of `app.settings.Settings`."""

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

    sip_logins: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_SIP_LOGINS",
        expected="host=user:password of SIP systems, with commas between",
        example="pbx.example.com=earshot:...",
    )
    """How we log in at SIP systems that we call or put callers through to. Each login goes to its
    own host only. A comma in a password is written %2C."""

    byoc_trunk: str = setting(
        "",
        "EARSHOT_BYOC_TRUNK",
        expected="the SID of a BYOC trunk: BY and 32 hexadecimal digits",
        example="BY...",
        pattern=r"^(BY[0-9a-fA-F]{32})?$",
    )
    """The trunk of yours by which calls to numbers leave, those of campaigns too."""

    pbx_user: str = setting(
        "", "EARSHOT_PBX_USER", expected="a name without a colon", pattern=r"^[!-9;-~]*$"
    )
    """The name with which a PBX of yours logs in at /asterisk/media. Without it and its password,
    or EARSHOT_PBX_PROXY_HEADER, there is no such door."""

    pbx_password: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_PBX_PASSWORD",
        expected="16 characters or more without spaces",
        example="the output of openssl rand -hex 16",
    )
    """The PBX's password."""

    pbx_proxy_header: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_PBX_PROXY_HEADER",
        expected="a header's name, an equals sign and its value",
        example="X-Client-Verified=a long secret",
    )
    """Instead of a password: the header that your TLS proxy sets once it has checked the PBX's
    certificate. The proxy must take it off all that comes from outside."""

    ari_url: str = setting(
        "",
        "EARSHOT_ARI_URL",
        expected="the http(s):// address of Asterisk's HTTP server, without /ari",
        example="http://127.0.0.1:8088",
    )
    """Where your PBX places calls for us: Asterisk's REST interface (ARI). It goes with its user,
    its password and the PBX's own login at the media socket."""

    ari_user: str = setting(
        "", "EARSHOT_ARI_USER", expected="a name without a colon", pattern=r"^[!-9;-~]*$"
    )
    """The name of a section of ari.conf with `type = user`."""

    ari_password: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_ARI_PASSWORD",
        expected="12 characters or more without spaces",
        example="the output of openssl rand -hex 16",
    )
    """That user's password."""

    calls_out: Literal["", "twilio", "pbx"] = setting(
        "",
        "EARSHOT_CALLS_OUT",
        expected="twilio or pbx",
        example="pbx",
    )
    """Who places calls, those of campaigns too. Default: Twilio where its account is set, else the
    PBX of EARSHOT_ARI_URL."""

    telnyx_token: SecretStr = setting(
        SecretStr(""),
        "EARSHOT_TELNYX_TOKEN",
        expected="16 letters and digits or more",
        example="the output of openssl rand -hex 16",
    )
    """The secret at the end of the stream_url that Telnyx is given: /telnyx/media/TOKEN. Without it
    and EARSHOT_TELNYX_API_KEY there is no such door."""

    telnyx_api_key: SecretStr = setting(
        SecretStr(""), "EARSHOT_TELNYX_API_KEY", expected="a Telnyx API key", example="KEY..."
    )
    """Hangs up the calls that Telnyx streams."""

    telnyx_api_url: str = setting(
        "https://api.telnyx.com", "EARSHOT_TELNYX_API_URL", expected="an http(s):// address"
    )
    """Telnyx' API. Another address is for tests."""

    calls_per_second: float = setting(
        1.0, "EARSHOT_CALLS_PER_SECOND", expected="calls from 0.01 to 1000", ge=0.01, le=1000
    )
    """Calls that campaigns may begin in any second, all together: what the carrier grants the
    account. 1.5 is 1 call in any second, 0.5 one in any two."""

    number_calls_per_second: float = setting(
        1.0, "EARSHOT_NUMBER_CALLS_PER_SECOND", expected="calls from 0.01 to 1000", ge=0.01, le=1000
    )
    """The same for each caller number of theirs."""

    calls_at_once: int = setting(
        0, "EARSHOT_CALLS_AT_ONCE", expected="a whole number from 0 to 100000", ge=0, le=100_000
    )
    """Calls in both directions at once, ringing ones included, up to which campaigns dial. 0: as
    many as the ready workers have seats."""

    calls_kept_free: int = setting(
        2, "EARSHOT_CALLS_KEPT_FREE", expected="a whole number from 0 to 10000", ge=0, le=10_000
    )
    """Places for calls that campaigns leave free for callers."""

    @field_validator("telnyx_token")
    @classmethod
    def _telnyx_token(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"([A-Za-z0-9_-]{16,})?", value.get_secret_value()):
            raise ValueError("it is shorter, or holds what no path should")
        return value

    @field_validator("sip_logins")
    @classmethod
    def _logins(cls, value: SecretStr) -> SecretStr:
        if not are_logins(value.get_secret_value()):
            raise ValueError("expected host=user:password, with commas between several")
        return value

    @field_validator("twilio_auth_token")
    @classmethod
    def _tokens(cls, value: SecretStr) -> SecretStr:
        tokens = value.get_secret_value()
        if tokens and not all(re.fullmatch(r"\s*[!-+\--~]+\s*", t) for t in tokens.split(",")):
            raise ValueError("an entry between the commas is empty or holds a space")
        return value

    @field_validator("pbx_password")
    @classmethod
    def _pbx_password(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"([!-~]{16,})?", value.get_secret_value()):
            raise ValueError("it is shorter, or holds a space")
        return value

    @field_validator("ari_password")
    @classmethod
    def _ari_password(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"([!-~]{12,})?", value.get_secret_value()):
            raise ValueError("it is shorter, or holds a space")
        return value

    @field_validator("pbx_proxy_header")
    @classmethod
    def _proxy_header(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"([A-Za-z0-9-]+=[!-~]{6,})?", value.get_secret_value()):
            raise ValueError("it is no name, equals sign and value of 6 characters or more")
        return value

    @property
    def twilio_auth_tokens(self) -> tuple[str, ...]:
        """The tokens in clear text, the primary one first; empty when none is set."""
        tokens = self.twilio_auth_token.get_secret_value().split(",")
        return tuple(token.strip() for token in tokens if token.strip())

    @property
    def digest_keys(self) -> tuple[str, ...]:
        """What numbers are made unreadable with where they are only compared, the first one for new
        ones; the same in all workers."""
        others = (self.pbx_password, self.pbx_proxy_header, self.telnyx_token)
        known = tuple(found for one in others if (found := one.get_secret_value()))
        return self.twilio_auth_tokens or known[:1]

    @property
    def takes_pbx_calls(self) -> bool:
        """A PBX may bring calls."""
        by_password = bool(self.pbx_user and self.pbx_password.get_secret_value())
        return by_password or bool(self.pbx_proxy_header.get_secret_value())

    @property
    def pbx_keys(self) -> tuple[str, ...]:
        """What lets a PBX in, with which it is also told apart what we gave it to carry; the same
        wherever calls are placed or carried."""
        both = (self.pbx_password, self.pbx_proxy_header)
        return tuple(found for one in both if (found := one.get_secret_value()))

    @property
    def places_by(self) -> Literal["twilio", "pbx"]:
        """Who places calls, whether or not all is set that they need."""
        if self.calls_out:
            return self.calls_out
        twilio = self.twilio_account_sid or self.twilio_auth_token.get_secret_value()
        ari = self.ari_url or self.ari_user or self.ari_password.get_secret_value()
        return "pbx" if ari and not twilio else "twilio"

    @property
    def needed_to_place(self) -> tuple[str, ...]:
        """Names of the variables that placing calls needs."""
        if self.places_by == "twilio":
            return ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL")
        door = ("EARSHOT_PBX_USER", "EARSHOT_PBX_PASSWORD")
        return (*ARI, *(() if self.takes_pbx_calls else door))

    @property
    def takes_telnyx_calls(self) -> bool:
        key, token = self.telnyx_api_key, self.telnyx_token
        return bool(key.get_secret_value() and token.get_secret_value())
