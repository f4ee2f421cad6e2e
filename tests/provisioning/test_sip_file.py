"""Invariant: a file that cannot be meant is refused with the line; one that can is read as it is
written, and is things that refer to nothing but one another."""

from pathlib import Path

import pytest

from app.provisioning.planning import Create, plan
from app.provisioning.resources import Kind
from app.provisioning.sip_file import SipFileError, load_sip_file
from app.provisioning.wanted import Ours, PasswordError, check_passwords, everything, numbers

OURS = Ours(voice=lambda agent: f"https://bot.example.com/{agent}", status="https://s.example.com")
WHOLE = """
[defaults]
fallback = "https://elsewhere.example.com/fallback"
[[number]]
number = "+14155550100"
agent = "reception"
[[number]]
number = "+14155550101"
trunk = "pbx"
[[credentials]]
name = "phones"
users = { alice = "ALICE_PASSWORD" }
[[addresses]]
name = "office"
allow = ["203.0.113.7", "198.51.100.0/28"]
[[domain]]
name = "acme"
credentials = ["phones"]
addresses = ["office"]
registration = ["phones"]
[[byoc]]
name = "carrier"
from_domain = "acme"
to = [{ uri = "sip:carrier.example.com", priority = 1 }]
[[trunk]]
name = "pbx"
domain = "acme-pbx"
addresses = ["office"]
to = [{ uri = "sip:pbx.example.com" }, { uri = "sip:pbx2.example.com", priority = 20 }]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sip.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_one_plan_from_nothing(tmp_path: Path) -> None:
    file = load_sip_file(write(tmp_path, WHOLE))
    wanted = everything(file, OURS, {})
    made = plan(wanted, [])
    assert not made.problems
    assert len(made.actions) == len(wanted)
    kinds = {action.key.kind for action in made.actions}
    assert kinds == set(Kind) - {Kind.NUMBER, Kind.TRUNK_CREDENTIALS}
    answered, trunked = numbers(file.number, file, OURS)
    assert answered.fields["voice_url"] == "https://bot.example.com/reception"
    assert answered.fields["voice_fallback_url"] == "https://elsewhere.example.com/fallback"
    assert set(trunked.fields) == {"trunk_sid"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[domain]]\nname = "acme"\n', r"sip.toml:2: .*credentials or addresses"),
        ('[[domain]]\nname = "Acme.x"\naddresses = ["a"]\n', r"first part of a domain"),
        ('[[domain]]\nname = "acme"\naddresses = ["office"]\n', r'there is no "office"'),
        ('[[trunk]]\nname = "t"\ndomain = "acme"\n', r"a trunk that anyone may call out by"),
        ('[[trunk]]\nname = "t"\n[[trunk]]\nname = "t"\n', r'each once, got "t" again'),
        ('[[addresses]]\nname = "o"\nallow = ["203.0.113.1/24"]\n', r"IPv4 address or network"),
        ('[[addresses]]\nname = "o"\nallow = ["1.2.3.4", "1.2.3.4/32"]\n', r"each address once"),
        ('[[number]]\nnumber = "0415"\n', r"E\.164"),
        ('[[number]]\nnumber = "+14155550100"\ntrunk = "x"\n', r'there is no "x"'),
        ('[[numbers]]\nnumber = "+14155550100"\n', r"numbers"),
        ('[[trunk]]\nname = "t"\nto = [{ uri = "pbx" }]\n', r"a SIP address"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SipFileError, match=problem):
        load_sip_file(write(tmp_path, text))


@pytest.mark.parametrize(
    ("password", "problem"),
    [("", "it is not set"), ("short1A", "at least 12"), ("alllowercase123", "a capital")],
)
def test_a_password_that_is_needed_must_be_one(tmp_path: Path, password: str, problem: str) -> None:
    file = load_sip_file(write(tmp_path, WHOLE))
    env = {"ALICE_PASSWORD": password}
    made = plan(everything(file, OURS, env), [])
    with pytest.raises(PasswordError, match=f"ALICE_PASSWORD: .*{problem}") as told:
        check_passwords(file, made.actions, env)
    assert not password or password not in str(told.value)


def test_no_password_is_needed_for_who_is_there(tmp_path: Path) -> None:
    file = load_sip_file(write(tmp_path, WHOLE))
    made = plan(everything(file, OURS, {}), [])
    rest = [a for a in made.actions if a.key.kind is not Kind.CREDENTIAL]
    check_passwords(file, rest, {})
    env = {"ALICE_PASSWORD": "Correct horse 1 battery"}
    check_passwords(file, made.actions, env)
    shown = [a for a in made.actions if isinstance(a, Create)]
    assert "Correct horse" not in repr(plan(everything(file, OURS, env), []))
    assert len(shown) == len(made.actions)
