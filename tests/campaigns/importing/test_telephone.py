"""What is mended is what can be meant in one way only, digits that are lost are never guessed, and
the quick way says what the policy's own reader says."""

from dataclasses import replace

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaigns.importing.quick_numbers import quick_number
from app.campaigns.importing.telephone import (
    ABROAD,
    CHARACTERS,
    NO_PLUS,
    SLASH,
    SPREADSHEET,
    Read,
    Unread,
    read_contact_number,
)
from app.policy.numbers import Number, read_number


@pytest.mark.parametrize(
    ("text", "region", "e164", "mended"),
    [
        ("(212) 555-0100", "US", "+12125550100", ""),
        ("+1 212.555.0100", None, "+12125550100", ""),
        ("1 212 555 0100", "US", "+12125550100", NO_PLUS),
        ("12125550100", "US", "+12125550100", NO_PLUS),
        ("12125550100.0", "US", "+12125550100", f"{SPREADSHEET}; {NO_PLUS}"),
        ("2125550100.0", "US", "+12125550100", SPREADSHEET),
        ("2.125550100E+9", "US", "+12125550100", SPREADSHEET),
        ("2,125550100E+09", "US", "+12125550100", SPREADSHEET),
        ("0171 1234567", "DE", "+491711234567", ""),
        ("0171/1234567", "DE", "+491711234567", SLASH),
        ("+49 (0)171 1234567", None, "+491711234567", ""),
        ("0049 171 1234567", "DE", "+491711234567", ABROAD),
        ("011 49 171 1234567", "US", "+491711234567", ABROAD),
        ("7911123456", "GB", "+447911123456", ""),
        ("\u202a+44\u00a07911\u2011123456\u202c", None, "+447911123456", CHARACTERS),
        ("'+447911123456", None, "+447911123456", CHARACTERS),
        ("tel:+447911123456", None, "+447911123456", CHARACTERS),
        (" 07911 123456 ", "GB", "+447911123456", ""),
    ],
)
def test_what_lists_are_full_of(text: str, region: str | None, e164: str, mended: str) -> None:
    read = read_contact_number(text, region)
    assert isinstance(read, Read), read
    assert (read.number.e164, read.mended) == (e164, mended)


@pytest.mark.parametrize(
    ("text", "region", "why"),
    [
        ("", "US", "expected a telephone number"),
        ("1.5551E+10", "US", "digits are lost"),
        ("1.55512E10", "US", "digits are lost"),
        ("911", "US", "emergency"),
        ("+49110", None, "emergency"),
        ("12345", "US", "short numbers"),
        ("+1 900 555 0100", None, "premium"),
        ("1-212-976-1234", "US", "premium"),
        ("+881612345678", None, "satellite"),
        ("212 555 0100", None, "--region"),
        ("0049 171 1234567", "US", "instead of 00"),
        ("442079460123", "US", "no network has such a number"),
        ("+1 212 555 0100 ext. 5", "US", "extension"),
        ("1-800-FLOWERS", "US", "digits only"),
        ("212 555 0100 / 415 555 2671", "US", "one number in a cell"),
        ("2125550100/4155552671", "US", "one number in a cell"),
        ("+1 212 555 0100 +1 415 555 2671", "US", "one number in a cell"),
        ("ask Ada", "US", "expected a telephone number"),
        ("\u0662\u0661\u0662 555 0100", "US", "digits"),
        ("2026-01-02", "US", "no network"),
    ],
)
def test_what_is_refused_says_how_to_mend_it(text: str, region: str | None, why: str) -> None:
    read = read_contact_number(text, region)
    assert isinstance(read, Unread)
    assert why in read.reason


Region = st.sampled_from([None, "US", "CA", "GB", "DE", "IT", "FR", "BR", "JP", "AU"])
Digits = st.text("0123456789", min_size=1, max_size=15)
American = st.from_regex(
    r"(\+1[ .-]?)?\(?[2-9][0-9]{2}\)?[ .-]?[2-9][0-9]{2}[ .-]?[0-9]{4}", fullmatch=True
)
International = st.builds(
    "+{}{}".format, st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), Digits
)


@settings(max_examples=1_500, deadline=None)
@given(
    text=American | International | Digits | st.text("+0123456789 ().-", max_size=20), region=Region
)
def test_the_quick_way_says_what_the_policy_says(text: str, region: str | None) -> None:
    quick = quick_number(text, region)
    if quick is not None:
        full = read_number(text, region)
        assert isinstance(full, Number), full
        assert quick == replace(full, region="")


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=30) | st.text("0123456789+.,Ee/ -", max_size=20), region=Region)
def test_whatever_is_read_is_valid(text: str, region: str | None) -> None:
    read = read_contact_number(text, region)
    if isinstance(read, Read):
        again = read_number(read.number.e164)
        assert isinstance(again, Number)
        digits = [character for character in text if character.isdigit()]
        assert set(read.number.e164[-4:]) <= set(digits)
