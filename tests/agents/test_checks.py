"""What one part of an agent's file gets wrong about another is told with its file and line."""

from pathlib import Path

import pytest

from app.agents import AgentError, load_agent

FINE = """\
instructions = '''
You are kind to {{caller_name}},
on {{weekday}}, {{ sip_x_order }}.
'''
greeting = "Hello {{caller_name}}!"
notices = ["It is {{time}}."]
timezone = "Europe/Berlin"
[variables]
caller_name = "dear caller"
[hours]
timezone = "Europe/Paris"
message = "Closed, {{caller_name}}."
[hours.week]
[[menu.options]]
key = "1"
label = "a text message"
go = "sms"
[ladder]
rungs = ["voicemail", "sms"]
[sms]
from_number = "+15550100002"
"""

NO_SENDER = (
    'expected from_number or messaging_service in [sms] for "sms", got neither. Say there what '
    'text messages are sent from, or leave "sms" out.'
)


def write(folder: Path, text: str) -> Path:
    path = folder / "desk.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_agent_that_is_right_is_loaded(tmp_path: Path) -> None:
    agent = load_agent(write(tmp_path, FINE))
    assert agent.variables == {"caller_name": "dear caller"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{{weekday}}", "{{weekdays}}",
         "3: instructions: there is no variable {{weekdays}}; did you mean {{weekday}}?"),
        ("{{weekday}}", "{{Week day}}",
         "3: instructions: there is no variable {{Week day}}; did you mean {{weekday}}?"),
        ("{{weekday}}", "{{zzz}}",
         "3: instructions: there is no variable {{zzz}}; give it a default in [variables]."),
        ("{{time}}", "{{caller_number}}",
         "6: notices[1]: expected a default for caller_number in [variables]: what is spoken must "
         "also be right when it is not known."),
        ("Europe/Berlin", "Europe/Nowhere",
         '7: timezone: expected a time zone such as "Europe/Berlin", got "Europe/Nowhere".'),
        ("caller_name =", "time =",
         "9: variables.time: expected another name: this one is known in every call."),
        ("[variables]", "[variables]\n\"Caller-Id\" = \"\"",
         "9: variables.Caller-Id: expected a name of small letters, digits and _."),
        ("[variables]", "filler = '{{date}}'\n[variables]",
         "8: filler: expected no {{...}}: it is spoken from a recording."),
        ("Closed, {{caller_name}}", "Closed, {{caller_nam}}",
         "12: hours.message: there is no variable {{caller_nam}}; did you mean {{caller_name}}?"),
        ("Closed, {{caller_name}}", "Closed, {{caller_number}}",
         "12: hours.message: expected a default for caller_number in [variables]: what is spoken "
         "must also be right when it is not known."),
        ("from_number =", "sorry =", f"17: menu.options[1].go: {NO_SENDER}"),
        ("from_number =", "sorry =", f"19: ladder.rungs: {NO_SENDER}"),
        ("[sms]", "[sms]\nfirst_message = '{link}'",
         "21: sms.first_message: expected words or a link in the text message, got neither. Write "
         "some, or set link."),
        ('"dear caller"', "7", "9: variables.caller_name: expected a text in quotes, got 7."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = write(tmp_path, FINE.replace(old, new))
    with pytest.raises(AgentError) as caught:
        load_agent(path)
    assert f"{path}:{problem}" in str(caught.value).splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[ladder]\nrungs = ['voicemail']",
        "[[menu.options]]\nkey = '1'\nlabel = 'a message'\ngo = 'hang_up'",
        "[ladder]\nrungs = ['sms']\n[sms]\nmessaging_service = 'MG" + 32 * "0" + "'",
        "[sms]\nfrom_number = '+15550100002'\nlink = 'https://example.com'\n"
        "first_message = '{link}'\n[ladder]\nrungs = ['sms']",
    ],
    ids=["the ladder's default", "no such rung", "another choice", "a service", "only a link"],
)
def test_text_messages_are_not_asked_for_where_nobody_wants_them(tmp_path: Path, text: str) -> None:
    assert load_agent(write(tmp_path, f"instructions = 'Be kind.'\n{text}"))
