"""A call whose telephone the model's side holds never waits for what only a media stream has, and
never offers what cannot be done."""

from pathlib import Path

import pytest

from app.models.ports import SemanticVad, ServerVad, SessionConfig, TurnDetection
from app.persona import Persona, Personas
from app.served import LEAST_MS, LONGEST_MS, WITHOUT, served_config, served_settings
from app.settings import Settings
from app.tools.telephone import TELEPHONE_TOOLS

AGENT = """\
instructions = "You answer."
disclosure = "This is a machine."
greeting = "Good day."
notices = ["Mind the step."]
[turn_detection]
type = "local"
[[failover]]
model = "gpt-realtime-2.1-mini"
"""


def persona(folder: Path, more: str = "") -> Persona:
    path = folder / "one.toml"
    path.write_text(AGENT + more)
    return Personas(Settings(openai_api_key="sk-x")).get(str(path))  # type: ignore[arg-type]


def test_everything_that_is_said_first_is_the_models_to_say(tmp_path: Path) -> None:
    call = served_settings(persona(tmp_path))
    assert "This is a machine. Mind the step. Good day." in call.greeting
    assert (call.greeting_words, call.notices, call.relay.filler) == ("", (), "")


def test_the_model_hears_plays_and_ends_turns_on_its_only_session(tmp_path: Path) -> None:
    call = served_settings(persona(tmp_path))
    assert call.playout.by == call.floor.by == "model"
    assert call.turn_end is None
    assert call.responses.server_answers and call.responses.server_cancels
    assert call.relay.models == 1
    assert call.relay.session_ms > call.patience.max_call_ms
    assert not (call.relay.context_tokens or call.relay.spend_usd or call.relay.prune_tokens)


@pytest.mark.parametrize(
    ("minutes", "expected_ms"), [("0", LONGEST_MS), ("5", 300_000), ("90", LONGEST_MS)]
)
def test_it_ends_before_the_vendor_ends_it(tmp_path: Path, minutes: str, expected_ms: int) -> None:
    patience = served_settings(persona(tmp_path, f"[limits]\nminutes = {minutes}\n")).patience
    assert patience.max_call_ms == expected_ms
    assert 0 < patience.warn_before_ms < expected_ms


def test_a_call_is_no_younger_for_having_changed_its_worker(tmp_path: Path) -> None:
    for age_ms, left_ms in ((600_000, LONGEST_MS - 600_000), (2 * LONGEST_MS, LEAST_MS)):
        patience = served_settings(persona(tmp_path), age_ms=age_ms).patience
        assert patience.max_call_ms == left_ms
        assert 0 < patience.warn_before_ms < left_ms


@pytest.mark.parametrize("turns", [None, ServerVad(threshold=0.7), SemanticVad("low")])
def test_the_server_answers_and_stops_by_itself(turns: TurnDetection | None) -> None:
    tools = tuple({"name": name} for name in (*sorted(WITHOUT), "transfer_call"))
    config = served_config(SessionConfig(tools=tools, turn_detection=turns))
    assert [tool["name"] for tool in config.tools] == ["transfer_call"]
    assert config.turn_detection is not None
    assert config.turn_detection.create_response and config.turn_detection.interrupt_response
    if isinstance(turns, ServerVad):
        assert isinstance(config.turn_detection, ServerVad)
        assert config.turn_detection.threshold == 0.7


def test_the_tools_that_are_left_out_exist() -> None:
    assert WITHOUT - set(TELEPHONE_TOOLS) <= {"collect_digits"}
