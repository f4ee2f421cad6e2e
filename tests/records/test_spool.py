"""What was put waits until it is done, in files that only their owner reads; what cannot be read
harms no other."""

import stat
from pathlib import Path

import pytest

from app.records.spool import Spool, UnreadableError
from tests.records.stories import CALLER, after_entry, entry


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def test_what_was_put_is_read_by_anybody_until_it_is_done(spool: Spool, tmp_path: Path) -> None:
    spool.put(entry())
    other = Spool(tmp_path)
    assert other.read("MZ1") == entry()
    other.done("MZ1")
    assert spool.read("MZ1") is None
    spool.done("MZ1")


def test_names_come_in_order_and_in_parts(spool: Spool) -> None:
    for n in (3, 1, 2):
        spool.put(entry(stream_id=f"MZ{n}"))
    spool.put(after_entry())
    assert spool.names(most=2) == ["MZ1", "MZ2"]
    assert spool.names("MZ2") == ["MZ3", "after-CA1"]
    assert spool.count() == 4
    assert spool.oldest_ms() is not None


def test_an_empty_spool_is_none(spool: Spool) -> None:
    assert (spool.names(), spool.count(), spool.oldest_ms(), spool.aside()) == ([], 0, None, [])


@pytest.mark.parametrize("name", ["../MZ1", "a/b", "", "a" * 65, "MZ 1"])
def test_ids_that_would_be_paths_are_refused(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        spool.put(entry(stream_id=name))
    assert spool.count() == 0


def test_only_the_owner_reads_it(spool: Spool, tmp_path: Path) -> None:
    spool.put(entry())
    for path in (tmp_path / "records").rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"kind": "other"}'])
def test_what_is_no_entry_says_so_without_a_word_of_it(
    spool: Spool, tmp_path: Path, content: bytes
) -> None:
    spool.put(entry())
    [path] = (tmp_path / "records" / "waiting").iterdir()
    path.write_bytes(content)
    with pytest.raises(UnreadableError) as caught:
        spool.read("MZ1")
    assert CALLER not in str(caught.value)


def test_what_was_put_aside_can_be_tried_again(spool: Spool) -> None:
    spool.put(entry())
    spool.put_aside("MZ1")
    spool.put_aside("MZ1")
    assert (spool.names(), spool.aside()) == ([], ["MZ1"])
    assert spool.retry() == 1
    assert (spool.names(), spool.aside()) == (["MZ1"], [])


def test_everything_of_a_person_is_found_and_forgotten(spool: Spool, tmp_path: Path) -> None:
    spool.put(entry())
    spool.put(entry(stream_id="MZ2", caller="+15550100009"))
    spool.put(entry(stream_id="MZ3", direction="outbound", caller="+15550100008", called=CALLER))
    spool.put(entry(stream_id="MZ4"))
    spool.put_aside("MZ4")
    (tmp_path / "records" / "waiting" / "MZ5.json").write_text("no entry")
    found = spool.of_party(CALLER)
    assert {each.stream_id for each in found} == {"MZ1", "MZ3", "MZ4"}
    for each in found:
        spool.forget(each.name)
    assert spool.of_party(CALLER) == []
    assert spool.names() == ["MZ2", "MZ5"]
