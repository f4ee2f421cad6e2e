"""Commands are tried in an empty folder and with nothing set, whatever the developer has set."""

import os
from pathlib import Path

import pytest

from app.setting_rules import names_of
from app.settings import Settings


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for info in Settings.model_fields.values():
        for name in names_of(info):
            monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("EARSHOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
