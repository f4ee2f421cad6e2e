"""Keys that an agent presses are heard at the other end, each once and in order, also after a
wait."""

import pytest

from app.bridge.key_sound import WAIT_MS, key_sound
from telecodecs import DtmfDetector

KEYS = "0123456789*#ABCD"


def heard(ulaw: bytes) -> str:
    return "".join(press.key for press in DtmfDetector().push(ulaw))


@pytest.mark.parametrize("keys", [KEYS, "11", "1w2", "w1", "1wwww2w", "w", ""])
def test_every_key_is_heard(keys: str) -> None:
    assert heard(key_sound(keys)) == keys.replace("w", "")


def test_a_wait_takes_half_a_second() -> None:
    assert len(key_sound("1ww2")) - len(key_sound("12")) == 2 * WAIT_MS * 8


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        key_sound("1x")
