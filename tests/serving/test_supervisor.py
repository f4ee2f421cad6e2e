"""Workers that die at once again and again are started ever more slowly; a steady one's death costs
little; and what a worker inherits is read as it was written. The rest is in the whole processes
(tests/lab_calls/test_serving.py)."""

import os
import sys

import pytest

from app.serving.inherited import Inherited
from app.serving.listening import AddressError, listen
from app.serving.supervisor import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, Backoff


def test_the_pause_doubles_up_to_its_limit() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.5) for _ in range(8)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE_S, LONGEST_PAUSE_S)


def test_after_a_steady_worker_it_begins_anew() -> None:
    backoff = Backoff()
    for _ in range(8):
        backoff.after(0.5)
    assert backoff.after(STEADY_S) == FIRST_PAUSE_S
    assert backoff.after(0.5) == 2 * FIRST_PAUSE_S


def test_what_a_worker_inherits_is_read_as_it_was_written() -> None:
    given = Inherited(5, 6, 7, 12)
    command = given.command()
    assert Inherited.parse(command[-1]) == given
    assert command[-2] == "--inherited"
    assert command[0] == sys.executable
    assert "" not in command[command.index("serve") - 1].split(os.pathsep)


@pytest.mark.parametrize("written", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,-4"])
def test_what_no_supervisor_wrote_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Inherited.parse(written)


def test_an_address_that_is_taken_is_told_with_what_to_do() -> None:
    with listen("127.0.0.1", 0, 5) as taken:
        host, port = taken.getsockname()
        with pytest.raises(AddressError, match=f"Cannot listen at {host}:{port}: .*--port"):
            listen(host, port, 5)


def test_a_host_that_is_nobodys_is_told() -> None:
    with pytest.raises(AddressError, match=r"Cannot listen at 192\.0\.2\.1:80"):
        listen("192.0.2.1", 80, 5)
