"""The end of a call that the PBX placed is read as the dialplan tells it, from a PBX that knows the
password, and is told again until it was kept."""

from base64 import b64encode
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from app.carriers.asterisk.dialled_page import (
    DIALLED_PATH,
    HEARD,
    Ended,
    dialled_route,
    read_ended,
)
from app.carriers.asterisk.locks import PbxLocks
from tests.asgi import ask

KEY = (b"authorization", b"Basic " + b64encode(b"pbx:a-password-of-16"))
ATTEMPT = "0123456789abcdef" * 2
FORM = {"call": f"AO{ATTEMPT}", "attempt": ATTEMPT, "status": "ANSWER", "cause": "16"}


class Room:
    def __init__(self, *, keeps: bool = True) -> None:
        self.ended: list[Ended] = []
        self._keeps = keeps

    async def hear(self, ended: Ended) -> bool:
        self.ended.append(ended)
        return self._keeps


async def posted(
    room: Room, form: dict[str, str], *headers: tuple[bytes, bytes]
) -> tuple[int, str]:
    app = Starlette(routes=[dialled_route(PbxLocks("pbx", "a-password-of-16"), room.hear)])
    return await ask(app, DIALLED_PATH, "POST", list(headers), urlencode(form).encode())


async def test_what_was_kept_is_heard_and_what_was_not_is_told_again() -> None:
    room, away = Room(), Room(keeps=False)
    assert await posted(room, FORM | {"seconds": "12"}, KEY) == (200, HEARD)
    assert room.ended == [Ended(f"AO{ATTEMPT}", ATTEMPT, "completed", 12)]
    assert (await posted(away, FORM, KEY))[0] == 503


async def test_a_stranger_tells_nothing() -> None:
    room = Room()
    assert (await posted(room, FORM))[0] == 401
    assert room.ended == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"call": ""},
        {"call": "AS" + ATTEMPT},
        {"call": "pbx-1"},
        {"attempt": "f" * 32},
        {"attempt": "another"},
    ],
)
async def test_news_about_no_call_of_ours_are_refused(wrong: dict[str, str]) -> None:
    room = Room()
    assert (await posted(room, FORM | wrong, KEY))[0] == 400
    assert room.ended == []


@pytest.mark.parametrize(
    ("status", "cause", "fate", "sip_code"),
    [
        ("ANSWER", "16", "completed", None),
        ("ANSWER", "1", "completed", None),
        ("BUSY", "17", "busy", None),
        ("NOANSWER", "19", "no-answer", None),
        ("CANCEL", "16", "canceled", None),
        ("CHANUNAVAIL", "1", "failed", 404),
        ("CHANUNAVAIL", "28", "failed", 484),
        ("CHANUNAVAIL", "22", "failed", 410),
        ("CHANUNAVAIL", "21", "failed", 603),
        ("CONGESTION", "34", "failed", None),
        ("", "", "failed", None),
    ],
)
def test_how_the_dialplan_calls_an_end(
    status: str, cause: str, fate: str, sip_code: int | None
) -> None:
    ended = read_ended(FORM | {"status": status, "cause": cause})
    assert ended is not None
    assert (ended.fate, ended.sip_code) == (fate, sip_code)


@pytest.mark.parametrize("seconds", ["", "-1", "many", "9" * 20, "٣"])
def test_a_time_that_is_none_is_left_out(seconds: str) -> None:
    ended = read_ended(FORM | {"seconds": seconds})
    assert ended is not None and ended.duration_s is None


def test_a_call_of_no_campaign_has_no_attempt() -> None:
    ended = read_ended(FORM | {"attempt": ""})
    assert ended is not None and ended.attempt_id == ""
