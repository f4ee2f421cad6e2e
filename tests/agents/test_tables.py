"""Which keys a table of an agent's file may have is read off the type hints: a new table needs no
second list of its keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from app.agents.tables import keys_of, lists_tables, table_at


@dataclass(frozen=True)
class Door:
    width: int = 1


@dataclass(frozen=True)
class Flat:
    type: Literal["flat"] = "flat"
    doors: tuple[Door, ...] = ()


@dataclass(frozen=True)
class Tower:
    type: Literal["tower"] = "tower"
    floors: int = 1


@dataclass(frozen=True)
class Town:
    name: str = ""
    house: Annotated[Flat | Tower, "one of them"] = field(default_factory=Flat)
    streets: Mapping[str, Flat] = field(default_factory=dict)
    gate: Door | None = None


def test_a_table_is_found_by_its_place() -> None:
    assert table_at(Town, (), {}) is Town
    assert table_at(Town, ("gate",), {}) is Door
    assert table_at(Town, ("streets", "high"), {}) is Flat
    assert table_at(Town, ("streets", "high", "doors", 3), {}) is Door


def test_its_type_chooses_where_several_may_stand() -> None:
    assert table_at(Town, ("house",), {"type": "tower"}) is Tower
    assert table_at(Town, ("house",), {"type": "cave"}) is Flat
    assert table_at(Town, ("house",), None) is Flat


def test_where_no_table_stands_there_is_none() -> None:
    assert table_at(Town, ("name",), "x") is None
    assert table_at(Town, ("nowhere", "at all"), {}) is None
    assert table_at(Town, ("streets",), {}) is None


def test_lists_of_tables_are_told_from_others() -> None:
    assert lists_tables(Town, ("house", "doors"))
    assert not lists_tables(Town, ("streets",))
    assert not lists_tables(Town, ("name",))


def test_the_keys_of_a_table_are_its_fields() -> None:
    assert keys_of(Tower) == ("type", "floors")
