"""An agent's version changes with each file that makes it, and with nothing else."""

from pathlib import Path

from app.agents import load_agent
from app.agents.files import files_of, tool_files

TEXT = """\
instructions = "Be kind."
tools = ["mine.py:look", 'deep/other.py:find', "mine.py:see", "json:dumps", "hang_up"]
"""


def desk(folder: Path, text: str = TEXT) -> Path:
    (folder / "deep").mkdir(exist_ok=True)
    (folder / "mine.py").write_text("1")
    (folder / "deep" / "other.py").write_text("2")
    path = folder / "desk.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_version_follows_the_text_and_the_tools_files(tmp_path: Path) -> None:
    path = desk(tmp_path)
    versions = [load_agent(path).version]
    (tmp_path / "mine.py").write_text("3")
    versions.append(load_agent(path).version)
    (tmp_path / "deep" / "other.py").unlink()
    versions.append(load_agent(path).version)
    desk(tmp_path, TEXT + "# more\n")
    versions.append(load_agent(path).version)
    assert len(set(versions)) == 4
    assert all(len(version) == 10 and version.isalnum() for version in versions)
    desk(tmp_path)
    assert load_agent(path).version == versions[0]


def test_two_agents_with_the_same_files_have_the_same_version(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    assert load_agent(desk(one)).version == load_agent(desk(two)).version


def test_the_python_files_are_found_also_where_the_toml_is_broken(tmp_path: Path) -> None:
    broken = 'tools = ["mine.py:look",\n[limits'
    assert tool_files(broken, tmp_path) == (tmp_path / "mine.py",)


def test_what_is_looked_at_holds_all_places_where_the_agent_may_stand(tmp_path: Path) -> None:
    mine, shipped = tmp_path / "mine", tmp_path / "shipped"
    for folder in (mine, shipped):
        folder.mkdir()
    desk(shipped)
    assert files_of("desk", (mine, shipped)) == (
        mine / "desk.toml",
        shipped / "desk.toml",
        shipped / "mine.py",
        shipped / "deep/other.py",
    )
    assert files_of("nobody", (mine,)) == (mine / "nobody.toml",)
    assert files_of(str(shipped / "desk.toml"), ())[0] == shipped / "desk.toml"
