"""Invariant: the page of records explains every key, stamp and cause, and where each file lies."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from app.after.about import About, Over
from app.after.epilogue import Epilogue
from app.after.extraction import Extractor
from app.bridge.call_record import open_journal
from app.call.answer_record import (
    BEGUN_AGAIN,
    NOT_AT_HAND,
    PICKED_UP,
    AnswerRecord,
    Message,
)
from app.call.call import Call
from app.call.events import LegCause
from app.call.notice_side import BROKE_OFF, NOT_SAID, NOT_WORD_FOR_WORD
from app.call.phases import CallSettings
from app.call.timeline import Interruption, Leg, Notice, Stamp, Timeline, ToolRun
from app.records.database import FILE_NAME
from app.records.spool import FOLDER
from tests.after.talk import BOOKING, QUICK, TABLE, FakeModel
from tests.docs.pages import ROOT, codes, page, table

TEXT = page("records")


def _told(after: str) -> set[str]:
    return {name for row in table(TEXT, after) for name in codes(row[0])}


def test_every_stamp_is_explained() -> None:
    assert _told("<!-- stamps:") == {stamp.value for stamp in Stamp}


def test_the_figures_lie_between_stamps() -> None:
    figures = table(TEXT, "So these are the usual figures")
    ends = {codes(cell)[0] for row in figures for cell in row[1:]}
    assert ends <= {stamp.value for stamp in Stamp}


def test_every_key_of_a_timeline_is_explained() -> None:
    identity = {"call_id", "stream_id", "direction", "attempt_id"}
    beside = identity | {"transcript", "recording", "evidence"}
    record = Call().timeline.as_json().keys() | beside
    assert _told("## timeline.json") == record


async def test_every_key_of_the_record_after_the_call_is_explained(tmp_path: Path) -> None:
    epilogue = Epilogue(
        table_of=lambda agent: TABLE,
        extractor=Extractor(FakeModel("{}"), lambda model: None, QUICK),
        model="m",
        data_dir=tmp_path,
    )
    await epilogue.ended("CA1", About("desk"), Over("no_input"), BOOKING, 1)
    record = json.loads((tmp_path / "calls" / "CA1" / "after.json").read_text("utf-8"))
    assert _told("<!-- after:") == record.keys() | {"summary"}


def test_every_key_of_a_turn_is_explained() -> None:
    timeline = Timeline()
    turn = timeline.begin("caller")
    turn.tools.append(ToolRun("call_1", "find", 0))
    turn.interruption = Interruption(1, 2, "fence")
    assert _told("it begins the next turn.") == turn.as_json().keys()


def test_every_key_and_cause_of_a_leg_is_explained() -> None:
    assert _told("<!-- legs:") == {field.name for field in fields(Leg)}
    assert _told("<!-- causes:") == set(get_args(LegCause))


def test_every_key_and_fault_of_a_notice_is_explained() -> None:
    rows = {name: row for row in table(TEXT, "<!-- notices:") for name in codes(row[0])}
    assert rows.keys() == {field.name for field in fields(Notice)}
    faults = {BROKE_OFF, NOT_SAID, NOT_WORD_FOR_WORD}
    assert set(codes(rows["fault"][1])) == {'""', *faults}


def test_every_key_of_an_answer_and_its_messages_is_explained() -> None:
    assert _told("<!-- answer:") == AnswerRecord().as_json().keys()
    rows = {name: row for row in table(TEXT, "<!-- messages:") for name in codes(row[0])}
    assert rows.keys() == {field.name for field in fields(Message)}
    assert set(codes(rows["why"][1])) == {NOT_AT_HAND, BEGUN_AGAIN, PICKED_UP, '""'}


def test_every_kind_of_note_that_is_written_is_explained() -> None:
    [cell] = [row[1] for row in table(TEXT, "## timeline.json") if codes(row[0]) == ["notes"]]
    rooms = (ROOT / "app/call", ROOT / "app/bridge")
    sources = [path.read_text("utf-8") for room in rooms for path in room.glob("*.py")]
    noted = r'\.note\((?:now_ms|self\.now_ms\(\)), "(\w+)"'
    written = {kind for text in sources for kind in re.findall(noted, text)}
    assert set(codes(cell)) == written


async def test_the_files_of_a_call_have_the_names_that_are_told(tmp_path: Path) -> None:
    names = [open_journal(tmp_path, "CA1", f"MZ{n}", CallSettings()).path.name for n in (1, 2)]
    assert names == ["events.jsonl", "events-MZ2.jsonl"]
    assert "`events-<StreamSid>.jsonl` and `timeline-<StreamSid>.json`" in TEXT


def test_the_folders_are_the_ones_of_the_code() -> None:
    told = {name.rstrip("/") for name in _told("## The data folder")}
    files = (
        *("cli/serve.py", "company.py", "bridge/call_record.py", "live/server.py"),
        *("text/record.py", "text/opt_out_file.py", "records/do_not_call.py"),
    )
    source = "\n".join((ROOT / "app" / name).read_text("utf-8") for name in files)
    found = re.findall(r'data_dir(?:\.absolute\(\))? / "([\w.-]+)"', source)
    assert told == {*found, FILE_NAME, FOLDER}
