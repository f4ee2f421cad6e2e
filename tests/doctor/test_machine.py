"""Each fault of the machine is found before the first call, and looking changes nothing."""

from pathlib import Path

import pytest

from app.doctor.machine import (
    check_agent,
    check_data_dir,
    check_files,
    check_lab,
    check_python,
    judge_lab,
)
from app.settings import Settings


def test_an_old_python_fails() -> None:
    assert check_python().status == "ok"
    assert check_python((3, 11)).status == "ok"
    assert check_python((3, 10)).status == "fail"


def test_a_data_folder_that_can_be_made_is_fine_and_is_not_made(tmp_path: Path) -> None:
    check = check_data_dir(tmp_path / "a" / "b")
    assert check.status in ("ok", "warn")
    assert "will be made" in check.seen
    assert list(tmp_path.iterdir()) == []


def test_an_existing_data_folder_is_left_as_it_is(tmp_path: Path) -> None:
    assert "will be made" not in check_data_dir(tmp_path).seen
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_below_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = check_data_dir(tmp_path / "file" / "data")
    assert check.status == "fail"
    assert "EARSHOT_DATA_DIR" in check.mend


def test_a_data_folder_that_cannot_be_written_fails() -> None:
    assert check_data_dir(Path("/proc/earshot")).status == "fail"


def test_the_shipped_agent_is_sound() -> None:
    check = check_agent(Settings())
    assert check.status == "ok"
    assert "gpt-realtime-2.1" in check.seen
    assert "book_table, hang_up" in check.seen


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "instructions: expected this key"),
        ('instructions = "a"\ntools = ["none.py:f"]', "found none at"),
        ('instructions = "a"\ntools = ["hangup"]', "did you mean hang_up"),
    ],
)
def test_an_unsound_agent_is_told_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "host.toml").write_text(text)
    check = check_agent(Settings(agent="host"), [tmp_path])
    assert check.status == "fail"
    assert told in check.seen
    assert "\n" not in check.seen


def test_an_agent_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "There is no agent 'host'" in check_agent(Settings(agent="host"), [tmp_path]).seen


def test_what_the_lab_lacks_is_a_warning_only() -> None:
    assert judge_lab(ears=True, voice="flite").status == "ok"
    assert judge_lab(ears=False, voice="flite").seen == "missing: pocketsphinx"
    both = judge_lab(ears=False, voice="")
    assert (both.status, both.seen) == ("warn", "missing: pocketsphinx, a synthesiser")


def test_a_synthesiser_on_the_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flite = tmp_path / "flite"
    flite.write_text("")
    flite.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "a synthesiser" not in check_lab().seen


def test_too_few_open_files_for_the_calls_is_a_warning() -> None:
    assert check_files(1024, 50).status == "ok"
    assert check_files(-1, 10_000).status == "ok"
    check = check_files(256, 50)
    assert check.status == "warn"
    assert "256 open files allowed, 50 calls want 300" in check.seen
    assert check_files().status == "ok"
