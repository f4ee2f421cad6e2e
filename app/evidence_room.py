"""Who gathers the evidence of a worker's calls, and what is told to it besides their steps."""

import logging
import time
from pathlib import Path

from pydantic import SecretStr

from app.bridge.evidence import Evidence, evidence_path
from app.call.events import StreamStarted
from app.observe.decisions import Decisions
from app.observe.log import event

logger = logging.getLogger(__name__)


class EvidenceRoom:
    """One per worker. `key`: of the chains; empty: they are not keyed."""

    def __init__(self, key: SecretStr, decisions: Decisions) -> None:
        self._key = key.get_secret_value().encode()
        self._decisions = decisions

    def begin(self, journal: Path, started: StreamStarted) -> Evidence | None:
        """The chain of a stream whose event log this is. None: it cannot be written, and the log
        says so."""
        call_id = started.call_id
        try:
            evidence = Evidence(
                evidence_path(journal),
                started,
                lambda: time.time_ns() // 1_000_000,
                key=self._key,
                on_close=lambda: self._decisions.unfollow(call_id, evidence.decided),
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            event(logger, logging.ERROR, "no evidence for this call", error=why)
            return None
        self._decisions.follow(call_id, evidence.decided)
        return evidence
