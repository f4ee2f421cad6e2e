"""Invariant: the outbox keeps what was accepted, once, until it arrived or was given up, and holds
no word of it afterwards; processes share it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.outgoing.endpoints import Endpoint
from app.outgoing.messages import Message
from app.outgoing.sqlite_store import FILE, PATIENT_ATTEMPTS, SqliteStore
from app.outgoing.store import Backlog, Delivery, OutboxError

A, B = Endpoint("https://a.example.com/x", "A"), Endpoint("https://b.example.com/x", "B")
WORDS = b'{"data":"my card is 4111"}'


def message(number: int, call: str = "CA1", body: bytes = WORDS) -> Message:
    return Message(f"msg_{number}", "call.ended", call, "desk", 100.0 + number, body)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "outgoing")
    yield made
    made.close()


def due(store: SqliteStore, now_s: float = 1_000.0, most: int = 10, busy: int = 0) -> list[str]:
    return [d.message_id for d in store.due(now_s, (busy,), most)]


def first(store: SqliteStore) -> Delivery:
    return store.due(1e12, (), 1)[0]


def test_what_was_accepted_is_there_for_another_process_and_only_for_this_user(
    tmp_path: Path, store: SqliteStore
) -> None:
    assert store.accept(message(1), [A, B])
    other = SqliteStore(tmp_path / "outgoing")
    assert [(d.url, d.body, d.secret_name) for d in other.due(1_000.0, (), 9)] == [
        (A.url, WORDS, "A"),
        (B.url, WORDS, "B"),
    ]
    other.close()
    folder = tmp_path / "outgoing"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_the_same_message_is_kept_once(store: SqliteStore) -> None:
    assert store.accept(message(1), [A])
    assert not store.accept(message(1, body=b"again"), [A, B])
    assert [d.body for d in store.shown("msg_1")] == [WORDS]


def test_a_body_is_forgotten_when_every_endpoint_has_it(store: SqliteStore) -> None:
    store.accept(message(1), [A, B])
    one, two = store.due(1_000.0, (), 9)
    store.delivered(one.number, 200, 5.0)
    assert {d.body for d in store.shown("msg_1")} == {WORDS}
    store.delivered(two.number, 204, 6.0)
    assert [(d.state, d.status, d.body, d.attempts) for d in store.shown("msg_1")] == [
        ("delivered", 200, b"", 1),
        ("delivered", 204, b"", 1),
    ]


@pytest.mark.parametrize("times", [1, 1_000])
def test_no_word_of_what_was_delivered_stays_on_disk(
    tmp_path: Path, store: SqliteStore, times: int
) -> None:
    store.accept(message(1, body=WORDS * times), [A])
    store.delivered(first(store).number, 200, 5.0)
    store.forget(0.0, 0.0)
    files = list((tmp_path / "outgoing").iterdir())
    assert {path.name for path in files} >= {FILE, f"{FILE}-wal"}
    assert not [path.name for path in files if b"4111" in path.read_bytes()]


def test_what_failed_waits_for_its_time(store: SqliteStore) -> None:
    store.accept(message(1), [A])
    store.postpone(first(store).number, 500.0, 503, "HTTP 503")
    assert due(store, 499.0) == []
    assert store.next_due_s() == 500.0
    assert due(store, 500.0) == ["msg_1"]
    assert (first(store).attempts, first(store).reason) == (1, "HTTP 503")


def test_a_call_is_told_in_order_until_an_earlier_message_has_failed_often(
    store: SqliteStore,
) -> None:
    for number in (1, 2):
        store.accept(message(number), [A, B])
    store.accept(message(3, call="CA2"), [A])
    assert due(store) == ["msg_1", "msg_3", "msg_1"]
    number = first(store).number
    for _ in range(PATIENT_ATTEMPTS):
        assert "msg_2" not in due(store)
        store.postpone(number, 5_000.0, 503, "HTTP 503")
    assert due(store) == ["msg_2", "msg_3", "msg_1"]


def test_messages_of_no_call_do_not_wait_for_each_other(store: SqliteStore) -> None:
    for number in (1, 2):
        store.accept(message(number, call=""), [A])
    assert due(store) == ["msg_1", "msg_2"]


def test_what_is_under_way_is_not_due_and_counts(store: SqliteStore) -> None:
    for number in range(4):
        store.accept(message(number, call=f"CA{number}"), [A])
    busy = first(store).number
    assert due(store, busy=busy, most=2) == ["msg_1"]


def test_one_endpoint_cannot_crowd_out_another(store: SqliteStore) -> None:
    for number in range(20):
        store.accept(message(number, call=f"CA{number}"), [A])
    store.accept(message(99, call="CA99"), [B])
    assert due(store, most=3) == ["msg_0", "msg_1", "msg_2", "msg_99"]


def test_a_dead_letter_keeps_its_words_and_its_reason_and_can_be_revived(
    store: SqliteStore,
) -> None:
    store.accept(message(1), [A])
    store.bury(first(store).number, 7.0, 500, "HTTP 500")
    [dead] = store.shown("msg_1")
    assert (dead.state, dead.body, dead.reason) == ("dead", WORDS, "HTTP 500")
    assert due(store) == []
    assert store.revive(["msg_2"], 50.0) == 0
    assert store.revive(["msg_1"], 50.0) == 1
    assert (first(store).attempts, first(store).due_s) == (0, 50.0)


def test_a_disabled_endpoint_is_sent_nothing_until_a_letter_is_revived(store: SqliteStore) -> None:
    store.accept(message(1), [A, B])
    store.disable(A.url, 7.0, "410")
    store.accept(message(2, call="CA2"), [A])
    assert due(store) == ["msg_1"]
    assert store.disabled() == {A.url: "410"}
    assert store.counts() == {"dead": 2, "waiting": 1}
    assert store.revive([], 50.0) == 2
    assert store.disabled() == {}
    assert sorted(due(store)) == ["msg_1", "msg_1", "msg_2"]


def test_the_backlog_is_what_did_not_arrive(store: SqliteStore) -> None:
    assert store.backlog() == Backlog()
    for number in range(4):
        store.accept(message(number, call=f"CA{number}"), [A])
    store.delivered(1, 200, 5.0)
    store.bury(2, 6.0, 500, "HTTP 500")
    store.postpone(3, 9.0, 500, "HTTP 500")
    waiting = store.listed(("waiting",), 9)
    oldest_s = min(delivery.created_s for delivery in waiting)
    assert store.backlog() == Backlog(waiting=2, dead=1, oldest_s=oldest_s)


def test_lists_hold_no_words(store: SqliteStore) -> None:
    for number in range(5):
        store.accept(message(number), [A])
    listed = store.listed(("waiting",), 3)
    assert [d.message_id for d in listed] == ["msg_4", "msg_3", "msg_2"]
    assert {d.body for d in listed} == {b""}
    assert store.listed(("dead", "delivered"), 3) == []
    assert "4111" not in repr(store.shown("msg_1"))


def test_the_old_is_forgotten_and_the_waiting_is_not(store: SqliteStore) -> None:
    for number in (1, 2, 3):
        store.accept(message(number, call=f"CA{number}"), [A])
    one, two, _ = store.due(1_000.0, (), 9)
    store.delivered(one.number, 200, 200.0)
    store.bury(two.number, 200.0, 500, "HTTP 500")
    assert store.forget(delivered_before_s=300.0, dead_before_s=100.0) == 1
    assert store.shown("msg_1") == []
    assert store.forget(delivered_before_s=300.0, dead_before_s=300.0) == 1
    assert due(store) == ["msg_3"]
    assert store.accept(message(1), [A]), "nothing of it was left"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match="expected a file for the outbox"):
        SqliteStore(tmp_path / "file" / "outgoing")


def test_a_closed_or_broken_file_is_told_without_its_words(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(OutboxError) as error:
        store.accept(message(1), [A])
    assert "4111" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1_000)
    with pytest.raises(OutboxError, match="SQLITE_NOTADB"):
        SqliteStore(tmp_path)
