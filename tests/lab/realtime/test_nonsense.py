"""Invariant: nonsense is never mistaken for an event, and a healthy model talks none."""

from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.behaviour import Behaviour, Nonsense
from app.lab.realtime.nonsense import GARBAGE, Garbler

KINDS: list[Nonsense] = list(GARBAGE)
EVENT = ("response.done", b'{"type":"response.done"}', True)


def sent(behaviour: Behaviour, n_events: int) -> list[tuple[str, bytes, bool]]:
    garbler = Garbler(behaviour)
    return [frame for _ in range(n_events) for frame in garbler.pass_on(EVENT[0], EVENT[1])]


def test_a_healthy_model_sends_its_events_and_nothing_else() -> None:
    assert sent(Behaviour(), 50) == [EVENT] * 50


@given(every=st.integers(1, 9), n_events=st.integers(0, 60), replaces=st.booleans())
def test_garbage_comes_after_every_nth_event_or_in_its_place(
    every: int, n_events: int, replaces: bool
) -> None:
    behaviour = Behaviour(nonsense=tuple(KINDS), nonsense_every=every, nonsense_replaces=replaces)
    frames = sent(behaviour, n_events)
    garbage = [frame for frame in frames if frame[0] == "nonsense"]
    assert len(garbage) == n_events // every
    assert len(frames) == n_events + (0 if replaces else len(garbage))
    assert garbage[: len(KINDS)] == [GARBAGE[kind] for kind in KINDS][: len(garbage)]
