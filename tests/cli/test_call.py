"""`earshot call` says what is missing before it asks anything of Twilio."""

import pytest
from click.testing import CliRunner

from app.cli import earshot

NUMBER = "+15550100011"
SET = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "PUBLIC_URL": "https://bot.example.com",
    "EARSHOT_TWILIO_API_URL": "http://127.0.0.1:9",
}


def test_without_a_caller_id_it_says_where_to_give_one() -> None:
    result = CliRunner(env=SET).invoke(earshot, ["call", NUMBER])
    assert result.exit_code == 1
    assert result.stderr.strip() == ("No caller ID: give --from +1..., or set EARSHOT_FROM_NUMBER.")


@pytest.mark.parametrize("missing", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL"])
def test_each_missing_setting_is_one_line(missing: str) -> None:
    env = {name: value for name, value in SET.items() if name != missing}
    result = CliRunner(env=env).invoke(earshot, ["call", NUMBER, "--from", NUMBER])
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(missing)


def test_an_agent_that_there_is_not_is_found_out_before_anybody_is_called() -> None:
    arguments = ["call", NUMBER, "--from", NUMBER, "--agent", "nobody"]
    result = CliRunner(env=SET).invoke(earshot, arguments)
    assert result.exit_code == 1
    assert "nobody" in result.stderr


@pytest.mark.parametrize("ring", ["0", "601", "-1"])
def test_a_time_to_ring_that_twilio_does_not_take_is_told(ring: str) -> None:
    arguments = ["call", NUMBER, "--from", NUMBER, "--ring", ring]
    result = CliRunner(env=SET).invoke(earshot, arguments)
    assert result.exit_code == 1
    assert "1 to 600 s of ringing" in result.stderr


def test_an_api_that_cannot_be_reached_is_told_without_a_trace() -> None:
    result = CliRunner(env=SET).invoke(earshot, ["call", NUMBER, "--from", NUMBER])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.strip()
    assert NUMBER not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--on-machine", "message"), "--message TEXT"),
        (("--on-machine", "talk", "--message", "Hello."), "--on-machine message only"),
        (("--message", "x" * 1_001), "1000 bytes"),
    ],
)
def test_a_message_that_cannot_be_left_is_told(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner(env=SET).invoke(earshot, ["call", NUMBER, "--from", NUMBER, *arguments])
    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.parametrize("variable", ["name", "=Ada", "the name=Ada", ""])
def test_a_variable_without_a_name_or_a_value_is_told(variable: str) -> None:
    arguments = ["call", NUMBER, "--from", NUMBER, "--var", variable]
    result = CliRunner(env=SET).invoke(earshot, arguments)
    assert result.exit_code == 1
    assert "expected NAME=VALUE" in result.stderr


PBX = {
    "EARSHOT_ARI_URL": "http://127.0.0.1:9",
    "EARSHOT_ARI_USER": "bot",
    "EARSHOT_ARI_PASSWORD": "a-password-of-16",
    "EARSHOT_PBX_USER": "pbx",
    "EARSHOT_PBX_PASSWORD": "another-of-16-xx",
}


@pytest.mark.parametrize("missing", PBX)
def test_what_a_pbx_lacks_is_told_by_name(missing: str) -> None:
    env = {name: value for name, value in PBX.items() if name != missing}
    result = CliRunner(env=env).invoke(earshot, ["call", NUMBER, "--from", NUMBER])
    assert result.exit_code == 1
    lines = [line for line in result.stderr.splitlines() if not line.startswith("warning:")]
    assert any(line.startswith(f"{missing}: expected ") for line in lines)


def test_whoever_is_chosen_places_the_call() -> None:
    both = SET | PBX
    chosen = CliRunner(env=both | {"EARSHOT_CALLS_OUT": "pbx"}).invoke(
        earshot, ["call", NUMBER, "--from", NUMBER]
    )
    assert "the PBX does not answer" in chosen.stderr
    usual = CliRunner(env=both).invoke(earshot, ["call", NUMBER, "--from", NUMBER])
    assert "PBX does not answer" not in usual.stderr
    assert "EARSHOT_CALLS_OUT" in usual.stderr, "nobody said who places calls"


@pytest.mark.parametrize("ring", ["0", "601"])
def test_a_time_to_ring_that_a_pbx_does_not_take_is_told(ring: str) -> None:
    arguments = ["call", NUMBER, "--from", NUMBER, "--ring", ring]
    result = CliRunner(env=PBX).invoke(earshot, arguments)
    assert result.exit_code == 1
    assert "1 to 600 s of ringing" in result.stderr
