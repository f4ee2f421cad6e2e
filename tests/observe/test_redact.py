"""No phone number, key, token or transcript comes out, wherever somebody put it; ids by which a
call is found again do."""

import json
import string
from collections import OrderedDict
from enum import StrEnum

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.observe.redact import HIDDEN, Redactor

CALL_SID = "CA" + "0123456789abcdef" * 2

phone_digits = st.text("0123456789", min_size=8, max_size=15)
separators = st.sampled_from(["", " ", "-", ".", " (", ") ", "/", "\u2013", "\u00a0", " - "])


@st.composite
def written_phones(draw: st.DrawFn) -> tuple[str, str]:
    """A phone number's digits, and the way in which somebody wrote them."""
    digits = draw(phone_digits)
    text = draw(st.sampled_from(["", "+", "00", "("]))
    for digit in digits:
        text += digit + (draw(separators) if draw(st.integers(0, 3)) == 0 else "")
    return digits, text


keys = st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from(["sk-", "sk-proj-", "SK-svcacct-"]),
    st.text(string.ascii_letters + string.digits, min_size=16, max_size=40),
)
around = st.text(st.characters(exclude_categories=["Nd", "Cs"]))


def only_digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())


@given(written_phones(), around, around)
@example(("15550109999", "+1 (555) 010-9999"), "call ", "")
@example(("491511234567", "49.151.12.34.56.7"), "", "")
@example(("20261120555", "2026-11-20 555"), "", "")
def test_no_phone_number_survives_in_a_text(
    phone: tuple[str, str], before: str, after: str
) -> None:
    assert only_digits(Redactor().text(before + phone[1] + after)) == ""


@given(st.text(), phone_digits, st.text())
def test_no_run_of_digits_survives_among_other_digits(before: str, phone: str, after: str) -> None:
    assert phone not in Redactor().text(f"{before} {phone} {after}")


@given(st.text(), keys, st.text(st.characters(exclude_characters="-_")))
def test_no_openai_key_survives_in_a_text(before: str, key: str, after: str) -> None:
    assert key not in Redactor().text(f"{before} {key} {after}")


@given(st.text(), st.text("0123456789abcdef", min_size=32, max_size=32), st.text())
def test_no_twilio_auth_token_survives_in_a_text(before: str, token: str, after: str) -> None:
    assert token not in Redactor().text(f"{before} {token} {after}")


@given(st.text(), st.text(min_size=6), st.text())
def test_a_known_secret_survives_nowhere(before: str, secret: str, after: str) -> None:
    cleaned = Redactor([secret]).text(before + secret + after)
    assert secret not in cleaned or secret in HIDDEN


@given(
    st.text(min_size=1),
    st.recursive(
        st.one_of(st.integers(10**9, 10**15), phone_digits, written_phones().map(lambda p: p[1])),
        lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.just("part"), inner),
    ),
)
def test_no_phone_number_survives_in_any_field(name: str, value: object) -> None:
    cleaned = Redactor().fields({name: value})
    assert only_digits(json.dumps(list(cleaned.values()), ensure_ascii=False)) == ""


PRIVATE_NAMES = [
    "caller",
    "From",
    "to",
    "digits",
    "pressed_digit",
    "transcript",
    "transcription",
    "heard_text",
    "text",
    "arguments",
    "auth_token",
    "apikey",
    "OPENAI_API_KEY",
    "phone_number",
    "Authorization",
]


@given(st.sampled_from(PRIVATE_NAMES), st.one_of(st.text(), st.integers(), st.lists(st.text())))
def test_a_field_with_a_private_name_is_hidden(name: str, value: object) -> None:
    assert Redactor().fields({name: value}) == {name: HIDDEN}
    assert Redactor().fields({"inside": {name: value}}) == {"inside": {name: HIDDEN}}


@pytest.mark.parametrize(
    "text",
    [
        f"call {CALL_SID} ended",
        "stream MZ" + "1" * 32,
        "resp_a1234567890 of sess_1234567890z",
        "127.0.0.1:54321 answered",
        "at 2026-11-20 12:47:01 and 2026-11-20T12:47:01",
        "id 12345678-1234-1234-1234-123456789012",
        "Python 3.11.7, port 8000, 200 OK",
        "",
    ],
)
def test_what_finds_a_call_again_stays(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Authorization: Bearer abc.d-e", f"Authorization: Bearer {HIDDEN}"),
        ("redis://user:pass@host/0", f"redis://{HIDDEN}@host/0"),
        ("GET /twilio/media/abc?x=1", f"GET /twilio/media/{HIDDEN}?x=1"),
        ("GET /a?token=abc&b=1", f"GET /a?token={HIDDEN}&b=1"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", HIDDEN),
        ("SK" + "a" * 32, HIDDEN),
    ],
)
def test_tokens_in_addresses_and_headers_are_hidden(text: str, cleaned: str) -> None:
    assert Redactor().text(text) == cleaned


class Cause(StrEnum):
    LOST = "lost"


def test_plain_values_stay_as_they_are() -> None:
    fields = {
        "call": CALL_SID,
        "heard_ms": 1_234_567,
        "ratio": 0.5,
        "deliberate": True,
        "reason": None,
        "cause": Cause.LOST,
        "counts": OrderedDict(a=1),
        "audio": b"abc",
        "speed": float("nan"),
    }
    assert Redactor().fields(fields) == {
        **fields,
        "cause": "lost",
        "counts": {"a": 1},
        "audio": "(3 bytes)",
        "speed": "nan",
    }


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_a_value_without_words_and_one_without_end_do_no_harm() -> None:
    endless: list[object] = []
    endless.append(endless)
    cleaned = Redactor().fields({"a": Mute(), "b": endless})
    assert cleaned["a"] == "(Mute whose text fails: RuntimeError)"
    assert HIDDEN in str(cleaned["b"])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("sip:ada.lovelace@pbx.example.com failed", "sip:[hidden]@pbx.example.com failed"),
        ("to <sips:+15550107913@h.example;user=phone>", "to <sips:[hidden]@h.example;user=phone>"),
        ("Client:mary_shelley, then", "Client:[hidden], then"),
        ("a sip of tea; the client: nobody", "a sip of tea; the client: nobody"),
    ],
)
def test_users_of_addresses_are_hidden(text: str, clean: str) -> None:
    assert Redactor().text(text) == clean
