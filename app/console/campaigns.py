"""Campaigns over HTTP: made, changed, moved, filled and watched, as by `earshot campaign`.

PUT    /api/v1/campaigns/NAME             make a draft, or let it go by this plan
GET    /api/v1/campaigns                  all
GET    /api/v1/campaigns/NAME             how it is doing
POST   /api/v1/campaigns/NAME/contacts    load a list
GET    /api/v1/campaigns/NAME/contacts    who is on it, with their dials
POST   /api/v1/campaigns/NAME/MOVE        start, pause, resume, stop
GET    /api/v1/campaigns/NAME/why?number= why somebody is not dialled
GET    /api/v1/campaigns/NAME/log         who did what
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from app.calls_out import check_plan
from app.campaigns import store
from app.campaigns.asking import why_not_dialled
from app.campaigns.judging import policy
from app.campaigns.loading import plan_data, plan_from
from app.campaigns.people import dials_of, page, texts_of
from app.campaigns.progress import Progress, look
from app.campaigns.states import Move
from app.campaigns.store import Campaign
from app.console.access import Access, BadRequestError, Endpoint
from app.console.lists import load_list
from app.policy.dialing.words import Allowed, NotNow
from app.records.database import Database
from app.settings import Settings

BY: Final = "api"
"""Who did it, in the log; a header may say more."""
MOST_PLAN_BYTES: Final = 1 << 20
MOST_PEOPLE: Final = 500
_MOVES: Final[dict[str, Move]] = {move: move for move in get_args(Move)}
_ASKED: Final = ("start", "pause", "resume", "stop")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def campaign_routes(
    settings: Settings, database: Database, clock: Callable[[], int] = now_ms
) -> Sequence[BaseRoute]:
    """None without a token in the settings."""
    if not settings.api_tokens:
        return []
    api, access = _Api(settings, database, clock), Access(settings.api_tokens)

    def route(path: str, endpoint: Endpoint, method: str) -> Route:
        return Route(path, access.guard(endpoint), methods=[method])

    inside = [
        route("/campaigns", api.every, "GET"),
        route("/campaigns/{name}", api.put, "PUT"),
        route("/campaigns/{name}", api.show, "GET"),
        route("/campaigns/{name}/contacts", api.load, "POST"),
        route("/campaigns/{name}/contacts", api.people, "GET"),
        route("/campaigns/{name}/why", api.why, "GET"),
        route("/campaigns/{name}/log", api.log, "GET"),
        *(route(f"/campaigns/{{name}}/{move}", api.move, "POST") for move in _ASKED),
    ]
    return [Mount("/api/v1", routes=inside)]


class _Api:
    def __init__(self, settings: Settings, database: Database, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock

    async def every(self, request: Request) -> Response:
        found = await store.all_campaigns(self._database)
        return JSONResponse({"campaigns": [_campaign(each) for each in found]})

    async def put(self, request: Request) -> Response:
        """201: made; 200: it goes by this plan."""
        plan = plan_from(_name(request), await _plan_in(request))
        given: dict[str, Any] = {"by": _by(request), "now_ms": self._clock()}
        try:
            made = await store.create(self._database, plan, **given)
            return JSONResponse(_whole(made), 201)
        except store.CampaignExistsError:
            return JSONResponse(_whole(await store.change(self._database, plan, **given)))

    async def show(self, request: Request) -> Response:
        seen = await look(self._database, _name(request), self._clock())
        return JSONResponse(_progress(seen))

    async def move(self, request: Request) -> Response:
        name, move = _name(request), request.url.path.rpartition("/")[2]
        given: dict[str, Any] = {"by": _by(request), "now_ms": self._clock()}
        if move == "start":
            return await self._start(name, given)
        why = request.query_params.get("why", "")[:500]
        moved = await store.move(self._database, name, _MOVES[move], why=why, **given)
        return JSONResponse(_campaign(moved))

    async def _start(self, name: str, given: dict[str, Any]) -> Response:
        """Raises `PlanError` for a plan that whoever places the calls cannot go by."""
        notes: list[str] = []
        check_plan(self._settings, (await store.find(self._database, name)).plan, notes.append)
        moved = await store.start(self._database, name, **given)
        return JSONResponse(_campaign(moved) | ({"notes": notes} if notes else {}))

    async def load(self, request: Request) -> Response:
        """The body is the list: CSV, XLSX or JSON Lines. 422: some rows are wrong, and were not
        loaded."""
        await store.find(self._database, _name(request))
        report = await load_list(self._settings, _name(request), request)
        return JSONResponse(report, 422 if report["invalid"] else 200)

    async def people(self, request: Request) -> Response:
        name, asked = _name(request), request.query_params
        await store.find(self._database, name)
        states = asked.getlist("state")
        after = _whole_number(asked.get("after", "0"), "after")
        most = min(_whole_number(asked.get("most", "100"), "most"), MOST_PEOPLE)
        async with self._database.reading() as connection:
            found = await page(connection, name, after, states, most)
            ids = [contact.contact_id for contact in found]
            dials, texts = await dials_of(connection, ids), await texts_of(connection, ids)
        people = [
            {
                **asdict(contact),
                "dials": [asdict(dial) for dial in dials.get(contact.contact_id, ())],
                "texts": [asdict(text) for text in texts.get(contact.contact_id, ())],
            }
            for contact in found
        ]
        return JSONResponse({"contacts": people, "after": ids[-1] if len(ids) == most else None})

    async def why(self, request: Request) -> Response:
        number = request.query_params.get("number", "")
        if not number:
            raise BadRequestError('expected "?number=" with a number in E.164 form, got none')
        found = await why_not_dialled(
            self._database, _name(request), number, policy().may_dial, self._clock()
        )
        told: dict[str, Any] = {"contact": asdict(found.contact), "besides": list(found.besides)}
        match found.answer:
            case Allowed(until_ms=until_ms, must=must):
                told |= {"may_be_dialled": True, "until_ms": until_ms, "must": list(must)}
            case NotNow(rule, reason, again_ms):
                told |= {"may_be_dialled": False, "rule": rule, "why": reason}
                told["again_ms"] = again_ms
            case never:
                told |= {"may_be_dialled": False, "rule": never.rule, "why": never.reason}
        return JSONResponse(told)

    async def log(self, request: Request) -> Response:
        entries = await store.log(self._database, _name(request), MOST_PEOPLE)
        return JSONResponse({"log": [asdict(entry) for entry in entries]})


def _name(request: Request) -> str:
    return str(request.path_params["name"])


def _by(request: Request) -> str:
    """`X-Earshot-By` names the person or program behind the token."""
    who = request.headers.get("x-earshot-by", "").strip()
    return f"{BY}:{who}" if who.isprintable() and who else BY


async def _plan_in(request: Request) -> str | dict[str, Any]:
    """TOML, or the same tables as JSON, by the content type."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_PLAN_BYTES:
            raise BadRequestError(f"expected a plan of at most {MOST_PLAN_BYTES} bytes")
    try:
        text = body.decode("utf-8")
        if "json" not in request.headers.get("content-type", ""):
            return text
        data = json.loads(text)
    except UnicodeDecodeError as error:
        raise BadRequestError("expected UTF-8 text") from error
    except ValueError as error:
        raise BadRequestError(f"expected JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadRequestError("expected a JSON object with the keys of a campaign's file")
    return data


def _whole_number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadRequestError(f'expected "{name}" to be a whole number, got "{text[:40]}"')
    return int(text)


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "name": campaign.campaign_id,
        "state": campaign.state.value,
        "agent": campaign.plan.agent,
        "plan_version": campaign.plan_version,
        "created_at_ms": campaign.created_at_ms,
        "changed_at_ms": campaign.changed_at_ms,
    }


def _whole(campaign: Campaign) -> dict[str, Any]:
    return {**_campaign(campaign), "plan": plan_data(campaign.plan)}


def _progress(seen: Progress) -> dict[str, Any]:
    return {
        **_whole(seen.campaign),
        "at_ms": seen.at_ms,
        "contacts": seen.contacts,
        "states": dict(seen.states),
        "due": seen.due,
        "next_due_at_ms": seen.next_due_at_ms,
        "in_progress": seen.in_progress,
        "dials": seen.dials,
        "dials_a_minute": list(seen.dials_a_minute),
        "outcomes": dict(seen.outcomes),
        "dispositions": dict(seen.dispositions),
        "texts": dict(seen.texts),
        "reached": seen.reached,
        "connect_rate": seen.connect_rate,
        "answered_30_days": seen.answered,
        "abandoned_30_days": seen.abandoned,
        "abandonment_rate": seen.abandonment_rate,
        "cost_usd": seen.cost_usd,
    }
