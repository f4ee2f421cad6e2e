"""The caller hears what the model says as time goes by, and nothing after it was cleared."""

from app.lab.openai_sip.output import FRAME_BYTES, Output


def output() -> tuple[Output, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    return Output(lambda kind, response: told.append((kind.rpartition(".")[2], response))), told


def test_an_answer_begins_with_its_first_frame_and_stops_with_its_last() -> None:
    out, told = output()
    out.add("r1", "i1", bytes(400))
    assert not told
    out.frame()
    out.complete("r1")
    assert told == [("started", "r1")]
    out.frame()
    assert len(out.frame()) == FRAME_BYTES
    assert told == [("started", "r1"), ("stopped", "r1")]
    assert len(out.heard) == 400


def test_an_answer_that_is_not_complete_does_not_stop() -> None:
    out, told = output()
    out.add("r1", "i1", bytes(160))
    out.frame()
    out.frame()
    assert out.playing == "r1"
    out.complete("r1")
    assert told[-1] == ("stopped", "r1")


def test_a_cut_tells_how_much_was_played_and_drops_the_rest() -> None:
    out, told = output()
    out.add("r1", "i1", bytes(1_600))
    for _ in range(3):
        out.frame()
    assert out.clear() == ("i1", 60)
    out.add("r1", "i1", bytes(160))
    assert told[-1] == ("cleared", "r1")
    assert out.frame() == b"\xff" * FRAME_BYTES
    assert len(out.heard) == 480


def test_nothing_is_cut_where_nothing_plays() -> None:
    out, told = output()
    assert out.clear() is None
    assert not told
