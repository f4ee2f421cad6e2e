"""Whatever a model writes into the path of a url, the request goes to the operator's host, scheme,
port and part of the path."""

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.tools.errors import ArgumentError
from app.tools.http.target import Target

TARGET = Target("t", "https://api.example:8443/v1/{a}/x-{b}/end?k=v")


@given(st.text(), st.text())
@example("..", "b")
@example("a/../../..", "b")
@example("..\\..", "b")
@example("@evil.example/", "b")
@example("//evil.example", "b")
@example("?x=1#", "b")
@example("%2e%2e", "%2F")
@example("\u2025", "\uff0f")
def test_only_its_own_parts_of_the_path_change(a: str, b: str) -> None:
    try:
        url = httpx2.URL(TARGET.url({"a": a, "b": b}))
    except (ArgumentError, UnicodeEncodeError):
        return
    assert (url.scheme, url.host, url.port) == ("https", "api.example", 8443)
    assert url.query == b"k=v"
    assert url.fragment == ""
    parts = url.raw_path.split(b"?")[0].split(b"/")
    assert len(parts) == 5
    assert (parts[:2], parts[4]) == ([b"", b"v1"], b"end")
    assert parts[3].startswith(b"x-")


@pytest.mark.parametrize("value", ["", "  ", ".", "..", "a/..", "../a", "a\\..\\b", "./"])
def test_ways_out_of_its_place_are_refused(value: str) -> None:
    with pytest.raises(ArgumentError, match="a: expected"):
        TARGET.url({"a": value, "b": "b"})


@pytest.mark.parametrize(
    ("value", "written"), [("a b", "a%20b"), (7, "7"), (True, "true"), ("é", "%C3%A9")]
)
def test_values_are_written_whole(value: object, written: str) -> None:
    assert (
        TARGET.url({"a": value, "b": "1"}) == f"https://api.example:8443/v1/{written}/x-1/end?k=v"
    )
