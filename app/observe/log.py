"""The log: static texts, values in named fields, one line a record, redacted before it is written.

    event(log, logging.INFO, "the caller interrupted", call=call_sid, heard_ms=1240)

Every logger of the process goes through the same handler, uvicorn's too. Text is for people at a
terminal, JSON for machines: both carry the same fields.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Literal, TextIO, TypeAlias

from app.observe.redact import Plain, Redactor

Format: TypeAlias = Literal["text", "json"]

_CHATTY = ("websockets", "openai", "httpx", "httpx2", "httpcore", "aiohttp", "twilio", "asyncio")
"""Libraries that write frames, requests and bodies when asked for detail: what people said."""
_COLOURS = {"debug": "2", "info": "36", "warning": "33", "error": "1;35", "critical": "1;35"}
"""ANSI codes that stay apart for colour-blind eyes; the level stands beside in words."""
_TEXT_WIDTH = 44


def event(logger: logging.Logger, level: int, text: str, /, **fields: object) -> None:
    """Log a static text with its values in named fields.

    A field's name says its unit ("heard_ms"). Names of personal things ("caller", "digits",
    "transcript", "token" and their like) are hidden, see `Redactor`.
    """
    logger.log(level, text, extra={"fields": fields}, stacklevel=2)


def configure_logging(
    level: str = "info",
    format: Format = "text",
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send every logger's records from `level` up to `stream` (default: standard error).

    `secrets` are values that must never be written, such as the settings' keys. Calling it again
    replaces what the last call set. uvicorn must run with `log_config=None`.
    """
    out = stream if stream is not None else sys.stderr
    redactor = Redactor(secrets)
    handler = _Handler(out)
    coloured = out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    handler.setFormatter(
        JsonFormatter(redactor) if format == "json" else TextFormatter(redactor, coloured=coloured)
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    least = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(least)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        # In detail it writes what comes over media sockets: keys that were pressed, and sound.
        logger.setLevel(max(least, logging.INFO))


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that a second `configure_logging` finds it."""


class _Redacting(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def _message(self, record: logging.LogRecord) -> str:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            text = f"{record.msg} (its arguments do not fit it)"
        return self._redactor.text(text)

    def _fields(self, record: logging.LogRecord) -> dict[str, Plain]:
        fields = getattr(record, "fields", None)
        return self._redactor.fields(fields) if isinstance(fields, Mapping) else {}

    def _trace(self, record: logging.LogRecord) -> str:
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return self._redactor.text("\n".join(filter(None, [trace, record.stack_info or ""])))


class JsonFormatter(_Redacting):
    """One object a line: time (UTC), level, logger, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, Plain] = {
            "time": f"{seconds}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._message(record),
        }
        for name, value in self._fields(record).items():
            entry[f"field_{name}" if name in entry else name] = value
        if trace := self._trace(record):
            entry["trace"] = trace
        return json.dumps(entry)


class TextFormatter(_Redacting):
    """Time of day, level, text, fields, logger: aligned, one line; a trace goes below it."""

    def __init__(self, redactor: Redactor, *, coloured: bool = False) -> None:
        super().__init__(redactor)
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = record.levelname.lower()
        fields = [f"{name}={_shown(value)}" for name, value in self._fields(record).items()]
        line = " ".join(
            [
                self._paint(f"{clock}.{int(record.msecs):03}", "2"),
                self._paint(f"{level:<8}", _COLOURS.get(level, "0")),
                f"{_one_line(self._message(record)):<{_TEXT_WIDTH}}",
                *fields,
                self._paint(f"({record.name})", "2"),
            ]
        )
        trace = self._trace(record)
        return f"{line}\n{trace}" if trace else line

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text


def _shown(value: Plain) -> str:
    """A value in a line of text: bare if it is one word, else as JSON."""
    if isinstance(value, str) and value.isprintable() and not set(value) & set(' "='):
        return value or '""'
    return _one_line(json.dumps(value, ensure_ascii=False))


def _one_line(text: str) -> str:
    """Line ends and escape codes made visible: nobody can forge a log line."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
