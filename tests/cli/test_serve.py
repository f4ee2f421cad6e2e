"""`earshot serve` says what keeps it from serving before it listens; the rest is in the whole calls
(tests/lab_calls/test_serve.py)."""

import pytest
from click.testing import CliRunner

from app.cli import earshot


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_a_usage_error(port: str) -> None:
    result = CliRunner().invoke(earshot, ["serve", "--port", port])
    assert result.exit_code == 2
    assert "--port" in result.stderr


def test_settings_may_stand_in_an_env_file_and_their_mistakes_are_told_too() -> None:
    with open(".env", "w", encoding="utf-8") as file:
        file.write("OPENAI_API_KEY=sk-x\nTWILIO_AUTH_TOKEN=token\nEARSHOT_LEED_MS=200\n")
    result = CliRunner().invoke(earshot, ["serve"])
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert any(line.startswith("warning:") and "EARSHOT_LEAD_MS" in line for line in lines)
    missing = [line.split()[0].rstrip(":") for line in lines if not line.startswith("warning:")]
    assert missing == ["TWILIO_ACCOUNT_SID", "PUBLIC_URL"]
