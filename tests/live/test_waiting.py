"""Nothing that waits is lost or doubled in the books: what was put is sent, waits, was replaced by
a later word on the same key, or is counted as dropped."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from app.live.waiting import Op, Waiting


def _set(key: str, value: int) -> Op:
    return Op((("SET", key, value),))


def _add(n: int) -> Op:
    return Op((("HINCRBY", "counters", "calls", n),), join=_sum)


def _sum(earlier: Op, later: Op) -> Op:
    return _add(_amount(earlier) + _amount(later))


def _amount(op: Op) -> int:
    n = op.commands[0][-1]
    assert isinstance(n, int)
    return n


def test_a_later_op_takes_the_place_of_an_earlier_one_and_goes_last() -> None:
    waiting = Waiting(10)
    waiting.put("a", _set("a", 1))
    waiting.put("b", _set("b", 1))
    waiting.put("a", _set("a", 2))
    assert list(waiting.take(10).items()) == [("b", _set("b", 1)), ("a", _set("a", 2))]


def test_what_comes_back_gives_way_to_a_later_word_and_goes_before_other_ops() -> None:
    waiting = Waiting(10)
    for key in ("a", "b"):
        waiting.put(key, _set(key, 1))
    waiting.take(10)
    waiting.put("c", _set("c", 2))
    waiting.put("a", _set("a", 2))
    waiting.back()
    assert list(waiting.take(10).items()) == [
        ("b", _set("b", 1)),
        ("c", _set("c", 2)),
        ("a", _set("a", 2)),
    ]


def test_the_oldest_goes_when_too_many_wait_and_is_counted() -> None:
    waiting = Waiting(2)
    for key in ("a", "b", "c"):
        waiting.put(key, _set(key, 1))
    assert list(waiting.take(10)) == ["b", "c"]
    assert waiting.dropped == 1
    for key in ("d", "e"):
        waiting.put(key, _set(key, 1))
    waiting.back()
    assert list(waiting.take(10)) == ["d", "e"]
    assert waiting.dropped == 3


def test_old_news_does_not_come_back() -> None:
    waiting = Waiting(10)
    waiting.put("news", Op((("PUBLISH", "channel", b"{}"),), keep=False))
    waiting.take(10)
    waiting.back()
    assert (len(waiting), waiting.dropped) == (0, 1)


@dataclass
class Books:
    """What must be so, kept in the simplest way."""

    added: int = 0
    received: int = 0
    newest: dict[str, int] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)

    def receive(self, ops: dict[str, Op]) -> None:
        for key, op in ops.items():
            if key == "count":
                self.received += _amount(op)
            else:
                self.stored[key] = _amount(op)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["set", "add", "take", "sent", "back"]),
            st.sampled_from("abc"),
            st.integers(1, 4),
        ),
        max_size=60,
    )
)
def test_at_the_end_redis_holds_the_newest_of_each_and_the_whole_sum(
    steps: list[tuple[str, str, int]],
) -> None:
    waiting, books = Waiting(100), Books()
    under_way: dict[str, Op] = {}
    for number, (step, key, n) in enumerate(steps):
        if step == "set":
            waiting.put(key, _set(key, number))
            books.newest[key] = number
        elif step == "add":
            waiting.put("count", _add(n))
            books.added += n
        elif step == "take" and not under_way:
            under_way = waiting.take(n)
        elif step == "sent":
            some = dict(list(under_way.items())[:n])
            waiting.sent(some)
            books.receive(some)
            under_way = {k: op for k, op in under_way.items() if k not in some}
        elif step == "back":
            waiting.back()
            under_way = {}
    waiting.back()
    rest = waiting.take(100)
    waiting.sent(rest)
    books.receive(rest)
    assert (books.received, books.stored) == (books.added, books.newest)
    assert (len(waiting), waiting.dropped) == (0, 0)
