"""Invariant: every link inside the documentation leads to a file, and to its heading."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, FRONT, PAGES, anchors, prose

_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def _links(path: Path) -> list[str]:
    found = _LINK.findall(prose(path.read_text(encoding="utf-8")))
    return [link for link in found if not link.startswith(("http://", "https://"))]


@pytest.mark.parametrize(
    "path", [*FRONT, *PAGES], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_links_of_a_page_resolve(path: Path) -> None:
    for link in _links(path):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), f"{path.name} links to {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{path.name}: {link}"


def test_the_index_names_every_page_once() -> None:
    named = _links(DOCS / "README.md")
    assert sorted(named) == sorted(path.name for path in PAGES if path.name != "README.md")
