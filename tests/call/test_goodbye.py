"""A call is hung up after its last word was played: not before it, and not much later."""

from app.call.commands import EndCall, SendToolOutput
from app.call.endings import EndReason
from app.call.events import HangUpRequested, ToolCall
from app.call.goodbye import Goodbye
from app.call.phases import Phase
from app.call.playout import Playout
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say

HANG_UP = ToolCall("bye", "item-bye", "hang_up", "{}")


def phase_of(line: VirtualLine) -> Phase:
    return line.call.phase


def saying_goodbye(length_ms: float = 2_000, delay_ms: float = 40) -> VirtualLine:
    line = VirtualLine(7, Network(carrier_ms=delay_ms))
    line.model.script.append(Answer((Say("a", length_ms, text="Goodbye."),), (HANG_UP,)))
    line.open()
    return line


def test_hanging_up_waits_for_the_last_mark() -> None:
    line = saying_goodbye()
    while line.shell.ended is None:
        line.run_for(1)

    assert line.shell.ended == EndCall(EndReason.AGENT_HUNG_UP)
    assert line.heard("a") == 16_000
    assert str(line.call.transcript.lines[0]) == "Goodbye."


def test_the_line_is_not_held_once_the_last_mark_is_back() -> None:
    line = saying_goodbye(2_000, delay_ms=0)
    while len(line.carrier.played) < 16_000:
        line.run_for(1)
    line.run_for(60)

    assert line.shell.ended is not None


def test_a_last_mark_that_never_comes_is_waited_for_in_bounds() -> None:
    line = saying_goodbye()
    while not line.carrier.played:
        line.run_for(1)
    line.carrier.on_echo = lambda name: None
    line.run_for(2_000 + 2_500)
    assert line.shell.ended is None
    line.run_for(1_000)

    assert line.shell.ended == EndCall(EndReason.AGENT_HUNG_UP)


def test_the_caller_calls_the_agents_goodbye_off() -> None:
    line = saying_goodbye()
    line.model.script.append(Answer((Say("b", 500),)))
    while phase_of(line) is not Phase.GOODBYE:
        line.run_for(1)
    line.run_for(300)
    line.model.hear(500)
    line.run_for(5_000)

    assert line.shell.ended is None
    assert phase_of(line) is Phase.TALKING
    outputs = [c for c in line.commands() if isinstance(c, SendToolOutput)]
    assert [(c.call_id, '"ok": false' in c.output) for c in outputs] == [("bye", True)]
    assert line.heard("b") == 4_000


def test_nobody_calls_off_an_operators_goodbye() -> None:
    line = VirtualLine(7)
    line.model.script.append(Answer((Say("a", 5_000),)))
    line.open()
    while not line.carrier.played:
        line.run_for(1)
    line.deliver(HangUpRequested("operator"))
    assert line.shell.ended is None
    line.model.hear(500)
    line.run_for(500)

    assert line.shell.ended == EndCall(EndReason.OPERATOR_HUNG_UP)


def test_the_agents_own_goodbye_does_not_soften_an_operators() -> None:
    goodbye = Goodbye(3_000)
    goodbye.begin(EndReason.OPERATOR_HUNG_UP, 100)
    goodbye.begin(EndReason.AGENT_HUNG_UP, 200, "bye")

    assert goodbye.reason is EndReason.OPERATOR_HUNG_UP
    assert not goodbye.call_off()


def test_asking_again_does_not_put_the_end_off() -> None:
    goodbye, playout = Goodbye(3_000), Playout()
    goodbye.begin(EndReason.OPERATOR_HUNG_UP, 100)
    goodbye.begin(EndReason.DRAINED, 2_000)

    assert goodbye.due_ms(playout) == 3_100


def test_an_operator_overrules_the_agents_goodbye() -> None:
    goodbye = Goodbye(3_000)
    goodbye.begin(EndReason.AGENT_HUNG_UP, 100, "bye")
    goodbye.begin(EndReason.OPERATOR_HUNG_UP, 200)

    assert goodbye.over(Playout(), 200, busy=False) is EndReason.OPERATOR_HUNG_UP


def test_the_watchdog_counts_from_when_the_last_word_is_due() -> None:
    goodbye, playout = Goodbye(3_000), Playout()
    playout.receive("r", "a", 0, 16_000, 1_000)
    goodbye.begin(EndReason.AGENT_HUNG_UP, 1_000)

    assert goodbye.due_ms(playout) == 1_000 + 2_000 + 3_000
    assert goodbye.over(playout, 5_999, busy=False) is None
    assert goodbye.over(playout, 6_000, busy=True) is EndReason.AGENT_HUNG_UP


def test_nothing_is_over_that_was_not_begun() -> None:
    goodbye = Goodbye(3_000)

    assert goodbye.due_ms(Playout()) is None
    assert goodbye.over(Playout(), 10**9, busy=False) is None
    assert not goodbye.call_off()
