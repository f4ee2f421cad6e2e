"""A database of each kind, as tests of the record have it."""

from tests.records.conftest import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]
