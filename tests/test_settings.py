"""Settings are read whole or refused in one line for each problem, and no line and no repr holds
a secret."""

import ast
import inspect
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.setting_groups.group import SettingGroup
from app.settings import DEFAULT_MODEL, SERVING, Settings, SettingsError, load_settings

SERVABLE = {
    "OPENAI_API_KEY": "sk-abc",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "primary",
    "PUBLIC_URL": "https://bot.example.com",
}


def load(**env: str) -> Settings:
    return load_settings(env=env, env_file=None)


def refusal(**env: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(**env)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    return lines


def test_nothing_set_gives_the_defaults() -> None:
    settings = load()
    assert settings.agent == "receptionist"
    assert settings.model_for("") == DEFAULT_MODEL == "gpt-realtime-2.1"
    assert settings.openai_base_url == "https://api.openai.com/v1"
    assert settings.data_dir == Path("earshot-data")
    assert settings.record_events
    assert settings.lead_ms == 200
    assert settings.warnings == ()
    assert settings.secrets == ()


def test_what_serving_needs_is_enough_to_serve() -> None:
    load(**SERVABLE).require(*SERVING)


@pytest.mark.parametrize("name", SERVING)
def test_each_missing_setting_is_one_line_with_its_cure(name: str) -> None:
    settings = load(**{key: value for key, value in SERVABLE.items() if key != name})
    with pytest.raises(SettingsError) as caught:
        settings.require(*SERVING)
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{name}: expected ")
    assert "but it is not set" in line
    assert f"{name}=" in line


def test_set_to_nothing_counts_as_not_set() -> None:
    settings = load(OPENAI_BASE_URL="", EARSHOT_LEAD_MS=" ", OPENAI_API_KEY="")
    assert settings.openai_base_url == "https://api.openai.com/v1"
    assert settings.lead_ms == 200
    assert not settings.openai_api_key


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("EARSHOT_AGENT=file\nEARSHOT_MODEL='of the file'\nexport OTHER=1 # note\n")
    settings = load_settings(env={"EARSHOT_AGENT": "environment"}, env_file=file)
    assert (settings.agent, settings.model) == ("environment", "of the file")


def test_the_process_environment_and_dotenv_are_read_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EARSHOT_AGENT", "host")
    assert load_settings().agent == "host"
    (tmp_path / ".env").write_text("EARSHOT_LEAD_MS=300")
    assert load_settings().lead_ms == 300


def test_values_in_the_file_are_literal(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("TWILIO_AUTH_TOKEN=a${HOME}b")
    assert load_settings(env={}, env_file=file).twilio_auth_tokens == ("a${HOME}b",)


def test_a_broken_line_in_the_file_is_told_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("EARSHOT_AGENT=a\nsk-secret here\n")
    with pytest.raises(SettingsError, match=r"\.env line 2: expected NAME=value") as caught:
        load_settings(env={}, env_file=file)
    assert "sk-secret" not in str(caught.value)


def test_a_named_file_must_be_there_and_be_text(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"mine\.env: expected a readable file"):
        load_settings(env={}, env_file=tmp_path / "mine.env")
    (tmp_path / "mine.env").write_bytes(b"A=\xff")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(env={}, env_file=tmp_path / "mine.env")


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"EARSHOT_SIP_LOGINS": "pbx.example.com:secretly"}, "host=user:password"),
        ({"EARSHOT_BYOC_TRUNK": "BYabc"}, "BY and 32 hexadecimal digits"),
        ({"EARSHOT_LEAD_MS": "soon"}, 'milliseconds from 40 to 2000, got "soon"'),
        ({"EARSHOT_LEAD_MS": "9000"}, 'milliseconds from 40 to 2000, got "9000"'),
        ({"EARSHOT_MAX_CALLS": "0"}, 'a whole number from 1 to 10000, got "0"'),
        ({"EARSHOT_RECORD_EVENTS": "perhaps"}, 'true or false, got "perhaps"'),
        ({"EARSHOT_LOG_LEVEL": "loud"}, 'debug, info, warning or error, got "loud"'),
        ({"EARSHOT_TOOL_TIMEOUT_S": "nan"}, 'seconds from 0.1 to 120, got "nan"'),
        ({"EARSHOT_FROM_NUMBER": "555 0100"}, 'E.164 form: + and 8 to 15 digits, got "555 0100"'),
        ({"TWILIO_ACCOUNT_SID": "SK" + "0" * 32}, "AC and 32 hexadecimal digits, got"),
        ({"OPENAI_BASE_URL": "api.example"}, "(it does not begin with https:// or http://)"),
        ({"OPENAI_BASE_URL": "https://me:pw@h/v1"}, "(it holds a user name or password)"),
        ({"OPENAI_API_KEY": "two words"}, "got a value of 9 characters (it holds a space"),
        ({"TWILIO_AUTH_TOKEN": "a,,b"}, "an entry between the commas is empty"),
        ({"REDIS_URL": "localhost:6379"}, "redis://, rediss:// or unix:// address, got a value"),
        ({"DATABASE_URL": "mysql://h/d"}, "sqlite:// or postgresql:// address, got a value"),
        ({"OPENAI_PROJECT_ID": "\u00e9" * 200}, 'expected a project id, got "\u00e9\u00e9'),
    ],
)
def test_a_wrong_value_is_one_line_with_what_was_expected(env: dict[str, str], told: str) -> None:
    [line] = refusal(**env)
    assert told in line
    assert line.startswith(tuple(env))


def test_all_problems_are_told_at_once() -> None:
    assert len(refusal(EARSHOT_LEAD_MS="x", PUBLIC_URL="y", EARSHOT_LOG_FORMAT="z")) == 3


@pytest.mark.parametrize(
    ("given_url", "kept"),
    [
        ("https://bot.example.com", "https://bot.example.com"),
        ("https://bot.example.com/", "https://bot.example.com"),
        ("https://Bot.example.com:8443/phone/", "https://Bot.example.com:8443/phone"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.2:8000/", "http://127.0.0.2:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://bot.localhost", "http://bot.localhost"),
    ],
)
def test_a_public_url_is_kept_without_its_last_slash(given_url: str, kept: str) -> None:
    settings = load(PUBLIC_URL=given_url)
    assert settings.public_url == kept
    assert settings.url("/twilio/voice") == kept + "/twilio/voice"
    assert settings.socket_url("/twilio/media") == "ws" + kept[4:] + "/twilio/media"
    assert bool(settings.warnings) == kept.startswith("http://")


@pytest.mark.parametrize(
    "url",
    [
        "http://bot.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "bot.example.com",
        "wss://bot.example.com",
        "https://",
        "https://bot.example.com?a=1",
        "https://bot.example.com?",
        "https://bot.example.com/#top",
        "https://me:pw@bot.example.com",
        "https://bot.example.com:port",
        "https://bot.example.com:99999",
        "https://bot.example.com:0",
        "https://bot example.com",
        "https://[::1",
    ],
)
def test_a_public_url_that_twilio_cannot_use_is_refused(url: str) -> None:
    [line] = refusal(PUBLIC_URL=url)
    assert line.startswith("PUBLIC_URL: expected the https:// address")
    assert "pw" not in line


def test_tokens_for_rotation_keep_their_order() -> None:
    settings = load(TWILIO_AUTH_TOKEN=" first , second")
    assert settings.twilio_auth_tokens == ("first", "second")
    assert load().twilio_auth_tokens == ()


def test_whoever_brings_calls_has_a_secret_that_makes_numbers_unreadable() -> None:
    """The same one for all workers, and not another one because a second carrier came."""
    own = "whsec_bGFiLXNlY3JldC1vZi1uby1hY2NvdW50"
    assert load().digest_keys == ()
    assert load(OPENAI_WEBHOOK_SECRET=own).digest_keys == (own,)
    both = load(TWILIO_AUTH_TOKEN="first,second", OPENAI_WEBHOOK_SECRET=own)
    assert both.digest_keys == ("first", "second")


def test_the_sdks_own_name_for_the_project_works_too() -> None:
    assert load(OPENAI_PROJECT_ID="proj_a").openai_project == "proj_a"
    both = load(OPENAI_PROJECT="proj_b", OPENAI_PROJECT_ID="proj_a")
    assert both.openai_project == "proj_b"


def test_the_operators_model_wins_over_the_agents() -> None:
    assert load().model_for("gpt-realtime-2") == "gpt-realtime-2"
    assert load(EARSHOT_MODEL="gpt-realtime-1.5").model_for("gpt-realtime-2") == "gpt-realtime-1.5"


def test_an_unknown_variable_of_ours_is_a_warning_with_the_nearest_name() -> None:
    settings = load(EARSHOT_LED_MS="3", EARSHOT_XQJ="", EARSHOT_ZZZZ="1", OTHER="1")
    assert settings.warnings == (
        "EARSHOT_LED_MS is not a setting and is ignored; did you mean EARSHOT_LEAD_MS?",
        "EARSHOT_ZZZZ is not a setting and is ignored; `earshot doctor` lists the known ones.",
    )


def test_settings_cannot_be_changed_and_code_cannot_misspell_them() -> None:
    settings = Settings(lead_ms=100)
    with pytest.raises(ValueError, match="frozen"):
        settings.lead_ms = 300
    with pytest.raises(ValueError, match="led_ms"):
        Settings.model_validate({"led_ms": 100})


def test_only_load_settings_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_LEAD_MS", "300")
    assert Settings().lead_ms == 200


SECRETS = ("OPENAI_API_KEY", "TWILIO_AUTH_TOKEN", "REDIS_URL", "DATABASE_URL")


@given(
    st.sampled_from(SECRETS),
    st.text(),
)
def test_a_secret_is_never_told(name: str, value: str) -> None:
    secret = f"~!{value}!~"  # so that it is no word of ours
    try:
        settings = load(**{name: secret})
    except SettingsError as error:
        assert secret not in str(error)
    else:
        assert secret not in repr(settings)
        assert secret in settings.secrets


@given(
    st.dictionaries(st.sampled_from([*SERVABLE, "EARSHOT_LEAD_MS", "EARSHOT_DATA_DIR"]), st.text())
)
def test_any_environment_gives_settings_or_told_problems(env: dict[str, str]) -> None:
    try:
        load(**env)
    except SettingsError as error:
        assert error.problems


def test_every_setting_is_described_beside_its_field() -> None:
    """By the text below it, which is its description; no text belongs to nothing."""
    classes = [one for one in Settings.__mro__ if issubclass(one, SettingGroup)]
    written = sum(fields_in(one) for one in classes)
    assert written == len(Settings.model_fields)
    for name, info in Settings.model_fields.items():
        assert info.description, name


def fields_in(group: type) -> int:
    """How many settings a class has of its own."""
    [found] = ast.parse(textwrap.dedent(inspect.getsource(group))).body
    assert isinstance(found, ast.ClassDef)
    fields = (each for each in found.body if isinstance(each, ast.AnnAssign))
    return sum("setting(" in ast.unparse(each) for each in fields)


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EARSHOT_WEBHOOK_SECRET", "hunter2"),
        ("EARSHOT_WEBHOOK_SECRET", f"{SECRET},hunter2"),
        ("EARSHOT_WEBHOOK_URL", "http://crm.example.com/"),
        ("EARSHOT_WEBHOOK_RETRY_S", "5,soon"),
        ("EARSHOT_WEBHOOK_RETRY_S", "5,0"),
        ("EARSHOT_WEBHOOK_RETRY_S", "5,,10"),
    ],
)
def test_webhooks_that_cannot_work_are_told(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({name: value}, env_file=None)
    assert str(error.value).startswith(f"{name}: expected")
    assert "hunter2" not in str(error.value)


def test_each_secret_of_a_webhook_is_hidden_while_they_are_changed() -> None:
    settings = load_settings({"EARSHOT_WEBHOOK_SECRET": f"{SECRET}, {SECRET}"}, None)
    assert SECRET in settings.secrets
