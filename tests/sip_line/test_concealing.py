"""Invariant: a stand-in for lost sound is softer than what it repeats, and soon silent."""

import pytest

from app.lab.speech.coded import coded_audio
from app.sip_line.concealing import SILENT_FRAME, STEPS_DB, concealed
from telecodecs import ulaw_dbfs


def test_stand_ins_become_softer_and_end_in_silence() -> None:
    loud = coded_audio(7, 0, 20, quiet=False)
    for repeats, step_db in enumerate(STEPS_DB):
        assert ulaw_dbfs(concealed(loud, repeats)) - ulaw_dbfs(loud) == pytest.approx(
            step_db, abs=1
        )
    assert concealed(loud, len(STEPS_DB)) == SILENT_FRAME


def test_before_any_sound_there_is_silence() -> None:
    assert concealed(b"", 0) == SILENT_FRAME
