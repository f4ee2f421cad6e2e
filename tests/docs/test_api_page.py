"""The page of the API has every route that there is, and no other."""

import re
from pathlib import Path

from pydantic import SecretStr
from starlette.routing import Mount, Route

from app.console.campaigns import campaign_routes
from app.records.database import Database, sql_url
from app.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


async def test_every_route_is_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, api_token=SecretStr("x" * 16))
    database = Database(sql_url("", tmp_path))
    (mount,) = campaign_routes(settings, database)
    await database.close()
    assert isinstance(mount, Mount)
    there = {
        f"{method} {route.path}"
        for route in mount.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", PAGE, re.MULTILINE)) == there
