"""Invariant: the page of settings is what the settings' own words make of it."""

import re

from app.setting_docs import render_page
from app.settings import SERVING, Settings, variable_of
from tests.docs.pages import ROOT, codes, page, table

STALE = "docs/settings.md is stale: python -m app.setting_docs > docs/settings.md"


def test_the_page_is_fresh() -> None:
    assert page("settings") == render_page(), STALE


def test_every_setting_has_a_row_with_a_meaning_and_what_is_expected() -> None:
    text = render_page()
    needed = table(text, "## Needed to answer calls")
    others = table(text, "## All others")
    assert [codes(row[0])[0] for row in needed] == list(SERVING)
    names = [codes(row[0])[0] for row in needed + others]
    assert sorted(names) == sorted(map(variable_of, Settings.model_fields.values()))
    assert all(meaning and expected for _, meaning, _, expected in needed + others)


def test_defaults_are_shown_as_they_are_written_in_a_file() -> None:
    defaults = {codes(row[0])[0]: row[2] for row in table(render_page(), "## All others")}
    assert defaults["EARSHOT_LEAD_MS"] == "`200`"
    assert defaults["EARSHOT_RECORD_EVENTS"] == "`true`"
    assert defaults["EARSHOT_DATA_DIR"] == "`earshot-data`"
    assert defaults["EARSHOT_MODEL"] == "not set"


def test_no_secret_has_a_default_on_the_page() -> None:
    rows = table(render_page(), "## Needed to answer calls")
    assert {row[2] for row in rows} == {"not set"}


def test_all_settings_are_in_use() -> None:
    away = ("app/setting_docs.py", "app/doctor/")
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "app").rglob("*.py")
        if not path.relative_to(ROOT).as_posix().startswith(away)
    )
    for name, info in Settings.model_fields.items():
        used = re.search(rf"(?:settings|self)\.{name}\b", source) is not None
        assert used, variable_of(info)
