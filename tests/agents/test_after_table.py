"""Invariant: an [after_call] table that cannot work is told with its line, before any call."""

from pathlib import Path

import pytest

from app.agents import AgentError, load_agent

HEAD = 'instructions = "Be kind."\n[after_call]\n'


def load(folder: Path, table: str) -> None:
    path = folder / "desk.toml"
    path.write_text(HEAD + table, "utf-8")
    load_agent(path)


def test_an_empty_table_asks_for_a_summary(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(HEAD, "utf-8")
    table = load_agent(tmp_path / "desk.toml").after_call
    assert table is not None
    assert table.writes
    (tmp_path / "desk.toml").write_text('instructions = "Be kind."\n', "utf-8")
    assert load_agent(tmp_path / "desk.toml").after_call is None


def test_with_nothing_to_write_no_model_is_asked(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(HEAD + "summary = false\n", "utf-8")
    table = load_agent(tmp_path / "desk.toml").after_call
    assert table is not None
    assert not table.writes


HOOK = 'webhook = ["{url}"]\nsecret_env = "S"\n'


@pytest.mark.parametrize(
    "url",
    ["https://crm.example.com/hook?x=1", "http://127.0.0.1:8080/hook", "http://localhost"],
)
def test_webhooks_go_to_https_or_to_this_machine(tmp_path: Path, url: str) -> None:
    load(tmp_path, HOOK.format(url=url))


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost@crm.example.com/",
        "ftp://crm.example.com/",
        "crm.example.com",
        "https://",
        "https://crm.example.com/a b",
    ],
)
def test_and_nowhere_else(tmp_path: Path, url: str) -> None:
    with pytest.raises(AgentError, match="expected https:// addresses"):
        load(tmp_path, HOOK.format(url=url))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            "sumary = true\n",
            "desk.toml:3: after_call.sumary: there is no such key; did you mean summary?",
        ),
        ('webhook = ["https://a.example"]\n', "after_call: expected secret_env beside webhook"),
        ('events = ["call.begun"]\n', "desk.toml:3: after_call.events[1]: expected "),
        ('include = ["audio"]\n', "after_call.include[1]: expected "),
        ('[after_call.dispositions]\n"no spaces" = "x"\n', "after_call.dispositions"),
        ('[after_call.dispositions]\nlost = ""\n', "desk.toml:4: after_call.dispositions.lost: "),
        (
            '[after_call.fields.x]\ntype = "date"\n',
            "after_call.fields.x.description: expected this key",
        ),
        (
            '[after_call.fields.x]\ndescription = "d"\ntype = "colour"\n',
            "desk.toml:5: after_call.fields.x.type: expected ",
        ),
        (
            '[after_call.fields.x]\ndescription = "d"\ntype = "date"\nenum = ["a"]\n',
            'after_call.fields.x: expected enum beside type = "string" only',
        ),
        (
            '[after_call.fields.x]\ndescripton = "d"\n',
            "after_call.fields.x.descripton: there is no such key; did you mean description?",
        ),
        ('secret_env = "whsec_abc+/="\n', "after_call.secret_env: expected the name of an"),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(AgentError) as error:
        load(tmp_path, table)
    assert told in str(error.value)
    assert "whsec_abc" not in str(error.value)
