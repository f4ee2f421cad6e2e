"""The agent is silent as soon as a voice is heard; if that was no interruption it goes on where the
caller stopped hearing it, and if it was one the model remembers what was heard, to a frame.

In virtual time, byte by byte, with 0, 40 and 150 ms of delay and 30 ms of jitter.
"""

from dataclasses import replace
from itertools import pairwise

import pytest

from app.call.commands import CancelResponse, CreateResponse, DeleteItem, SendClear, TruncateItem
from app.call.events import VoiceStarted, VoiceStopped
from app.call.floor_settings import FloorSettings
from app.call.phases import CallSettings
from app.call.responses import ResponseSettings
from app.call.timeline import Claim
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say
from tests.call.virtual_time import BYTES_PER_MS, ITEM_SHIFT

DELAYS_MS = (0, 40, 150)
SEEDS = range(25)
ANSWER = Say("a", 6_000, text="word " * 24)
REPEATED_MS = 40
"""What a resumed answer may say twice: the fade and the frame it begins in."""

SETTINGS = CallSettings(
    greeting="Greet.",
    language="en",
    floor=FloorSettings(by="voice"),
    responses=ResponseSettings(server_answers=False, server_cancels=False),
)


def line_with(seed: int, delay_ms: int, settings: CallSettings = SETTINGS) -> VirtualLine:
    line = VirtualLine(seed, Network(carrier_ms=delay_ms), settings)
    line.model.server_answers = line.model.server_cancels = False
    line.model.script.extend((Answer((ANSWER,)), Answer((Say("b", 1_000),))))
    line.open()
    return line


def speaking(seed: int, delay_ms: int, settings: CallSettings = SETTINGS) -> VirtualLine:
    """The agent has been heard for a random while."""
    line = line_with(seed, delay_ms, settings)
    until_ms = line.chance.uniform(100, 4_500)
    while len(line.carrier.played) < until_ms * BYTES_PER_MS:
        line.run_for(1)
    return line


def offsets_of(line: VirtualLine, item_id: str) -> list[int]:
    """Every byte of an item that was played, by its place in the item."""
    number = line.item(item_id).number
    return [b & 0xFFFFFFFF for b in line.carrier.played if b >= 0 and b >> ITEM_SHIFT == number]


def claim_of(line: VirtualLine) -> Claim:
    (claim,) = line.call.timeline.claims
    return claim


def of(line: VirtualLine, *kinds: type) -> list[object]:
    return [command for command in line.commands() if isinstance(command, kinds)]


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_cough_holds_the_answer_which_goes_on_where_it_was_heard_last(
    seed: int, delay_ms: int
) -> None:
    line = speaking(seed, delay_ms)
    line.voice(line.chance.uniform(200, 450), model_hears=seed % 2 == 0)
    line.run_for(9_000)

    assert claim_of(line).decision == "resume"
    assert len(of(line, SendClear)) == 1
    offsets = offsets_of(line, "a")
    back = [(a, b) for a, b in pairwise(offsets) if b != a + 1]
    assert len(back) <= 1, "played in order, but for the place where it went on"
    for last, first in back:
        assert 0 <= last + 1 - first <= REPEATED_MS * BYTES_PER_MS, "nothing skipped, little twice"
    assert offsets[-1] == 6_000 * BYTES_PER_MS - 1, "to its end"
    assert of(line, TruncateItem, CancelResponse) == []
    (greeted,) = of(line, CreateResponse)
    assert isinstance(greeted, CreateResponse), "a cough is not answered"
    assert line.call.transcript.lines[0].final
    assert not line.call.transcript.lines[0].interrupted
    assert line.model.refused == []


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_interruption_is_answered_and_the_model_remembers_what_was_heard(
    seed: int, delay_ms: int
) -> None:
    line = speaking(seed, delay_ms)
    line.voice(line.chance.uniform(950, 2_500), "No, listen to me.")
    line.run_for(7_000)

    assert claim_of(line).decision == "yield"
    assert len(of(line, SendClear)) == 1
    item, heard_ms = line.item("a"), line.heard("a") / BYTES_PER_MS
    remembered_ms = 0 if item.deleted else item.remembered_ms
    assert remembered_ms is not None
    assert abs(remembered_ms - heard_ms) <= 40
    assert line.heard("b") == 1_000 * BYTES_PER_MS, "it was answered"
    assert line.model.refused == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_short_word_is_known_by_its_words(seed: int) -> None:
    line = speaking(seed, 40)
    line.voice(350, "Stop!")
    line.run_for(7_000)
    assert claim_of(line).decision in ("yield", "late_yield")
    assert line.heard("b") == 1_000 * BYTES_PER_MS

    line = speaking(seed, 40)
    line.voice(700, "Mm-hm.")
    line.run_for(9_000)
    assert claim_of(line).decision == "resume"
    assert offsets_of(line, "a")[-1] == 6_000 * BYTES_PER_MS - 1
    assert len(line.model.turns) == 1, "what was said stays in the model's memory"


def test_what_was_no_word_is_taken_out_of_the_models_memory() -> None:
    line = speaking(3, 40)
    line.voice(300, "(coughs)")
    line.run_for(9_000)

    assert [c.item_id for c in line.commands() if isinstance(c, DeleteItem)] == ["caller-1"]
    assert line.model.turns == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_silence_comes_within_a_frame_of_the_decision(seed: int) -> None:
    line = speaking(seed, 0)
    noticed = [claim.noticed_ms for claim in line.call.timeline.claims]
    line.voice(2_000, "Wait.")
    line.run_for(1_500)
    noticed = [claim.noticed_ms for claim in line.call.timeline.claims]
    assert max(at for at, _ in line.carrier.frames) <= noticed[0] + 20 + 30


@pytest.mark.parametrize("seed", SEEDS)
def test_several_voices_in_one_answer_are_held_one_after_the_other(seed: int) -> None:
    line = speaking(seed, 40)
    for _ in range(3):
        line.voice(line.chance.uniform(200, 450), model_hears=False)
        line.run_for(line.chance.uniform(800, 1_600))
    line.run_for(12_000)

    claims = line.call.timeline.claims
    assert [claim.decision for claim in claims if claim.decision != "resume"] == []
    offsets = offsets_of(line, "a")
    assert sorted(set(offsets)) == list(range(6_000 * BYTES_PER_MS)), "nothing was skipped"
    assert len(offsets) <= len(set(offsets)) + 3 * REPEATED_MS * BYTES_PER_MS


@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_that_was_resumed_and_then_cut_is_remembered_as_heard(seed: int) -> None:
    line = speaking(seed, 40)
    line.voice(300, model_hears=False)
    line.run_for(line.chance.uniform(900, 2_000))
    line.voice(2_000, "No, that is wrong.")
    line.run_for(6_000)

    assert [claim.decision for claim in line.call.timeline.claims] == ["resume", "yield"]
    item, heard_ms = line.item("a"), len(set(offsets_of(line, "a"))) / BYTES_PER_MS
    assert item.remembered_ms is not None
    assert abs(item.remembered_ms - heard_ms) <= 40


def test_while_the_agent_thinks_a_cough_only_delays_its_answer() -> None:
    line = line_with(5, 40)
    line.model.script.clear()
    line.model.script.append(Answer((ANSWER,), think_ms=500))
    line.run_for(200)
    line.voice(300, model_hears=False)
    line.run_for(10_000)

    assert claim_of(line).decision == "resume"
    assert offsets_of(line, "a") == list(range(6_000 * BYTES_PER_MS))


def test_what_nobody_else_heard_makes_the_agent_ask() -> None:
    line = speaking(7, 40)
    line.voice(1_500, model_hears=False)
    line.run_for(9_000)

    assert claim_of(line).decision == "yield"
    asked = [c.instructions for c in line.commands() if isinstance(c, CreateResponse)]
    assert len(asked) == 2
    assert "did not catch" in asked[1]


def test_a_voice_that_is_the_bots_own_is_nobodys() -> None:
    line = speaking(2, 40)
    settings = line.call.settings.floor
    now_ms = int(line.heap.now_ms)
    assert line.deliver(VoiceStarted(now_ms - 100, now_ms, echo=settings.echo_share)) == []
    assert line.call.timeline.claims == []


def test_on_a_noisy_line_the_agent_stops_only_for_a_voice_that_lasts() -> None:
    floor = replace(SETTINGS.floor, noisy_hint="There is noise.")
    line = line_with(4, 40, replace(SETTINGS, floor=floor))
    line.run_for(1_000)
    for _ in range(5):
        line.voice(250, model_hears=False)
        line.run_for(1_200)
    line.run_for(9_000)

    held = [claim.held for claim in line.call.timeline.claims]
    assert held == [True, True, True, False, False]
    asked = [c.instructions for c in line.commands() if isinstance(c, CreateResponse)]
    assert asked == ["Greet.", "There is noise."]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_turn_that_began_in_the_agents_last_words_is_answered(seed: int) -> None:
    line = speaking(seed, 40)
    while line.call.playout.unplayed:
        last_ms = line.heap.now_ms
        if line.call.playout.play_end_ms - last_ms < 60 and not line.call.playout.unsent_ms:
            break
        line.run_for(5)
    line.speak(2_500, "I would like to book a table.")
    line.run_for(400)
    began_ms = int(line.heap.now_ms)
    line.deliver(VoiceStarted(began_ms - 100, began_ms))
    line.run_for(2_300)
    line.deliver(VoiceStopped(began_ms + 2_000, began_ms + 2_300, 2_000))
    line.run_for(4_000)

    assert line.heard("b") == 1_000 * BYTES_PER_MS, "it was answered"
