"""Lists of calls: filtered by parties, status and time, and given page by page, newest first.

Source: Twilio docs, Call resource, and the query that the `twilio` package makes of it. A call
that was not dialled yet has no start time, so no filter by start time finds it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from aiohttp import web

from app.lab.phone.identity import CallIdentity, CallStatus
from app.lab.phone.rest_wire import BAD_REQUEST, RestError

USUAL_PAGE = 50
MOST_PAGE = 1000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


class Listed(Protocol):
    """What lists look at."""

    @property
    def identity(self) -> CallIdentity: ...
    @property
    def status(self) -> CallStatus: ...
    @property
    def dialled_at(self) -> datetime | None: ...
    @property
    def ended_at(self) -> datetime | None: ...
    def resource(self) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True)
class Span:
    """Half open; None: without end."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime | None) -> bool:
        if self.since is None and self.until is None:
            return True
        if at is None:
            return False
        whole = at.replace(microsecond=0)
        return (self.since is None or whole >= self.since) and (
            self.until is None or whole < self.until
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list's filter."""

    to: str | None
    from_: str | None
    status: str | None
    parent: str | None
    start: Span
    end: Span

    def fits(self, call: Listed) -> bool:
        who = call.identity
        status = "queued" if call.status == "initiated" else call.status
        return (
            self.to in (None, who.to)
            and self.from_ in (None, who.from_)
            and self.status in (None, status)
            and self.parent in (None, who.parent_call_sid)
            and self.start.holds(call.dialled_at)
            and self.end.holds(call.ended_at)
        )


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """Raises RestError for a time that is none."""
    return Wanted(
        query.get("To"),
        query.get("From"),
        query.get("Status"),
        query.get("ParentCallSid"),
        _span(query, "StartTime"),
        _span(query, "EndTime"),
    )


def page_of(request: web.Request, calls: Iterable[Listed]) -> web.Response:
    """One page of the answer. `calls`: newest first. Raises RestError.

    The page's token names the last call of the page before, so that new calls move nothing.
    """
    query = request.query
    wanted, size = read_wanted(query), _whole(query, "PageSize", USUAL_PAGE)
    number, after = _whole(query, "Page", 0), query.get("PageToken", "").removeprefix("PA")
    size = min(max(size, 1), MOST_PAGE)
    found: list[Listed] = []
    reached = not after
    for call in calls:
        if reached and len(found) <= size and wanted.fits(call):
            found.append(call)
        reached = reached or call.identity.call_sid == after
        if len(found) > size:
            break
    more, found = len(found) > size, found[:size]
    return web.json_response(
        {
            "calls": [call.resource() for call in found],
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": number * size + max(len(found) - 1, 0),
            "uri": str(request.rel_url),
            "first_page_uri": _uri(request, size, 0),
            "previous_page_uri": _uri(request, size, number - 1) if number else None,
            "next_page_uri": _uri(request, size, number + 1, found[-1]) if more else None,
        }
    )


def _uri(request: web.Request, size: int, page: int, after: Listed | None = None) -> str:
    kept = [
        (name, value)
        for name, value in request.query.items()
        if name not in ("PageSize", "Page", "PageToken")
    ]
    kept += [("PageSize", str(size)), ("Page", str(page))]
    if after is not None:
        kept.append(("PageToken", f"PA{after.identity.call_sid}"))
    return f"{request.path}?{urlencode(kept)}"


def _span(query: Mapping[str, str], name: str) -> Span:
    """`NAME` is that day, `NAME>` from then on, `NAME<` before then."""
    at, after, before = (query.get(name + sign) for sign in ("", ">", "<"))
    if at is not None:
        day = _time(name, at).replace(hour=0, minute=0, second=0)
        return Span(day, day + timedelta(days=1))
    return Span(
        None if after is None else _time(name, after),
        None if before is None else _time(name, before),
    )


def _time(name: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(f"{text}T00:00:00" if _DAY.match(text) else text)
    except ValueError:
        raise RestError(400, BAD_REQUEST, f"{name} is not a date") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _whole(query: Mapping[str, str], name: str, otherwise: int) -> int:
    text = query.get(name, "")
    if text and not text.isdecimal():
        raise RestError(400, BAD_REQUEST, f"{name} must be a whole number")
    return int(text) if text else otherwise
