"""An agent that cannot ask, or announces nothing, is not ready to record."""

from pathlib import Path

import pytest

from app.agents import AgentError, load_agent
from app.care.consent import check_recording


def check(folder: Path, text: str) -> None:
    path = folder / "clerk.toml"
    path.write_text(f'instructions = "Be kind."\n{text}')
    check_recording(load_agent(path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[recording]\nby = "own"',
        '[recording]\nby = "off"\nconsent = "ask"',
        'notices = ["This call is recorded."]\n[recording]\nby = "own"\nconsent = "announce"',
        'tools = ["recording_consent"]\n[recording]\nby = "twilio"\nconsent = "ask"',
    ],
)
def test_these_can_work(tmp_path: Path, text: str) -> None:
    check(tmp_path, text)


@pytest.mark.parametrize(
    ("consent", "missing"), [("ask", "recording_consent"), ("announce", "notice")]
)
def test_these_cannot_and_say_what_is_missing(tmp_path: Path, consent: str, missing: str) -> None:
    with pytest.raises(AgentError, match=missing):
        check(tmp_path, f'[recording]\nby = "own"\nconsent = "{consent}"')
