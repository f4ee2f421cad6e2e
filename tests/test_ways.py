"""An agent's file leads somewhere: each of its ways is known, or the file is refused with the place
and what was expected."""

from pathlib import Path

import pytest

from app.agents import AgentError, load_agent
from app.onward.ways import MenuOption, VoicemailWays, Way, Ways
from app.ways import targets_of, ways_of

DESK = '[transfers.desk]\nto = "+14155550100"\n'
SIP_DESK = '[transfers.desk]\nto = "sip:desk@pbx.example.com"\n'
OPTION = '[[menu.options]]\nkey = "1"\nlabel = "it"\n'


def ways(folder: Path, text: str) -> Ways:
    path = folder / "house.toml"
    path.write_text(f'instructions = "You answer."\n{text}', encoding="utf-8")
    return ways_of(load_agent(path))


def test_a_file_without_ways_has_the_ladders_order_and_no_more(tmp_path: Path) -> None:
    assert ways(tmp_path, "") == Ways(rungs=("menu", "person", "voicemail", "sms"))


def test_every_key_reaches_the_journey(tmp_path: Path) -> None:
    found = ways(
        tmp_path,
        """
        [transfers.front-desk]
        to = "+14155550100"
        how = "warm"
        when = "always"
        ring_s = 9
        otherwise = "on_call"
        caller_id = "caller"
        music = "https://example.com/music.mp3"
        [transfers.on_call]
        to = "client:anna"
        name = "Anna"
        otherwise = "voicemail"
        [ladder]
        rungs = ["voicemail", "person", "voicemail"]
        words = "Sorry."
        person = "on_call"
        [menu]
        words = "The menu."
        wait_s = 9
        tries = 3
        [[menu.options]]
        key = "1"
        label = "sales"
        words = ["new car"]
        transfer = "on_call"
        [[menu.options]]
        key = "#"
        label = "hours"
        say = "From nine."
        [[menu.options]]
        key = "0"
        label = "a message"
        go = "voicemail"
        [voicemail]
        words = "Speak."
        max_s = 30
        thanks = "Bye."
        """,
    )
    assert found.transfers == {
        "front-desk": Way(
            "front-desk", "warm", "front desk", "always", 9, "on_call", "caller",
            "https://example.com/music.mp3",
        ),
        "on_call": Way("on_call", name="Anna", otherwise="voicemail"),
    }  # fmt: skip
    assert (found.rungs, found.sorry, found.person) == (
        ("voicemail", "person"),
        "Sorry.",
        "on_call",
    )
    assert found.menu.options == (
        MenuOption("1", "sales", ("sales", "new car"), "transfer", "on_call"),
        MenuOption("#", "hours", ("hours",), "say", "From nine."),
        MenuOption("0", "a message", ("a message",), "voicemail"),
    )
    assert (found.menu.words, found.menu.wait_s, found.menu.tries) == ("The menu.", 9, 3)
    assert found.voicemail == VoicemailWays("Speak.", 30, "Bye.")


def test_where_transfers_lead_is_told_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(f'instructions = "You answer."\n{DESK}', encoding="utf-8")
    assert targets_of(load_agent(path)) == {"desk": "+14155550100"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f'{DESK}otherwise = "chef"',
            'transfers.desk.otherwise: expected the name of a table [transfers.NAME], got "chef"; '
            "there are: desk.",
        ),
        (
            f'{DESK}otherwise = "voicemail"',
            "transfers.desk.otherwise: expected a table [voicemail]",
        ),
        (
            f'{DESK}otherwise = "desk"',
            "transfers.desk.otherwise: expected a way that ends, got a circle: desk -> desk.",
        ),
        (
            '[transfers.a]\nto = "+14155550100"\notherwise = "b"\n'
            '[transfers.b]\nto = "+14155550101"\notherwise = "a"',
            "got a circle: a -> b -> a.",
        ),
        (
            f'{DESK}how = "refer"',
            'transfers.desk.to: expected "sip:user@host" for how = "refer".',
        ),
        (
            '[transfers.desk]\nto = "queue:sales"\nhow = "warm"',
            'transfers.desk.how: expected "cold" for a queue',
        ),
        (
            '[ladder]\nperson = "desk"',
            'ladder.person: expected the name of a table [transfers.NAME], got "desk"; there are: '
            "none.",
        ),
        (OPTION, "menu.options[1]: expected one of transfer, say and go, got 0."),
        (
            f'{OPTION}say = "Hi."\ngo = "hang_up"',
            "menu.options[1]: expected one of transfer, say and go, got 2.",
        ),
        (
            f'{OPTION}say = "Hi."\n{OPTION}say = "Ho."',
            'menu.options[2].key: expected a key that no other option has, got "1".',
        ),
        (f'{OPTION}transfer = "chef"', "menu.options[1].transfer: expected the name of a table"),
        (f'{OPTION}go = "voicemail"', "menu.options[1].go: expected a table [voicemail]"),
    ],
)
def test_a_way_that_leads_nowhere_is_told_with_its_place(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(AgentError) as caught:
        ways(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "house.toml"))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (DESK + "headers = { X-Team = '1' }", r"transfers\.desk\.headers: .*sip:user@host"),
        (DESK + "answer_headers = ['X-A']", r"transfers\.desk\.answer_headers: .*sip:user@host"),
        (DESK + "how = 'warm'\nthen = 'back'", r'transfers\.desk\.then: expected how = "cold"'),
        (SIP_DESK + "headers = { Team = '1' }", r"X-\.\.\."),
        (SIP_DESK + "headers = { X-Team = '{{nobody}}' }", r"there is no variable {{nobody}}"),
    ],
)
def test_headers_are_for_sip_systems_and_name_what_there_is(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(AgentError, match=problem):
        ways(tmp_path, text)


def test_what_comes_back_reaches_the_journey(tmp_path: Path) -> None:
    text = SIP_DESK + "then = 'back'\nanswer_headers = ['X-Outcome']"
    way = ways(tmp_path, text).transfers["desk"]
    assert (way.then, way.answer_headers) == ("back", ("X-Outcome",))
