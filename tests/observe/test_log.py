"""Every record of the process comes out on one line, redacted, in the format that was asked for,
uvicorn's too; and a log line cannot be forged from inside a value."""

import io
import json
import logging
import os
import pty
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.observe import Redactor, configure_logging, event
from app.observe.log import JsonFormatter

NAMES = ("", "uvicorn", "uvicorn.access", "uvicorn.error", "websockets", "openai")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in NAMES}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def written(format: Any, *, level: str = "debug", secrets: tuple[str, ...] = ()) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(level, format, stream=stream, secrets=secrets)
    return stream


def test_json_is_one_object_a_line_with_the_fields() -> None:
    stream = written("json")
    event(
        logging.getLogger("app.x"), logging.INFO, "the caller interrupted", heard_ms=3, call="CA1"
    )
    logging.getLogger("app.y").warning("another")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "info",
        "logger": "app.x",
        "message": "the caller interrupted",
        "heard_ms": 3,
        "call": "CA1",
    }
    assert second["message"] == "another"


def test_a_field_cannot_take_the_place_of_the_records_own() -> None:
    stream = written("json")
    event(logging.getLogger("app.x"), logging.INFO, "a", message="b", level="c")
    entry = json.loads(stream.getvalue())
    assert (entry["message"], entry["field_message"]) == ("a", "b")
    assert (entry["level"], entry["field_level"]) == ("info", "c")


def test_text_is_aligned_and_has_no_colour_away_from_a_terminal() -> None:
    stream = written("text")
    log = logging.getLogger("app.x")
    event(log, logging.INFO, "short", heard_ms=3, note="two words", nothing="")
    event(log, logging.WARNING, "a little longer", heard_ms=4)
    first, second = stream.getvalue().splitlines()
    assert "\x1b" not in first
    assert first.index("heard_ms") == second.index("heard_ms")
    assert first.endswith("short".ljust(44) + ' heard_ms=3 note="two words" nothing="" (app.x)')


def test_colour_on_a_terminal_unless_it_is_unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        configure_logging("info", "text", stream=terminal)
        logging.getLogger("app.x").warning("coloured")
        terminal.flush()
        assert b"\x1b[" in os.read(ours, 4096)
        monkeypatch.setenv("NO_COLOR", "1")
        configure_logging("info", "text", stream=terminal)
        logging.getLogger("app.x").warning("plain")
        terminal.flush()
        assert b"\x1b[" not in os.read(ours, 4096)
    os.close(ours)


@pytest.mark.parametrize("format", ["text", "json"])
@given(text=st.text(), value=st.text())
def test_one_record_is_one_line_whatever_it_holds(format: str, text: str, value: str) -> None:
    stream = written(format)
    event(logging.getLogger("app.x"), logging.INFO, text, note=value)
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue().splitlines()) == 1
    stream.getvalue().encode()


@pytest.mark.parametrize("format", ["text", "json"])
@given(
    phone=st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True),
    key=st.from_regex(r"sk-[A-Za-z0-9]{20}", fullmatch=True),
    name=st.from_regex(r"[a-z_]{1,12}", fullmatch=True),
)
def test_no_number_and_no_key_is_written_by_any_way(
    format: str, phone: str, key: str, name: str
) -> None:
    stream = written(format, secrets=("opensesame",))
    log = logging.getLogger("app.x")
    event(log, logging.INFO, f"{phone} {key} opensesame", **{name: phone, "b": [key, "opensesame"]})
    log.info("%s %s", phone, {"k": key, "p": int(phone)})
    try:
        raise ValueError(f"{phone} {key} opensesame")
    except ValueError:
        log.exception("failed")
    for private in (phone, phone[1:], key, "opensesame"):
        assert private not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_uvicorns_loggers_come_out_here_and_only_here() -> None:
    for name in ("uvicorn", "uvicorn.access"):
        logging.getLogger(name).addHandler(logging.StreamHandler(io.StringIO()))
        logging.getLogger(name).propagate = False
    stream = written("json")
    logging.getLogger("uvicorn.access").info("%s - %s", "127.0.0.1:80", "/twilio/media/abcdef")
    logging.getLogger("uvicorn.error").info("started")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["message"] == "127.0.0.1:80 - /twilio/media/[hidden]"
    assert second["logger"] == "uvicorn.error"


def test_libraries_that_write_what_people_said_stay_quiet_even_at_debug() -> None:
    stream = written("text")
    logging.getLogger("websockets.client").debug("< TEXT '...'")
    logging.getLogger("openai").info("request")
    logging.getLogger("uvicorn.error").debug('< TEXT \'{"event":"dtmf"...\'')
    assert stream.getvalue() == ""
    logging.getLogger("websockets.client").warning("odd")
    assert "odd" in stream.getvalue()


def test_records_below_the_level_stay_out() -> None:
    stream = written("text", level="warning")
    logging.getLogger("app.x").info("no")
    assert stream.getvalue() == ""


def test_configuring_again_replaces_what_was_set() -> None:
    first = written("text")
    second = written("json")
    logging.getLogger("app.x").info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


def test_arguments_that_do_not_fit_are_told_and_not_printed() -> None:
    record = logging.LogRecord("app.x", logging.INFO, "x.py", 1, "%d calls", ("many",), None)
    entry = json.loads(JsonFormatter(Redactor()).format(record))
    assert entry["message"] == "%d calls (its arguments do not fit it)"


def test_event_names_the_line_that_called_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    event(logging.getLogger("app.x"), logging.INFO, "here")
    assert caplog.records[0].funcName == "test_event_names_the_line_that_called_it"
