"""REST: queues and who waits in them; a waiting call can be taken out with other TwiML."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

from app.lab.phone.account import Account
from app.lab.phone.queues import CallQueue, QueuedCall
from app.lab.phone.rest_form import read_form, twiml_source
from app.lab.phone.rest_wire import NOT_FOUND, RestError

FRONT = "Front"


class QueueRoutes:
    def __init__(self, account: Account) -> None:
        self._account = account

    def add(self, router: web.UrlDispatcher, root: str) -> None:
        router.add_get(root + "/Queues.json", self._list)
        router.add_get(root + "/Queues/{queue}.json", self._fetch)
        router.add_get(root + "/Queues/{queue}/Members.json", self._members)
        router.add_post(root + "/Queues/{queue}/Members/{sid}.json", self._take_out)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        found = [self._queue(each) for each in self._account.queues.by_name.values()]
        return web.json_response({"queues": found, "page": 0, "next_page_uri": None})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._queue(self._find(request)))

    async def _members(self, request: web.Request) -> web.StreamResponse:
        queue = self._find(request)
        found = [self._member(queue, each) for each in queue.waiting]
        return web.json_response({"queue_members": found, "page": 0, "next_page_uri": None})

    async def _take_out(self, request: web.Request) -> web.StreamResponse:
        queue, sid = self._find(request), request.match_info["sid"]
        source = twiml_source(await read_form(request))
        for position, each in enumerate(queue.waiting):
            if each.call.identity.call_sid == sid or (sid == FRONT and position == 0):
                told = self._member(queue, each)
                each.call.redirect(source)
                return web.json_response(told)
        raise _missing(request)

    def _find(self, request: web.Request) -> CallQueue:
        for queue in self._account.queues.by_name.values():
            if queue.sid == request.match_info["queue"]:
                return queue
        raise _missing(request)

    def _queue(self, queue: CallQueue) -> Mapping[str, object]:
        return {
            "sid": queue.sid,
            "account_sid": self._account.account_sid,
            "friendly_name": queue.name,
            "current_size": len(queue.waiting),
            "max_size": queue.max_size,
            "average_wait_time": 0,
        }

    def _member(self, queue: CallQueue, one: QueuedCall) -> Mapping[str, object]:
        return {
            "queue_sid": queue.sid,
            "call_sid": one.call.identity.call_sid,
            "position": queue.waiting.index(one) + 1,
            "wait_time": one.waited_s,
            "date_enqueued": format_datetime(datetime.now(UTC)),
        }


def _missing(request: web.Request) -> RestError:
    return RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
