"""`python -m app.records.migrations "what changed"`: write the next step, for developers.

It is made from what app/records/tables.py says beyond the steps that stand. Read it before it is
committed: what was renamed looks like one thing dropped and another one added. Needs ruff.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from app.records.database import Database, sql_url
from app.records.migrate import VERSIONS, config_for


def _next(connection: Connection, message: str) -> None:
    number = len(list(VERSIONS.glob("[0-9]*.py"))) + 1
    name = f"{number:04}"
    command.revision(config_for(connection), message, autogenerate=True, rev_id=name)
    for path in VERSIONS.glob(f"{name}_*.py"):
        made = path.read_text("utf-8").replace("astext_type=Text()", "astext_type=sa.Text()")
        path.write_text(made, "utf-8")
        subprocess.run(["ruff", "format", "--quiet", str(path)], check=False)
        subprocess.run(["ruff", "check", "--quiet", "--fix", str(path)], check=False)


async def _main(message: str) -> None:
    with tempfile.TemporaryDirectory(prefix="earshot-migration-") as folder:
        database = Database(sql_url("", Path(folder)))
        await database.upgrade()
        async with database.writing() as connection:
            await connection.run_sync(_next, message)
        await database.close()


if __name__ == "__main__":
    asyncio.run(_main(" ".join(sys.argv[1:]) or "tables"))
