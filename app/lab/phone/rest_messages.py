"""REST: text messages are sent and looked at."""

from aiohttp import web

from app.lab.phone.account import Account
from app.lab.phone.rest_form import one, read_form
from app.lab.phone.rest_wire import NOT_FOUND, RestError


class MessageRoutes:
    def __init__(self, account: Account) -> None:
        self._account = account

    def add(self, router: web.UrlDispatcher, root: str) -> None:
        router.add_post(root + "/Messages.json", self._create)
        router.add_get(root + "/Messages.json", self._list)
        router.add_get(root + "/Messages/{sid}.json", self._fetch)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        sent = self._account.messages.send(
            to=one(form, "To"),
            from_=one(form, "From"),
            service_sid=one(form, "MessagingServiceSid"),
            body=one(form, "Body"),
            callback=one(form, "StatusCallback"),
        )
        begun = "accepted" if sent.service_sid else "queued"
        told = {**sent.resource(self._account.account_sid), "status": begun, "error_code": None}
        return web.json_response(told, status=201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        sid = self._account.account_sid
        found = [
            message.resource(sid)
            for message in reversed(self._account.messages.by_sid.values())
            if request.query.get("To", message.to) == message.to
            and request.query.get("From", message.from_) == message.from_
        ]
        return web.json_response({"messages": found, "page": 0, "next_page_uri": None})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        message = self._account.messages.by_sid.get(request.match_info["sid"])
        if message is None:
            raise RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
        return web.json_response(message.resource(self._account.account_sid))
