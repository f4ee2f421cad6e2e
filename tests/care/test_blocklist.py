"""The operator's list is obeyed as it stands now; what is wrong in it is told and harms nobody."""

import os
from pathlib import Path

import pytest

from app.care.blocklist import BlockFile, read_rules
from app.care.callers import caller_of

LIST = """\
# who keeps calling
+15550100001   # the first one
+1 (900)*
sip:bad@example.com
sip:*@spam.example
nonsense
sip:x*
"""


@pytest.mark.parametrize(
    ("caller", "listed"),
    [
        ("+15550100001", True),
        ("+15550100002", False),
        ("+19005550100", True),
        ("+18005550100", False),
        ("sip:BAD@example.com", True),
        ("sip:good@example.com", False),
        ("sip:anybody@spam.example", True),
        ("anonymous", False),
    ],
)
def test_numbers_beginnings_addresses_and_hosts(caller: str, listed: bool) -> None:
    rules, _ = read_rules(LIST)
    assert rules.match(caller_of(caller)) is listed


def test_lines_that_mean_nothing_are_told() -> None:
    rules, wrong = read_rules(LIST)
    assert wrong == [6, 7]
    assert len(rules) == 4


class Time:
    s = 0.0

    def __call__(self) -> float:
        return self.s


async def test_the_file_is_read_again_when_it_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, now = tmp_path / "blocked.txt", Time()
    file, caller = BlockFile(path, now), caller_of("+15550100001")
    assert not await file.match(caller)

    path.write_text("+15550100001\n")
    assert not await file.match(caller), "within the same second nobody looks"
    now.s = 2.0
    assert await file.match(caller)

    path.write_text("+15550100002 # another\n")
    os.utime(path, ns=(1, 1))
    now.s = 4.0
    assert not await file.match(caller)
    assert await file.match(caller_of("+15550100002"))

    path.unlink()
    now.s = 6.0
    assert not await file.match(caller_of("+15550100002"))
    assert "gone" in caplog.text


async def test_a_file_that_cannot_be_read_leaves_the_last_list_in_force(tmp_path: Path) -> None:
    path, now = tmp_path / "blocked.txt", Time()
    path.write_text("+15550100001\n")
    file = BlockFile(path, now)
    assert await file.match(caller_of("+15550100001"))
    path.unlink()
    path.mkdir()
    now.s = 2.0
    assert await file.match(caller_of("+15550100001"))
