"""Whether the PBX takes our orders is told in a line, with the cure and without a secret."""

import pytest

from app.doctor.pbx import check_ari
from app.doctor.report import Check
from app.settings import load_settings
from tests.doctor.test_vendors import answering, hanging, http_server

ARI = {
    "EARSHOT_ARI_USER": "bot",
    "EARSHOT_ARI_PASSWORD": "a-password-of-16",
    "EARSHOT_PBX_USER": "pbx",
    "EARSHOT_PBX_PASSWORD": "another-of-16-xx",
}
PONG = {"asterisk_id": "x", "ping": "pong"}


async def looked(**env: str) -> list[Check]:
    return await check_ari(load_settings(env=env, env_file=None), timeout_s=0.5)


async def test_no_pbx_is_nothing_to_tell() -> None:
    assert await looked() == []


async def test_a_login_that_is_accepted() -> None:
    async with http_server(answering(200, PONG)) as url:
        [ok] = await looked(**ARI, EARSHOT_ARI_URL=url)
        [other] = await looked(**ARI, EARSHOT_ARI_URL=url, EARSHOT_CALLS_OUT="twilio")
    assert (ok.status, other.status) == ("ok", "ok")
    assert "Twilio places the calls" in other.seen


@pytest.mark.parametrize(
    ("status", "mend"), [(401, "ari.conf"), (404, "EARSHOT_ARI_URL"), (500, "log")]
)
async def test_what_is_refused_says_how_to_mend_it(status: int, mend: str) -> None:
    async with http_server(answering(status, {})) as url:
        [check] = await looked(**ARI, EARSHOT_ARI_URL=url)
    assert check.status == "fail"
    assert mend in check.mend
    assert "a-password" not in check.seen + check.mend


async def test_a_pbx_that_does_not_answer_takes_bounded_time() -> None:
    async with http_server(hanging) as url:
        [check] = await looked(**ARI, EARSHOT_ARI_URL=url)
    assert "http.conf" in check.mend


async def test_half_of_it_is_none() -> None:
    [half] = await looked(EARSHOT_ARI_USER="bot")
    [chosen] = await looked(EARSHOT_CALLS_OUT="pbx")
    own = {name: value for name, value in ARI.items() if "ARI" in name}
    [deaf] = await looked(**own, EARSHOT_ARI_URL="http://127.0.0.1:9")
    assert {half.status, chosen.status, deaf.status} == {"fail"}
    assert "EARSHOT_PBX_PASSWORD" in deaf.mend
