"""Numbers, SIP domains, lists and trunks over Twilio's REST API: what is there, and one action of a
plan at a time.

Nothing is sent twice: whoever is cut off plans again, and sees what was done.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]

from app.carriers.twilio.errors import VendorError
from app.carriers.twilio.provisioning_shapes import SHAPES, Shape, parameter, text_of
from app.carriers.twilio.rest import TwilioRest, answered
from app.provisioning.planning import Action, Create, Delete, Update
from app.provisioning.resources import Key, Kind, Present, Ref, Value

PAGE_SIZE: Final = 100
MOST_PAGES: Final = 100
_ROOTS: Final = {"api": "/2010-04-01/Accounts/{account}", "trunking": "/v1", "voice": "/v1"}


class Provisioning:
    """Of one account. All methods raise `errors.TwilioError`."""

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest
        self._sids: dict[Key, str] = {}

    async def numbers(self) -> list[Present]:
        """All of the account."""
        return await self._listed(Kind.NUMBER, None)

    async def present(self, wanted: Iterable[Key]) -> list[Present]:
        """All things of the kinds that are wanted, and all parts of wanted things: no others."""
        keys = set(wanted)
        found: list[Present] = []
        for kind in (kind for kind, shape in SHAPES.items() if shape.owner is None):
            if any(key.kind is kind for key in keys):
                found += await self._listed(kind, None)
        for owner in [one for one in found if one.key in keys]:
            for kind, shape in SHAPES.items():
                if shape.owner is owner.key.kind:
                    found += await self._listed(kind, owner)
        self._sids = {one.key: one.sid for one in found}
        return found

    async def carry_out(self, action: Action) -> None:
        """One action of a plan that was made of what `present` told last, in the plan's order."""
        shape = SHAPES[action.key.kind]
        path = self._path(shape, action.key)
        match action:
            case Create():
                given = {**action.wanted.given, **action.wanted.fields}
                if shape.name_field:
                    given[shape.name_field] = action.key.name
                made = await self._request("POST", shape, path, self._form(shape, given))
                sid = made.get("sid")
                if not sid:
                    raise VendorError(f"expected the SID of a new {action.key.kind} from Twilio")
                self._sids[action.key] = str(sid)
            case Update():
                changed = {change.name: change.value for change in action.changes}
                form = self._form(shape, changed)
                await self._request("POST", shape, f"{path}/{action.sid}", form)
            case Delete():
                await self._request("DELETE", shape, f"{path}/{action.sid}")

    async def _listed(self, kind: Kind, owner: Present | None) -> list[Present]:
        shape = SHAPES[kind]
        path = shape.path.format(owner=owner.sid if owner is not None else "")
        above = owner.key if owner is not None else None
        return [_present(kind, shape, said, above) async for said in self._items(shape, path)]

    async def _items(self, shape: Shape, path: str) -> AsyncIterator[Mapping[str, Any]]:
        """Page by page."""
        query: dict[str, str] = {"PageSize": str(PAGE_SIZE)}
        address = self._address(shape, path)
        for _ in range(MOST_PAGES):
            page = await self._asked("GET", shape, address, params=query)
            for said in page.get(shape.listed) or ():
                yield said
            following = page.get("next_page_uri") or (page.get("meta") or {}).get("next_page_url")
            if not following:
                return
            parts = urlsplit(str(following))
            address, query = f"{parts.path}?{parts.query}", {}
        raise VendorError(f"expected fewer than {MOST_PAGES * PAGE_SIZE} things of one kind")

    def _path(self, shape: Shape, key: Key) -> str:
        owner = "" if key.owner is None else self._sids[key.owner]
        return shape.path.format(owner=owner)

    def _form(self, shape: Shape, fields: Mapping[str, Value]) -> dict[str, str]:
        values = {
            name: self._sids[value.key] if isinstance(value, Ref) else value
            for name, value in fields.items()
        }
        return {parameter(shape, name): value for name, value in values.items()}

    async def _request(
        self, method: str, shape: Shape, path: str, form: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        return await self._asked(method, shape, self._address(shape, path), form=form)

    def _address(self, shape: Shape, path: str) -> str:
        root = _ROOTS[shape.host].format(account=self._rest.account_sid)
        return f"{root}{path}{'.json' if shape.host == 'api' else ''}"

    async def _asked(
        self,
        method: str,
        shape: Shape,
        address: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        host = getattr(self._rest.client, shape.host)

        async def ask() -> Mapping[str, Any]:
            answer = await host.request_async(method, address, params=params or None, data=form)
            return _read(method, address, answer)

        return await answered(ask(), creating=method == "POST")


def _read(method: str, address: str, answer: Any) -> Mapping[str, Any]:
    """Raises TwilioRestException, and ValueError for what is no JSON."""
    if answer.status_code < 300 and not answer.text:
        return {}
    said: Mapping[str, Any] = json.loads(answer.text)
    if answer.status_code < 300:
        return said
    raise TwilioRestException(
        answer.status_code,
        address,
        str(said.get("message") or "no reason was given"),
        said.get("code"),
        method,
    )


def _present(kind: Kind, shape: Shape, said: Mapping[str, Any], owner: Key | None) -> Present:
    fields = {name: text_of(value) for name, value in said.items()}
    return Present(Key(kind, shape.name(said), owner), str(said.get("sid") or ""), fields)
