"""What may be billed as cached is exactly what stands unchanged before the first change.

The ledger is kept by sums; here it is held against the plain comparison of what was read with what
is read next, item by item.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cost_model import TERMS
from bench.cost_session import Item, Session

EXACT = replace(TERMS, cache_least_tokens=0, cache_step_tokens=1)
HEAD = 1_700


def item(text_tokens: int = 20, audio_tokens: int = 100, number: int = 0) -> Item:
    return Item("agent", number, text_tokens, audio_tokens, line_tokens=15)


def begun(*items: Item, terms: object = EXACT) -> Session:
    session = Session(terms, HEAD, 0.0)  # type: ignore[arg-type]
    for each in items:
        session.add(each)
    return session


Steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 90), st.integers(0, 300)),
        st.tuples(st.just("read"), st.just(0), st.just(0)),
        st.tuples(st.just("text"), st.integers(0, 30), st.integers(1, 3)),
        st.tuples(st.just("delete"), st.integers(0, 30), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(Steps)
def test_what_is_reused_is_the_common_beginning_of_two_readings(
    steps: list[tuple[str, int, int]],
) -> None:
    session = begun()
    before: list[tuple[int, int, int]] | None = None
    for number, (kind, first, second) in enumerate(steps):
        begin = first % max(1, len(session.items))
        places = list(range(begin, min(begin + second, len(session.items))))
        match kind:
            case "add":
                session.add(item(first, second, number))
            case "text":
                session.to_text([n for n in places if not session.items[n].is_text])
            case "delete":
                session.delete(places)
            case _:
                now = [(i.turn, i.text_tokens, i.audio_tokens) for i in session.items]
                reading = session.read(1.0)
                assert reading.text_tokens == HEAD + sum(text for _, text, _ in now)
                assert reading.audio_tokens == sum(audio for _, _, audio in now)
                common = common_beginning(before, now) if before is not None else []
                head = HEAD if before is not None else 0
                assert reading.same_text_tokens == head + sum(text for _, text, _ in common)
                assert reading.same_audio_tokens == sum(audio for _, _, audio in common)
                before = now


def common_beginning(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def test_an_item_that_becomes_text_has_its_words_and_no_audio() -> None:
    session = begun(item(), item())
    session.to_text([1])
    assert (session.items[1].tokens, session.items[1].is_text) == (15, True)
    assert session.item_tokens == 120 + 15
    assert session.audio_tokens == 100


def test_a_change_near_the_end_costs_less_than_one_at_the_beginning() -> None:
    reused = []
    for place in (0, 3):
        session = begun(*(item() for _ in range(4)))
        session.read(1.0)
        session.delete([place])
        reused.append(session.read(2.0).same_audio_tokens)
    assert reused == [0, 300]


def test_reused_tokens_come_in_steps_and_not_below_the_least() -> None:
    session = begun(item(), terms=TERMS)
    session.read(1.0)
    reading = session.read(2.0)
    assert reading.same_text_tokens + reading.same_audio_tokens == (HEAD + 120) // 128 * 128
    small = Session(TERMS, 1_000, 0.0)
    small.read(1.0)
    assert small.read(2.0).same_text_tokens == 0


@pytest.mark.parametrize(("wait_s", "reused"), [(300.0, 1_664), (301.0, 0)])
def test_a_cache_that_was_not_used_for_long_is_cold(wait_s: float, reused: int) -> None:
    session = Session(TERMS, HEAD, 0.0)
    session.read(10.0)
    assert session.read(10.0 + wait_s).same_text_tokens == reused


def test_a_new_session_is_cold_unless_the_terms_say_otherwise() -> None:
    assert Session(TERMS, HEAD, 0.0).read(1.0).same_text_tokens == 0
    warm = Session(replace(EXACT, warm_start=True), HEAD + 400, 0.0)
    assert warm.read(1.0).same_text_tokens == EXACT.instructions_tokens + EXACT.tools_tokens


def test_a_request_behind_the_conversation_is_read_and_never_reused() -> None:
    session = begun(item())
    session.read(1.0)
    assert session.read(2.0, 330).text_tokens == HEAD + 20 + 330
    assert session.read(3.0).same_text_tokens == HEAD + 20
