"""A call is hung up once; one that is over already counts as hung up; what cannot be done is logged
and raised to nobody."""

import logging

import pytest
from aiohttp import web

from app.carriers.telnyx.rest import WAITS_S, TelnyxRest


class Api:
    """Answers with these statuses in turn, then with the last one."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    async def hang_up(self, request: web.Request) -> web.Response:
        self.asked.append((request.raw_path, request.headers["Authorization"]))
        status, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, text=text)

    async def asked_to(self, call_control_id: str) -> bool:
        app = web.Application()
        app.router.add_post("/v2/calls/{id}/actions/hangup", self.hang_up)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            rest = TelnyxRest("KEY", url, waits_s=(0.0,) * len(WAITS_S))
            return await rest.hang_up(call_control_id, "TX1")
        finally:
            await runner.cleanup()


OVER = '{"errors":[{"code":"90018","title":"Call has already ended"}]}'


async def test_a_call_is_named_whole_and_with_the_key() -> None:
    api = Api((200, "{}"))
    assert await api.asked_to("v3:a/b?c")
    assert api.asked == [("/v2/calls/v3%3Aa%2Fb%3Fc/actions/hangup", "Bearer KEY")]


async def test_a_call_that_is_over_is_hung_up() -> None:
    api = Api((422, OVER))
    assert await api.asked_to("v3:a")
    assert len(api.asked) == 1


async def test_a_fault_of_theirs_is_tried_again() -> None:
    """So is one that we may make again a little later."""
    api = Api((503, ""), (429, ""), (200, "{}"))
    assert await api.asked_to("v3:a")
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    ("answer", "asked"),
    [((401, ""), 1), ((422, "{}"), 1), ((422, "no json"), 1), ((500, ""), 1 + len(WAITS_S))],
)
async def test_what_cannot_be_done_is_logged(
    answer: tuple[int, str], asked: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    api = Api(answer)
    assert not await api.asked_to("v3:a")
    assert len(api.asked) == asked
    assert [record.message for record in caplog.records] == ["a call could not be hung up"]
