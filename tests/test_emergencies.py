"""A caller who says or types that help is needed is told once whom to call, as the policy of the
agent that speaks now has it; keys that are collected or hidden say nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.agents import Policy
from app.call.crew import Colleague
from app.call.events import (
    CallerTranscribed,
    DeadlineReached,
    Effect,
    Event,
    KeyPressed,
    ModelReady,
    Prompted,
    ResponseCreated,
    ResponseFinished,
    ToolCall,
    ToolFinished,
)
from app.emergencies import ANY_NUMBER, Emergencies
from tests.call.handover_play import talking

LONDON = "+442079460000"


@dataclass
class Scene:
    """A call that is watched as the bridge has it watched."""

    policies: dict[str, Policy] = field(default_factory=lambda: {"": Policy()})
    near: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.call = talking(colleagues=(Colleague("dates"),))
        self._watch = Emergencies(self.policies.__getitem__, self.near)
        self._watch.watch(self)  # type: ignore[arg-type]
        self._now_ms = 1_000

    def prompt(self, prompted: Prompted) -> None:
        self.said.append(prompted.say)

    def happens(self, *events: Event) -> None:
        for event in events:
            commands = self.call.handle(event, self._now_ms)
            if isinstance(event, KeyPressed):
                event = KeyPressed(self.call.keypad.shown)  # noqa: PLW2901 - as the bridge shows it
            self._watch.step(self.call, event, commands, self._now_ms)

    def waits(self, ms: int) -> None:
        end_ms = self._now_ms + ms
        while (due_ms := self.call.due_ms) is not None and due_ms <= end_ms:
            self._now_ms = due_ms
            self.happens(DeadlineReached())
        self._now_ms = end_ms

    def types(self, keys: str, pause_ms: int = 5_000) -> None:
        for key in keys:
            self.happens(KeyPressed(key))
            self.waits(300)
        self.waits(pause_ms)

    def calls(self, name: str, arguments: str = "{}") -> None:
        tool = ToolCall("t1", "i1", name, arguments)
        self.happens(ResponseCreated("r1"), ResponseFinished("r1", "completed", tool_calls=(tool,)))


@pytest.mark.parametrize("keys", ["112", "911"])
def test_who_types_it_is_told_once_whom_to_call(keys: str) -> None:
    scene = Scene()
    scene.types(keys, pause_ms=0)
    assert scene.said == [], "more keys may come"
    scene.waits(3_000)
    [say] = scene.said
    assert f"call {ANY_NUMBER} now" in say
    scene.types(keys)
    scene.happens(CallerTranscribed("c1", "I need an ambulance."))
    assert len(scene.said) == 1


@pytest.mark.parametrize("keys", ["9112015550", "1", "4711", "91", "11", "0", "911#", "999"])
def test_other_entries_are_no_emergency(keys: str) -> None:
    scene = Scene()
    scene.types(keys)
    assert scene.said == []


def test_the_country_of_the_line_has_its_own_number() -> None:
    scene = Scene(near=(LONDON, ""))
    scene.types("999")
    assert len(scene.said) == 1


def test_the_agents_own_number_counts_and_is_what_is_said() -> None:
    scene = Scene({"": Policy(emergency_number="5555")})
    scene.types("5555")
    [say] = scene.said
    assert "call 5555 now" in say


def test_an_agent_that_does_not_want_it_is_left_alone() -> None:
    scene = Scene({"": Policy(emergencies=False)})
    scene.types("911")
    scene.happens(CallerTranscribed("c1", "I need an ambulance."))
    assert scene.said == []


@pytest.mark.parametrize("masked", ["true", "false"])
def test_keys_that_are_collected_say_nothing(masked: str) -> None:
    scene = Scene()
    scene.calls("collect_digits", f'{{"min_digits": 3, "max_digits": 3, "masked": {masked}}}')
    scene.types("911911")
    assert scene.call.snapshot().entries, "they were taken"
    assert scene.said == []


def test_keys_pressed_just_before_they_were_asked_for_say_nothing() -> None:
    scene = Scene()
    scene.types("911", pause_ms=0)
    scene.calls("collect_digits", '{"min_digits": 3, "max_digits": 9}')
    scene.waits(20_000)
    assert scene.said == []


def test_hidden_keys_say_nothing() -> None:
    scene = Scene()
    scene.call.keypad.doubt(1_000)
    scene.types("911")
    assert scene.said == []


def hand_over(scene: Scene) -> None:
    scene.calls("hand_over")
    scene.happens(ToolFinished("t1", "{}", effect=Effect("agent", "dates")))
    scene.happens(ModelReady("s", "m", leg=2))
    assert scene.call.handover.speaker == "dates"


def types(scene: Scene) -> None:
    scene.types("911")


def says(scene: Scene) -> None:
    scene.happens(CallerTranscribed("c1", "I need an ambulance."))


@pytest.mark.parametrize("asks", [types, says])
def test_it_is_the_agent_that_speaks_whose_policy_counts(asks: Callable[[Scene], None]) -> None:
    policies = {"": Policy(emergencies=False), "dates": Policy(emergency_number="999")}
    scene = Scene(policies)
    asks(scene)
    assert scene.said == []
    hand_over(scene)
    asks(scene)
    [say] = scene.said
    assert "call 999 now" in say
