"""The short way of a step in which only audio is due gives what the whole step would have given."""

import pytest

from app.call.call import Call
from app.call.events import DeadlineReached, HangUpRequested, KeyPressed, RolloverRequested
from app.call.floor import FloorSettings
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say

QUICK = RelaySettings(quiet_wait_ms=1_200, force_wait_ms=2_000)
BY_MODEL = CallSettings(greeting="Greet.", relay=QUICK)
BY_VOICE = CallSettings(greeting="Greet.", relay=QUICK, floor=FloorSettings(by="voice", keys=True))
STORY = "one two three four five six seven eight nine ten"


class Thorough(Call):
    """Takes the whole way in every step."""

    def _only_audio_is_due(self, now_ms: int) -> bool:
        return False


def talk(seed: int, settings: CallSettings) -> VirtualLine:
    """Long answers; the caller, the operator and the network do something in the middle of each."""
    line = VirtualLine(seed, Network(carrier_ms=40), settings)

    def happens() -> None:
        match line.chance.randrange(7):
            case 0:
                line.voice(line.chance.uniform(80, 1_500), "Wait.", model_hears=True)
            case 1:
                line.deliver(KeyPressed("5"))
            case 2:
                line.deliver(RolloverRequested())
            case 3 if line.call.handover.relay.leg and line.shell.ended is None:
                line.drop()
            case _:
                line.speak(line.chance.uniform(200, 900), "And then?")

    def talks(model: object, leg: int) -> None:
        line.legs[leg].endless = lambda: Answer(
            (Say(f"s{line.chance.random()}", 4_000, text=STORY),)
        )

    line.on_open = talks
    line.model.endless = lambda: Answer((Say(f"f{line.chance.random()}", 4_000, text=STORY),))
    line.open()
    line.run_for(1_500)
    for _ in range(10):
        happens()
        line.run_for(line.chance.uniform(300, 4_000))
    line.deliver(HangUpRequested("operator"))
    line.run_for(6_000)
    return line


@pytest.mark.parametrize("settings", [BY_MODEL, BY_VOICE], ids=["by model", "by voice"])
@pytest.mark.parametrize("seed", range(12))
def test_the_short_way_gives_what_the_whole_way_gives(seed: int, settings: CallSettings) -> None:
    log = talk(seed, settings).shell.log
    call, thorough = Call(settings), Thorough(settings)

    for now_ms, event, commands in log:
        assert call.handle(event, now_ms) == commands
        assert thorough.handle(event, now_ms) == commands
        assert call.due_ms == thorough.due_ms


def test_most_deadlines_of_an_answer_take_the_short_way() -> None:
    short: list[bool] = []

    class Counting(Call):
        def _only_audio_is_due(self, now_ms: int) -> bool:
            short.append(super()._only_audio_is_due(now_ms))
            return short[-1]

    call = Counting(BY_MODEL)
    log = talk(3, BY_MODEL).shell.log
    for now_ms, event, _ in log:
        call.handle(event, now_ms)

    assert len(short) == sum(isinstance(event, DeadlineReached) for _, event, _ in log)
    assert sum(short) > len(short) // 2
