"""`earshot agents` lists what there is and checks what it is given, one line for each problem."""

from pathlib import Path

from click.testing import CliRunner

from app.cli import earshot


def test_lists_the_agents_that_ship_with_their_voice_and_tools() -> None:
    result = CliRunner().invoke(earshot, ["agents"])
    assert result.exit_code == 0, result.output
    line = next(line for line in result.output.splitlines() if line.startswith("receptionist"))
    assert "marin" in line
    assert "book_table, hang_up" in line


def test_the_operators_own_folder_comes_first(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "receptionist.toml").write_text(
        'instructions = "Be brief."\nvoice = "cedar"\n'
    )
    result = CliRunner().invoke(earshot, ["agents"])
    assert result.exit_code == 0, result.output
    [line] = [line for line in result.output.splitlines() if line.startswith("receptionist")]
    assert "cedar" in line
    assert "no tools" in line


def test_a_file_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('instructions = "Be brief."\nvoise = "marin"\n')
    result = CliRunner().invoke(earshot, ["agents", str(file)])
    assert result.exit_code == 1
    assert "wrong.toml:2: voise: there is no such key; did you mean voice?" in result.stderr


def test_a_file_that_is_wrong_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "bad.toml").write_text("speed = 9\n")
    result = CliRunner().invoke(earshot, ["agents"])
    assert result.exit_code == 1
    assert "bad.toml:1: speed" in result.stderr
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == ["appointments", "receptionist", "support"]


def test_a_tool_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    file = tmp_path / "tooled.toml"
    file.write_text('instructions = "Be brief."\ntools = ["missing.py:book"]\n')
    result = CliRunner().invoke(earshot, ["agents", str(file)])
    assert result.exit_code == 1
    assert "missing.py" in result.stderr


def test_an_agent_that_there_is_not_is_told_with_the_ones_there_are() -> None:
    result = CliRunner().invoke(earshot, ["agents", "nobody"])
    assert result.exit_code == 1
    assert "receptionist" in result.stderr
