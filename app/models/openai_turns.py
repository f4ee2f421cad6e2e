"""OpenAI's turn detection: how it is asked for, and whether the session took it.

Fields: OpenAI Realtime types, `realtime_audio_input_turn_detection_param`. Null means that the
server decides nothing and we commit turns. With both switches off the speech events still come.
"""

from typing import assert_never

from msgspec import UnsetType

from app.call.events import ModelClosed
from app.models import openai_shapes as wire
from app.models.ports import SemanticVad, ServerVad, SessionConfig, TurnDetection


def encode_turns(turns: TurnDetection | None) -> dict[str, object] | None:
    """The `turn_detection` object of a session."""
    match turns:
        case None:
            return None
        case ServerVad():
            settings: dict[str, object] = {
                "type": "server_vad",
                "threshold": turns.threshold,
                "prefix_padding_ms": turns.prefix_padding_ms,
                "silence_duration_ms": turns.silence_duration_ms,
            }
            if turns.idle_timeout_ms is not None:
                settings["idle_timeout_ms"] = turns.idle_timeout_ms
        case SemanticVad():
            settings = {"type": "semantic_vad", "eagerness": turns.eagerness}
        case _:
            assert_never(turns)
    settings["create_response"] = turns.create_response
    settings["interrupt_response"] = turns.interrupt_response
    return settings


def turns_fault(session: wire.EchoedSession, config: SessionConfig) -> ModelClosed | None:
    """Why the session must not be used: somebody else than we think would end turns, answer them,
    interrupt answers or break the silence. None when it says nothing against what was asked.

    The finer settings (threshold, padding, silence, eagerness) may come back rounded.
    """
    echoed = _echoed(session)
    if isinstance(echoed, UnsetType):
        return None
    asked = config.turn_detection
    wanted, said = encode_turns(asked), _decisions(echoed)
    if wanted is None or said is None:
        return None if wanted is said else _contradiction("", _named(wanted), _named(said))
    if isinstance(asked, ServerVad):
        wanted["idle_timeout_ms"] = asked.idle_timeout_ms
    for name, value in said.items():
        if value != wanted.get(name):
            return _contradiction(f".{name}", str(wanted.get(name)), str(value))
    return None


def silence_of(session: wire.EchoedSession, config: SessionConfig) -> int:
    """Silence in ms that ends a turn, as the server says; 0: it goes by meaning or not at all."""
    echoed = _echoed(session)
    if isinstance(echoed, wire.EchoedTurns) and echoed.silence_duration_ms is not None:
        return echoed.silence_duration_ms
    asked = config.turn_detection
    return asked.silence_duration_ms if isinstance(asked, ServerVad) else 0


def _echoed(session: wire.EchoedSession) -> wire.EchoedTurns | UnsetType | None:
    heard = (session.audio or wire.EchoedAudio()).input or wire.EchoedInput()
    return heard.turn_detection


def _decisions(echoed: wire.EchoedTurns | None) -> dict[str, object] | None:
    """What the session says of who decides; settings that it leaves out are not in it."""
    if echoed is None:
        return None
    said: dict[str, object] = {
        "type": echoed.type,
        "create_response": echoed.create_response,
        "interrupt_response": echoed.interrupt_response,
    }
    said = {name: value for name, value in said.items() if value is not None}
    if not isinstance(echoed.idle_timeout_ms, UnsetType):
        said["idle_timeout_ms"] = echoed.idle_timeout_ms
    return said


def _named(turns: dict[str, object] | None) -> str:
    return "null" if turns is None else str(turns.get("type", "an object"))


def _contradiction(path: str, asked: str, said: str) -> ModelClosed:
    detail = f"audio input turn_detection{path}: asked for {asked}, the session says {said}"
    return ModelClosed("refused", detail)
