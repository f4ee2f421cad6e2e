"""A list of contacts that came over HTTP, loaded by a process of its own: reading a million rows
takes a processor whole, and a worker has calls to carry."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request

from app.console.access import BadRequestError
from app.settings import Settings

MOST_BYTES: Final = 2 << 30
OPTIONS: Final = ("region", "duplicates", "across", "dates", "consent_source", "sheet")
"""Of `earshot campaign import`, as parameters of the request; `map` may come several times."""
SAID_WRONG: Final = 3
_MOST_TOLD: Final = 2_000


async def load_list(settings: Settings, name: str, request: Request) -> dict[str, Any]:
    """What `earshot campaign import --json` says of it. Raises `BadRequestError`."""
    with tempfile.TemporaryDirectory(prefix="earshot-list-") as folder:
        path = Path(folder) / "list"
        await _save(request, path)
        return await _imported(settings, name, path, _options(request))


async def _save(request: Request, path: Path) -> None:
    size = 0
    with path.open("wb") as file:
        async for part in request.stream():
            size += len(part)
            if size > MOST_BYTES:
                raise BadRequestError(f"expected a list of at most {MOST_BYTES} bytes")
            await asyncio.to_thread(file.write, part)
    if not size:
        raise BadRequestError("expected a list as CSV, XLSX or JSON Lines, got an empty body")


def _options(request: Request) -> list[str]:
    asked = request.query_params
    unknown = sorted(set(asked) - {*OPTIONS, "map", "dry_run"})
    if unknown:
        there = ", ".join((*OPTIONS, "map", "dry_run"))
        raise BadRequestError(f"there is no parameter {unknown[0]!r}; there are: {there}")
    words = [f"--map={value}" for value in asked.getlist("map")]
    words += [f"--{key.replace('_', '-')}={asked[key]}" for key in OPTIONS if key in asked]
    return [*words, *(["--dry-run"] if asked.get("dry_run") == "true" else [])]


async def _imported(
    settings: Settings, name: str, path: Path, options: list[str]
) -> dict[str, Any]:
    words = (sys.executable, "-m", "app", "campaign", "import", "--json", *options, "--")
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "EARSHOT_DATA_DIR": str(settings.data_dir.absolute()),
    }
    process = await asyncio.create_subprocess_exec(
        *(*words, name, str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
    )
    try:
        out, told = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode not in (0, SAID_WRONG):
        raise BadRequestError(told.decode(errors="replace").strip()[:_MOST_TOLD])
    report: dict[str, Any] = json.loads(out)
    return report
