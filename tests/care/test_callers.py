"""A caller has one address and one digest, however a carrier or a person writes the number."""

import pytest

from app.care.callers import caller_of


@pytest.mark.parametrize(
    "text",
    [
        "+15550100001",
        " +1 (555) 010-0001",
        "+1.555.010.0001",
        "tel:+15550100001;ext=1",
        "0015550100001",
    ],
)
def test_spellings_of_a_number_are_one_caller(text: str) -> None:
    assert caller_of(text) == caller_of("+15550100001")
    assert caller_of(text).digest == caller_of("+15550100001").digest


def test_sip_addresses_count_without_case_and_parameters() -> None:
    assert caller_of("sip:Ada@Example.com;transport=tls").address == "sip:ada@example.com"
    assert caller_of("sips:ada@example.com") == caller_of("sip:ada@example.com")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Anonymous",
        "RESTRICTED",
        "+266696687",
        "+86282452253",
        "sip:anonymous@anonymous.invalid",
    ],
)
def test_withheld_numbers_are_nobodys(text: str) -> None:
    assert caller_of(text).anonymous


def test_a_caller_shows_no_number() -> None:
    caller = caller_of("+15550100001")
    assert "5550100001" not in repr(caller) + caller.digest
    assert caller.digest != caller_of("+15550100002").digest
