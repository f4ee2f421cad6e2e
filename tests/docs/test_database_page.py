"""Invariant: the page of the database names every table, and folders as the code does."""

from app.records.database import FILE_NAME
from app.records.spool import FOLDER
from app.records.tables import metadata
from tests.docs.pages import codes, page, table

TEXT = page("database")


def test_every_table_is_named_once() -> None:
    told = [name for row in table(TEXT, "<!-- tables:") for name in codes(row[0])]
    assert sorted(told) == sorted(metadata.tables)


def test_the_places_are_the_ones_of_the_code() -> None:
    assert f"`earshot-data/{FILE_NAME}`" in TEXT
    for folder in ("waiting", "aside"):
        assert f"`earshot-data/{FOLDER}/{folder}`" in TEXT
