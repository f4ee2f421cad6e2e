"""Invariant: every setting that the documentation mentions exists, or is one of the reader's own
that an example names as such."""

import re
from pathlib import Path

import pytest
from pydantic import AliasChoices

from app.cli.sip_line import CREDENTIALS, TRUNK_PASSWORD, WORKER_PASSWORD
from app.settings import Settings
from app.sip_line.identity import Identity, Party
from tests.docs.pages import FRONT, PAGES

_READERS_OWN = re.compile(r'api_key_env = "(\w+)"')
_VARIABLE = re.compile(r"\b(?:(?:EARSHOT|OPENAI|TWILIO)_[A-Z0-9_]+|PUBLIC_URL|[A-Z]+BASE_URL)\b")


def _known() -> set[str]:
    known = {CREDENTIALS, TRUNK_PASSWORD, WORKER_PASSWORD, "EARSHOT_HEADER_", "EARSHOT_HEADER_X"}
    known.update(Identity(Party("", ""), Party("", ""), "", "").variables())
    for info in Settings.model_fields.values():
        assert isinstance(info.validation_alias, AliasChoices)
        known.update(str(name) for name in info.validation_alias.choices)
    return known


@pytest.mark.parametrize(
    "path", [*FRONT, *PAGES], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_the_variables_of_a_page_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("YOUR_TWILIO_AUTH_TOKEN", "")
    assert set(_VARIABLE.findall(text)) <= _known() | set(_READERS_OWN.findall(text))


def test_the_pattern_finds_a_variable_that_does_not_exist() -> None:
    assert set(_VARIABLE.findall("set EARSHOT_LEAD or PUBLIC_URL")) - _known() == {"EARSHOT_LEAD"}
