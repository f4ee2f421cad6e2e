"""Each leg is told only what it can carry out: it cuts what it spoke, rewrites what it was told,
and hears nothing of what it does not know."""

from app.call.commands import DeleteItem, RewriteItem, TruncateItem
from app.call.events import Entry
from app.call.leg_memory import LegMemory
from app.call.pruning import Pruner
from app.call.transcript import Transcript

CUT = TruncateItem("t", "a1", 500)
GONE = DeleteItem("d", "a1")


def memory(tokens: int = 0) -> tuple[LegMemory, Transcript]:
    transcript = Transcript()
    transcript.agent_says("a1", "one two three four", 0)
    found = LegMemory(transcript, Pruner(tokens, keep_turns=1))
    found.taken(1, ())
    return found, transcript


def test_the_leg_that_spoke_an_item_cuts_it() -> None:
    legs, _ = memory()
    legs.sounded("a1", 8_000)

    assert legs.mended([CUT]) == [CUT]


def test_a_leg_that_was_told_an_item_gets_its_heard_words() -> None:
    legs, transcript = memory()
    legs.sounded("a1", 8_000)
    legs.taken(2, (Entry("agent", "a1", "one two three four"),))
    transcript.agent_cut("a1", "one two", "three four")

    [rewrite] = legs.mended([CUT])
    assert isinstance(rewrite, RewriteItem)
    assert (rewrite.item_id, rewrite.speaker) == ("a1", "agent")
    assert rewrite.text == "one two [interrupted]"
    assert legs.mended([CUT]) == [], "it is rewritten once"


def test_a_told_item_of_which_nothing_was_heard_is_only_taken_back() -> None:
    legs, transcript = memory()
    legs.sounded("a1", 8_000)
    legs.taken(2, (Entry("agent", "a1", "one two three four"),))
    transcript.agent_cut("a1", "", "one two three four")

    [rewrite] = legs.mended([GONE])
    assert isinstance(rewrite, RewriteItem)
    assert rewrite.text == ""


def test_a_leg_is_not_told_of_items_that_it_does_not_know() -> None:
    legs, _ = memory()
    legs.sounded("a1", 8_000)
    legs.taken(2, ())

    assert legs.mended([CUT, GONE]) == []


def test_a_phrase_of_ours_is_no_models_memory() -> None:
    legs, _ = memory()
    legs.said_by_nobody("a1")

    assert legs.mended([CUT]) == []


def test_old_audio_of_either_side_becomes_words_of_that_side() -> None:
    legs, transcript = memory(tokens=1)
    transcript.caller_began("c1", 0, 0)
    transcript.caller_said("c1", "my number", 0)
    transcript.agent_heard("a1")
    transcript.caller_began("c2", 0, 9_000)
    legs.sounded("a1", 80_000)
    legs.heard("c1", 5_000)

    rewrites = legs.pruned(transcript.lines)
    told = [(r.item_id, r.speaker, r.text) for r in rewrites if isinstance(r, RewriteItem)]
    assert told == [("a1", "agent", "one two three four"), ("c1", "caller", "my number")]
    assert len({r.new_id for r in rewrites if isinstance(r, RewriteItem)}) == 2
