"""Which table of an agent's file stands where, read off the type hints of `Agent`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin, get_type_hints


def table_at(root: type, place: Sequence[str | int], value: Any) -> type | None:
    """The dataclass whose fields are the keys that may stand at `place`; None: it is no table of
    known keys. `value`: what stands there; its `type` chooses where several tables may."""
    hint: Any = root
    for part in place:
        hint = _inside(hint, part)
    tables = [kind for kind in _choices(hint) if _is_table(kind)]
    kind = value.get("type") if isinstance(value, Mapping) else None
    typed = [table for table in tables if kind is not None and _type_of(table) == kind]
    found = typed or tables
    return found[0] if found else None


def lists_tables(root: type, place: Sequence[str | int]) -> bool:
    """A list of tables stands at `place`, each headed [[name]]."""
    return table_at(root, (*place, 0), None) is not None


def keys_of(table: type) -> tuple[str, ...]:
    """As they stand in the file: a field whose name Python keeps for itself ends in "_"."""
    return tuple(field.name.removesuffix("_") for field in _fields(table))


def _inside(hint: Any, part: str | int) -> Any:
    """The hint of what `part` names in a value of `hint`; None where there is nothing."""
    for kind in _choices(hint):
        if _is_table(kind) and isinstance(part, str) and part in _hints(kind):
            return _hints(kind)[part]
        origin, of = get_origin(kind), get_args(kind)
        if origin is tuple and isinstance(part, int) and of:
            return of[0]
        if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(part, str):
            return of[1]
    return None


def _choices(hint: Any) -> Iterator[Any]:
    """The types that a hint allows, without `None` and annotations."""
    if get_origin(hint) is Annotated:
        yield from _choices(get_args(hint)[0])
    elif get_origin(hint) in (Union, UnionType):
        for one in get_args(hint):
            yield from _choices(one)
    elif hint not in (None, NoneType):
        yield hint


def _type_of(table: type) -> object:
    return getattr(next((f for f in _fields(table) if f.name == "type"), None), "default", None)


def _is_table(kind: object) -> TypeGuard[type]:
    return isinstance(kind, type) and is_dataclass(kind)


def _fields(table: type) -> tuple[Field[Any], ...]:
    return fields(table) if is_dataclass(table) else ()


@cache
def _hints(table: type) -> Mapping[str, Any]:
    return get_type_hints(table, include_extras=True)
