"""Invariant: whoever stops the server as shown gives it the time that a drain takes, and the page
says of signals, waits and full lines what the code does."""

import re
from pathlib import Path

from app.bridge.switchboard import ASKED_WITHIN_S
from app.carriers.twilio.stream_ended import RESTART_S
from app.carriers.twilio.voice import FULL_QUEUE_S, QUEUE_STEP_S
from app.front_door import WHEN_FULL
from app.server import SHUTDOWN_S
from app.serving.drain import MOVE_S, QUIET_S
from app.serving.supervisor import FIRST_PAUSE_S, LONGEST_PAUSE_S
from app.settings import Settings
from tests.docs.pages import codes, page, table

TEXT = page("deploy")
ROOT = Path(__file__).parents[2]
DRAIN_S = Settings.model_fields["drain_s"].default
KUBERNETES = (ROOT / "deploy" / "kubernetes.yaml").read_text("utf-8")
AFTER_DRAIN_S = 5


def number(pattern: str, text: str) -> float:
    """The one number of a pattern, wherever it stands."""
    found = set(re.findall(pattern, text))
    assert len(found) == 1, pattern
    return float(found.pop())


def test_a_drain_ends_in_the_time_that_is_told() -> None:
    assert MOVE_S + ASKED_WITHIN_S + SHUTDOWN_S <= AFTER_DRAIN_S
    assert number(r"`EARSHOT_DRAIN_S` \((\d+) s\)", TEXT) == DRAIN_S
    assert number(r"In the last (\d+) s of it", TEXT) == QUIET_S
    assert number(r"The process ends, at most (\d+) s later", TEXT) == AFTER_DRAIN_S


def test_nobody_kills_a_server_that_still_drains() -> None:
    least_s = DRAIN_S + AFTER_DRAIN_S
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert number(r"stop_grace_period: (\d+)m", compose) * 60 >= least_s + 5
    assert number(r"TimeoutStopSec=(\d+)", TEXT) >= least_s + 5
    pause_s = number(r'"sleep", "(\d+)"', KUBERNETES)
    drain_s = number(r'EARSHOT_DRAIN_S\n +value: "(\d+)"', KUBERNETES)
    grace_s = number(r"terminationGracePeriodSeconds: (\d+)", KUBERNETES)
    assert grace_s >= pause_s + drain_s + AFTER_DRAIN_S + 5


def test_what_a_full_server_does_stands_there_with_its_times() -> None:
    rows = table(TEXT, "## When there is no room")
    assert [codes(row[0])[0] for row in rows] == list(WHEN_FULL)
    assert f"every {QUEUE_STEP_S} s, for {FULL_QUEUE_S} s" in TEXT
    assert f"silence for {RESTART_S} s" in " ".join(TEXT.split())


def test_the_pauses_before_a_new_worker_are_those_of_the_supervisor() -> None:
    assert f"after {FIRST_PAUSE_S} s" in TEXT
    assert f"up to {LONGEST_PAUSE_S:.0f} s" in TEXT
