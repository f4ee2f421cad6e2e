"""A PostgreSQL server of the tests' own; see `bench.postgres`."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bench.postgres import NoPostgresError, PostgresProcess, postgres_server

__all__ = ["PostgresProcess", "running_postgres"]


@contextmanager
def running_postgres() -> Iterator[PostgresProcess]:
    """Skips the test where there is no server, unless CI says that there must be one."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server(synced=False))
        except NoPostgresError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield server
