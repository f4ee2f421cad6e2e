"""What is remembered for a while never grows with the length of the call."""

from app.call.recent import Recent


def test_the_oldest_entries_are_forgotten_first() -> None:
    recent: Recent[int] = Recent(3)
    for n in range(10):
        recent.put(str(n), n)

    assert recent.items() == [("7", 7), ("8", 8), ("9", 9)]
    assert recent.get("6") is None
    assert "7" in recent
    assert "6" not in recent


def test_taking_an_entry_forgets_it() -> None:
    recent: Recent[int] = Recent()
    recent.put("a", 1)

    assert recent.pop("a") == 1
    assert recent.pop("a") is None
    assert len(recent) == 0
