"""Bring a database to the tables of this version, whatever it had before.

All steps run in one transaction: they happen, or the database stays as it was. Workers that start
at the same time wait for each other.
"""

import logging
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

FOLDER: Final = Path(__file__).parent / "migrations"
VERSIONS: Final = FOLDER / "versions"
_LOCK: Final = 0x6561_7273_686F_74
"""PostgreSQL's advisory lock of whoever changes the tables: any number that others do not use."""

# Its lines name steps by Alembic's own words, at every start; what matters is raised.
logging.getLogger("alembic").setLevel(logging.WARNING)


class DatabaseNewerError(Exception):
    """The operator's: a newer version of the program has changed the tables."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"expected a database of version {known} or older, found version {found}: a newer"
            " earshot has used it; run that one, or restore the backup from before"
        )
        self.found = found
        self.known = known


def migrate(connection: Connection, folder: Path = FOLDER) -> None:
    """In the transaction that `connection` is in. Raises `DatabaseNewerError`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = config_for(connection, folder)
    found, known = version_of(connection), ScriptDirectory.from_config(config)
    steps = {step.revision for step in known.walk_revisions()}
    newest = known.get_current_head() or ""
    if found and found not in steps:
        raise DatabaseNewerError(found, newest)
    if found != newest:
        command.upgrade(config, "head")
    _check_links(connection)


def version_of(connection: Connection) -> str:
    """Of the tables in a database; "" for none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def newest_version() -> str:
    """What `migrate` brings a database to."""
    return ScriptDirectory(str(FOLDER)).get_current_head() or ""


def config_for(connection: Connection, folder: Path = FOLDER) -> Config:
    """Alembic's settings, without a file of them."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _check_links(connection: Connection) -> None:
    """What SQLite did not check while the steps ran. Raises `RuntimeError`: a step is wrong."""
    if connection.dialect.name != "sqlite" or not inspect(connection).get_table_names():
        return
    loose = connection.execute(text("PRAGMA foreign_key_check")).first()
    if loose is not None:
        raise RuntimeError(f"a step of the migration left a row of {loose[0]} without its parent")
