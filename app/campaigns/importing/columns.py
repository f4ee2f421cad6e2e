"""Which column of a file is what: guessed from the headers, or said with `--map KEY=HEADER`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.agents.placeholders import NAME
from app.agents.variables import BUILT_IN, SIP
from app.campaigns.importing.headers import MEANINGS, meaning_of, plain
from app.campaigns.importing.rows import ERROR_COLUMN, ImportFileError

IGNORE: Final = "ignore"
RESERVED: Final = frozenset(BUILT_IN) - {"caller_name"}
"""What every call knows by itself; a contact cannot say it."""
_UNFIT: Final = "column_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Indices into a row's cells. `phones`: the one to dial first comes first."""

    headers: tuple[str, ...]
    phones: tuple[int, ...]
    timezone: int | None = None
    consent_date: int | None = None
    consent_source: int | None = None
    callback: int | None = None
    variables: tuple[tuple[int, str], ...] = ()

    def told(self) -> Iterator[tuple[str, str]]:
        """Each header, and what it is taken for."""
        meant = {at: f"{{{{{name}}}}}" for at, name in self.variables}
        for place, at in enumerate(self.phones, 1):
            meant[at] = "phone" if place == 1 else f"phone, if asked for another ({place})"
        for name in MEANINGS[1:]:
            if (at_one := getattr(self, name)) is not None:
                meant[at_one] = name
        for at, header in enumerate(self.headers):
            yield header or f"(column {at + 1}, no header)", meant.get(at, "not imported")


def columns_of(headers: Sequence[str], said: Sequence[tuple[str, str]] = ()) -> Columns:
    """`said`: pairs of a key and a header, where guessing is not enough. Raises
    `ImportFileError`."""
    keys: dict[int, str] = {}
    for key, header in said:
        _check(key)
        at = _place(headers, header)
        if at in keys:
            raise ImportFileError(f"--map: column {header!r} was given twice")
        keys[at] = key
    phones = [at for at, key in keys.items() if key == "phone"]
    phones = phones or _guessed_phones(headers, keys)
    if not phones:
        raise _no_number(headers)
    places = _single(headers, keys)
    taken = {*phones, *places.values()}
    rest = [at for at, header in enumerate(headers) if at not in taken and header]
    rest = [at for at in rest if plain(headers[at]) != ERROR_COLUMN and keys.get(at) != IGNORE]
    return Columns(
        headers=tuple(headers),
        phones=tuple(phones),
        **places,
        variables=tuple(_named([(at, headers[at], keys.get(at, "")) for at in rest])),
    )


def parsed_map(text: str) -> tuple[str, str]:
    """Of one `--map`. Raises `ImportFileError`."""
    key, equals, header = text.partition("=")
    if not equals or not key.strip() or not header.strip():
        raise ImportFileError(
            f'--map: expected KEY=HEADER, such as phone="Tel. privat", got {text!r}'
        )
    return key.strip(), header.strip()


def _check(key: str) -> None:
    if key in RESERVED or key.startswith(SIP):
        raise ImportFileError(f"--map: {key} is known in every call; choose another name")
    if not NAME.match(key):
        raise ImportFileError(
            f"--map: expected {', '.join(MEANINGS)}, {IGNORE}, or a variable's name in small "
            f"letters, digits and _, got {key!r}"
        )


def _place(headers: Sequence[str], wanted: str) -> int:
    """As it is written, or else as it is meant."""
    for same in (str, plain):
        found = [at for at, header in enumerate(headers) if same(header) == same(wanted)]
        if len(found) > 1:
            raise ImportFileError(f"--map: {len(found)} columns are called {wanted!r}; rename one")
        if found:
            return found[0]
    raise ImportFileError(f"--map: there is no column {wanted!r}; {_listed(headers)}")


def _guessed_phones(headers: Sequence[str], keys: dict[int, str]) -> list[int]:
    free = {at: meaning_of(header) for at, header in enumerate(headers) if at not in keys}
    for meaning in ("phone", "number"):
        if found := [at for at, meant in free.items() if meant == meaning]:
            return found
    return []


def _single(headers: Sequence[str], keys: dict[int, str]) -> dict[str, int]:
    """Where the columns are of which there can be only one."""
    places: dict[str, int] = {}
    for name in MEANINGS[1:]:
        found = [at for at, key in keys.items() if key == name] or [
            at for at, header in enumerate(headers) if at not in keys and meaning_of(header) == name
        ]
        if len(found) > 1:
            names = " and ".join(repr(headers[at]) for at in found)
            raise ImportFileError(
                f"expected one column for {name}, got {names}: say which, --map "
                f'{name}="{headers[found[0]]}"; the other: --map {IGNORE}="{headers[found[1]]}"'
            )
        if found:
            places[name] = found[0]
    return places


def _named(columns: Sequence[tuple[int, str, str]]) -> Iterator[tuple[int, str]]:
    """A variable's name for each column; what was said goes before what is guessed."""
    used = {key for _, _, key in columns if key}
    if len(used) < sum(bool(key) for _, _, key in columns):
        raise ImportFileError("--map: two columns were given the same variable's name")
    for at, header, key in columns:
        name = key or _fit(header, at, used)
        used.add(name)
        yield at, name


def _fit(header: str, at: int, used: set[str]) -> str:
    name = plain(header)[:48] or str(at + 1)
    if not NAME.match(name) or name in RESERVED or name.startswith(SIP):
        name = f"{_UNFIT}{name}"
    return next(n for n in (name, *(f"{name}_{again}" for again in range(2, 999))) if n not in used)


def _no_number(headers: Sequence[str]) -> ImportFileError:
    why = "no column of telephone numbers was found"
    if any(sum(map(str.isdigit, header)) >= 7 for header in headers):
        why += "; the first row seems to be a contact already, and must hold the columns' names"
    example = next((header for header in headers if header), "HEADER")
    return ImportFileError(
        f'{why}: {_listed(headers)}. Say which it is, such as --map phone="{example}"'
    )


def _listed(headers: Sequence[str]) -> str:
    shown = ", ".join(repr(header) for header in headers[:30])
    return f"the file has {shown}{' and others' if len(headers) > 30 else ''}"
