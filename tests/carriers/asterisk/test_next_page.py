"""The dialplan's question reaches whoever answers it, and the answer is one that CURL() reads;
nobody without a lock's key is answered."""

from base64 import b64encode
from urllib.parse import parse_qsl, urlencode

import pytest
from starlette.applications import Starlette

from app.carriers.asterisk.locks import PbxLocks
from app.carriers.asterisk.next_page import NEXT_PATH, Asked, Told, next_route
from app.carriers.body import MOST_BODY_BYTES
from tests.asgi import ask

KEY = (b"authorization", b"Basic " + b64encode(b"pbx:a-password-of-16"))
FORM = {
    "call": "pbx-1",
    "from": "+15550100001",
    "to": "+15550100002",
    "status": "ANSWER",
    "journey": "stop=transfer&to=desk",
    "rounds": "2",
}


class Room:
    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def next(self, asked: Asked) -> Told:
        self.asked.append(asked)
        return Told("transfer", {"to": "+15550100003", "caller_id": "", "journey": "a=b&c=d, e"})


async def posted(
    room: Room, body: bytes, *headers: tuple[bytes, bytes]
) -> tuple[int, dict[str, str]]:
    app = Starlette(routes=[next_route(PbxLocks("pbx", "a-password-of-16"), room.next)])
    status, text = await ask(app, NEXT_PATH, "POST", list(headers), body)
    return status, dict(parse_qsl(text))


async def test_a_question_is_read_and_answered_as_a_form() -> None:
    room = Room()
    status, told = await posted(room, urlencode(FORM).encode(), KEY)
    assert status == 200
    assert told == {"do": "transfer", "to": "+15550100003", "journey": "a=b&c=d, e"}
    [asked] = room.asked
    assert (asked.call, asked.status, asked.rounds) == ("pbx-1", "ANSWER", 2)
    assert asked.journey == "stop=transfer&to=desk"


async def test_a_stranger_is_not_answered() -> None:
    room = Room()
    assert (await posted(room, urlencode(FORM).encode()))[0] == 401
    assert room.asked == []


@pytest.mark.parametrize("body", [b"", b"from=1", b"\xff\xfe", b"call=" + b"x" * MOST_BODY_BYTES])
async def test_what_is_no_question_is_refused(body: bytes) -> None:
    room = Room()
    assert (await posted(room, body, KEY))[0] == 400
    assert room.asked == []


async def test_a_number_of_rounds_that_is_none_counts_as_none() -> None:
    room = Room()
    await posted(room, urlencode(FORM | {"rounds": "9" * 50}).encode(), KEY)
    assert room.asked[0].rounds == 0


@pytest.mark.parametrize(
    ("more", "placed", "attempt"),
    [
        ({}, False, ""),
        ({"direction": "inbound"}, False, ""),
        ({"direction": "outbound", "call": "AO" + "0" * 32}, True, ""),
        (
            {"direction": "outbound", "call": "AO" + "0" * 32, "attempt": "0" * 32},
            True,
            "0" * 32,
        ),
        ({"direction": "outbound", "call": "AO" + "0" * 32, "attempt": "1" * 32}, True, ""),
        ({"attempt": "0" * 32}, False, ""),
    ],
)
async def test_a_call_of_ours_names_its_own_attempt_or_none(
    more: dict[str, str], placed: bool, attempt: str
) -> None:
    room = Room()
    await posted(room, urlencode(FORM | more).encode(), KEY)
    assert (room.asked[0].placed, room.asked[0].attempt) == (placed, attempt)
