"""REST: numbers, SIP domains, lists of logins and of addresses, trunks: made, changed, removed."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from app.lab.phone.account import Account
from app.lab.phone.identity import API_VERSION, new_sid
from app.lab.phone.rest_form import one, read_form
from app.lab.phone.rest_wire import BAD_REQUEST, NOT_FOUND, RestError
from app.lab.phone.shelves import BY_PATH, NUMBERS, SHELVES, Fields, Shelf, read_fields

USUAL_PAGE = 50
_V1 = "/v1"


class ShelfRoutes:
    """`account.kept` holds it all: path of a shelf, with the owner's SID in it -> the things."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def add(self, router: web.UrlDispatcher, root: str) -> None:
        for shelf in SHELVES:
            end = ".json" if shelf.version == "2010" else ""
            place = (root if end else _V1) + shelf.path
            router.add_get(place + end, self._at(shelf, self._list))
            router.add_post(place + end, self._at(shelf, self._create))
            router.add_get(place + "/{sid}" + end, self._at(shelf, self._fetch))
            router.add_post(place + "/{sid}" + end, self._at(shelf, self._update))
            router.add_delete(place + "/{sid}" + end, self._at(shelf, self._delete))

    def _at(
        self,
        shelf: Shelf,
        handle: Callable[[Shelf, web.Request], Awaitable[web.StreamResponse]],
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def respond(request: web.Request) -> web.StreamResponse:
            return await handle(shelf, request)

        return respond

    async def _list(self, shelf: Shelf, request: web.Request) -> web.StreamResponse:
        things = list(self._things(shelf, request).values())
        number, size = _whole(request, "Page", 0), _whole(request, "PageSize", USUAL_PAGE) or 1
        begin = number * size
        more = len(things) > begin + size
        following = f"{request.path}?PageSize={size}&Page={number + 1}&PageToken=PA{begin}"
        told: dict[str, object] = {shelf.listed: things[begin : begin + size]}
        if shelf.version == "2010":
            told |= {"page": number, "next_page_uri": following if more else None}
        else:
            url = f"{request.url.origin()}{following}" if more else None
            told["meta"] = {"page": number, "key": shelf.listed, "next_page_url": url}
        return web.json_response(told)

    async def _create(self, shelf: Shelf, request: web.Request) -> web.StreamResponse:
        things, form = self._things(shelf, request), await _form(request)
        if not shelf.creates:
            raise RestError(400, BAD_REQUEST, "this telephone sells no numbers")
        thing = self._thing(shelf, form)
        same = [one for one in things.values() if _same(shelf, one, thing)]
        if same:
            raise RestError(400, shelf.code, f"{shelf.unique} is already in use")
        things[str(thing["sid"])] = thing
        return web.json_response(thing, status=201)

    def _thing(self, shelf: Shelf, form: Mapping[str, str]) -> Fields:
        own = {"account_sid": self._account.account_sid, **shelf.defaults}
        given = read_fields(shelf, form, new=True)
        if not shelf.maps:
            return {"sid": new_sid(shelf.prefix), **own, **given}
        sid = form[shelf.required[0]]
        mapped = self._account.kept.get(shelf.maps, {}).get(sid)
        if mapped is None:
            raise RestError(404, NOT_FOUND, f"there is no list {sid}")
        return {"sid": sid, **own, "friendly_name": mapped["friendly_name"]}

    async def _fetch(self, shelf: Shelf, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._find(shelf, request))

    async def _update(self, shelf: Shelf, request: web.Request) -> web.StreamResponse:
        thing = self._find(shelf, request)
        if not shelf.updates:
            raise RestError(405, 20004, "Method not allowed")
        thing.update(read_fields(shelf, await _form(request), new=False))
        return web.json_response(thing)

    async def _delete(self, shelf: Shelf, request: web.Request) -> web.StreamResponse:
        sid = str(self._find(shelf, request)["sid"])
        del self._things(shelf, request)[sid]
        return web.Response(status=204)

    def _find(self, shelf: Shelf, request: web.Request) -> Fields:
        thing = self._things(shelf, request).get(request.match_info["sid"])
        if thing is None:
            raise _missing(request)
        return thing

    def _things(self, shelf: Shelf, request: web.Request) -> dict[str, Fields]:
        owner = request.match_info.get("owner", "")
        if shelf.owner and owner not in self._account.kept.get(shelf.owner, {}):
            raise _missing(request)
        things = self._account.kept.setdefault(shelf.path.replace("{owner}", owner), {})
        if shelf.path == NUMBERS:
            self._add_numbers(things)
        return things

    def _add_numbers(self, things: dict[str, Fields]) -> None:
        """Those that the account has come to own since."""
        known = {thing["phone_number"] for thing in things.values()}
        for number in sorted(self._account.numbers - known):
            sid = new_sid("PN")
            defaults = BY_PATH[NUMBERS].defaults
            own = {"sid": sid, "account_sid": self._account.account_sid, "api_version": API_VERSION}
            things[sid] = {**defaults, **own, "phone_number": number, "friendly_name": number}


async def _form(request: web.Request) -> dict[str, str]:
    form = await read_form(request)
    return {name: one(form, name) for name in form}


def _same(shelf: Shelf, thing: Fields, other: Fields) -> bool:
    return bool(shelf.unique and other[shelf.unique]) and thing[shelf.unique] == other[shelf.unique]


def _whole(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() else otherwise


def _missing(request: web.Request) -> RestError:
    return RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
