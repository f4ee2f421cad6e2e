"""The doctor names every setting once, masks secrets, and gives the addresses for Twilio."""

from app.doctor.configured import (
    check_pbx,
    check_refused,
    check_settings,
    check_sip_of_openai,
    check_streams_of_telnyx,
    check_twilio_urls,
)
from app.settings import SERVING, Settings, SettingsError, load_settings, variable_of

KEY = "sk-proj-0123456789abcdefghij"
ENV = {
    "OPENAI_API_KEY": KEY,
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef,second-token-of-some-length",
    "PUBLIC_URL": "https://bot.example.com/phone",
    "REDIS_URL": "redis://:hushhush@localhost",
}


def test_every_setting_is_named_once_and_the_needed_ones_first() -> None:
    names = [c.name for c in check_settings(load_settings(env=ENV, env_file=None), every=True)]
    assert tuple(names[:4]) == SERVING
    assert sorted(names) == sorted(map(variable_of, Settings.model_fields.values()))


def test_no_secret_is_shown_but_two_can_be_told_apart() -> None:
    checks = check_settings(load_settings(env=ENV, env_file=None))
    seen = {check.name: check.seen for check in checks}
    assert seen["OPENAI_API_KEY"] == "set (28 characters, ends in ghij)"
    assert seen["TWILIO_AUTH_TOKEN"].count("set (") == 2
    text = str(checks)
    for secret in (KEY, "0123456789abcdef", "second-token", "hushhush"):
        assert secret not in text


def test_what_is_missing_fails_and_what_is_odd_warns() -> None:
    settings = load_settings(env={"EARSHOT_AGNET": "a"}, env_file=None)
    checks = check_settings(settings, every=True)
    status = {check.name: check.status for check in checks}
    assert all(status[name] == "fail" for name in SERVING)
    assert status["REDIS_URL"] == "skip"
    assert status["EARSHOT_AGENT"] == "ok"
    assert checks[-1].status == "warn"
    assert "EARSHOT_AGENT" in checks[-1].seen


def test_defaults_say_that_they_are() -> None:
    settings = load_settings(env={"EARSHOT_MAX_CALLS": "50"}, env_file=None)
    checks = check_settings(settings, every=True)
    seen = {check.name: check.seen for check in checks}
    assert seen["EARSHOT_LEAD_MS"] == "200 (default)"
    assert seen["EARSHOT_MAX_CALLS"] == "50"
    assert seen["EARSHOT_RECORD_EVENTS"] == "true (default)"


def test_settings_that_nobody_has_set_are_one_line() -> None:
    env = {**ENV, "EARSHOT_MAX_CALLS": "50", "EARSHOT_AGNET": "a"}
    checks = check_settings(load_settings(env=env, env_file=None))
    names = [check.name for check in checks]
    assert names == [*SERVING, "REDIS_URL", "EARSHOT_MAX_CALLS", "All others", "Note"]
    assert checks[-2].seen.startswith(f"{len(Settings.model_fields) - len(SERVING) - 2} are not")


def test_the_addresses_for_twilio_carry_the_path_prefix() -> None:
    seen = [check.seen for check in check_twilio_urls(load_settings(env=ENV, env_file=None))]
    assert seen == [
        "POST https://bot.example.com/phone/twilio/voice",
        "POST https://bot.example.com/phone/twilio/status",
        "POST https://bot.example.com/phone/twilio/sms",
        "wss://bot.example.com/phone/twilio/media (by TwiML)",
    ]
    assert [check.status for check in check_twilio_urls(Settings())] == ["skip"]


PBX = {
    "OPENAI_API_KEY": KEY,
    "EARSHOT_PBX_USER": "pbx",
    "EARSHOT_PBX_PASSWORD": "a-password-of-16-x",
}


def test_a_pbx_is_told_where_it_finds_us_and_needs_no_twilio() -> None:
    settings = load_settings(env=PBX | {"PUBLIC_URL": ENV["PUBLIC_URL"]}, env_file=None)
    assert [check.seen for check in check_pbx(settings)] == [
        "wss://bot.example.com/phone/asterisk/media (uri)",
        "POST https://bot.example.com/phone/asterisk/next",
    ]
    alone = load_settings(env=PBX, env_file=None)
    assert "fail" not in {check.status for check in check_settings(alone) + check_pbx(alone)}


def test_half_a_lock_is_none_and_no_lock_is_nothing() -> None:
    half = load_settings(env={"EARSHOT_PBX_USER": "pbx"}, env_file=None)
    assert [check.status for check in check_pbx(half)] == ["fail"]
    assert check_pbx(Settings()) == []


def test_refused_settings_are_a_check_each() -> None:
    try:
        load_settings(env={"PUBLIC_URL": "x", "EARSHOT_LEAD_MS": "x"}, env_file=None)
    except SettingsError as error:
        checks = check_refused(error)
    assert [(check.name, check.status) for check in checks] == [
        ("PUBLIC_URL", "fail"),
        ("EARSHOT_LEAD_MS", "fail"),
    ]
    assert all(check.mend for check in checks)


WEBHOOK_SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"


def test_openai_is_told_where_to_offer_calls_and_needs_no_twilio() -> None:
    env = {"OPENAI_API_KEY": KEY, "OPENAI_WEBHOOK_SECRET": WEBHOOK_SECRET}
    settings = load_settings(env=env | {"PUBLIC_URL": ENV["PUBLIC_URL"]}, env_file=None)
    assert [check.seen for check in check_sip_of_openai(settings)] == [
        "POST https://bot.example.com/phone/openai/webhook (realtime.call.incoming)"
    ]
    assert "fail" not in {check.status for check in check_settings(settings)}
    assert check_twilio_urls(settings) == []
    assert check_sip_of_openai(Settings()) == []


def test_telnyx_is_told_where_it_finds_us_but_not_the_token() -> None:
    token = "0123456789abcdef"
    env = {"OPENAI_API_KEY": KEY, "EARSHOT_TELNYX_TOKEN": token, "EARSHOT_TELNYX_API_KEY": "KEY1"}
    (check,) = check_streams_of_telnyx(load_settings(env=env, env_file=None))
    assert (check.status, check.seen) == ("ok", "/telnyx/media/ and EARSHOT_TELNYX_TOKEN")
    half = load_settings(env={"EARSHOT_TELNYX_TOKEN": token}, env_file=None)
    assert [check.status for check in check_streams_of_telnyx(half)] == ["fail"]
    assert check_streams_of_telnyx(Settings()) == []
