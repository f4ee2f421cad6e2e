"""`earshot do-not-call` keeps every number that it is given, once, and tells of what is none."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import earshot

ONE, TWO, THREE = "+14155550101", "+14155550102", "+442079460018"


def dnc(*arguments: str) -> Result:
    return CliRunner().invoke(earshot, ["do-not-call", *arguments])


def test_who_is_added_is_checked_listed_and_taken_off() -> None:
    assert dnc("list").output == "nobody is on the list\n"
    assert dnc("add", ONE, "+1 (415) 555-0102", "--note", "letter").output == (
        "2 added, 0 were on the list\n"
    )
    assert dnc("add", ONE).output == "0 added, 1 were on the list\n"
    found = dnc("check", ONE)
    assert found.exit_code == 1
    assert "own" in found.output
    assert "letter" in found.output
    assert len(dnc("list").output.splitlines()) == 2
    assert dnc("remove", ONE).output == "it may be called again\n"
    assert dnc("remove", ONE).output == "it was not on the list\n"
    assert dnc("check", ONE).exit_code == 0


def test_a_file_of_numbers_is_taken_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f'phone;name\n{ONE};Ann\n\n"{TWO}";Ben\n555;Cy\n{THREE}\n{ONE}\n')
    result = dnc("import", str(file), "--note", "registry")
    assert result.exit_code == 1
    assert "3 added, 1 were on the list, 1 lines hold no number" in result.output
    assert "line 5" in result.output
    assert dnc("check", THREE).exit_code == 1


@pytest.mark.parametrize("number", ["0123", "112", "anybody", "+1"])
def test_what_is_no_number_is_not_added(number: str) -> None:
    result = dnc("add", number)
    assert result.exit_code == 1
    assert "Expected a number such as" in result.output
    assert dnc("list").output == "nobody is on the list\n"


def test_a_database_that_is_none_is_told_without_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    result = dnc("list")
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert "secret" not in result.output
