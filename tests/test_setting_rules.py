"""The rules that settings are held to, one by one where the settings' own tests do not reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.setting_rules import is_loopback, misspelt, shown, tidy_http_url


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.255.0.9", "::1"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example", "10.0.0.1", "::2", "", "128.0.0.1", "0.0.0.0"]
)
def test_other_hosts_are_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@given(st.from_regex(r"https?://[a-z]{1,9}(:[1-9][0-9]{0,3})?(/[a-z]{1,5}){0,3}/*", fullmatch=True))
def test_tidying_twice_is_tidying_once(url: str) -> None:
    once = tidy_http_url(url)
    assert tidy_http_url(once) == once
    assert not once.endswith("/")
    assert url.startswith(once)


def test_long_values_are_cut_and_passwords_in_addresses_left_out() -> None:
    assert len(shown("x" * 200, secret=False)) <= 82
    assert "pw" not in shown("https://me:pw@host", secret=False)


def test_a_wrong_case_is_a_misspelling_too() -> None:
    [warning] = misspelt({"EARSHOT_lead_ms": "3"}, ["EARSHOT_LEAD_MS"])
    assert warning.endswith("did you mean EARSHOT_LEAD_MS?")
