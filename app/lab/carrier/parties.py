"""Who is at a number, and what they do when it rings. All chance comes from a seed and the number,
so it does not matter in which order numbers are called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeAlias, get_args

Does: TypeAlias = Literal[
    "answers",
    "hangs_up",
    "silent",
    "machine",
    "machine_silence",
    "fax",
    "rings_out",
    "busy",
    "rejects",
    "fails",
    "invalid",
    "unreachable",
    "geo",
    "unknown_number",
    "not_supported",
]
"""hangs_up: answers and is gone after a second. silent: answers, and detection finds nothing.
machine: with a beep; machine_silence: without. rejects: SIP 603. fails: rings nowhere. The last
five are refused by REST already."""
DOES: Final[tuple[Does, ...]] = get_args(Does)

REFUSALS: Final[Mapping[Does, tuple[int, str]]] = {
    "invalid": (21211, "The 'To' number is not a valid phone number."),
    "unreachable": (21214, "'To' phone number cannot be reached"),
    "geo": (21215, "Account not authorized to call this number"),
    "unknown_number": (21217, "Phone number does not appear to be valid"),
    "not_supported": (13224, "Twilio does not support calling this number"),
}
"""Twilio's error code and words."""
FINDS: Final[Mapping[Does, str]] = {
    "machine": "machine_end_beep",
    "machine_silence": "machine_end_silence",
    "fax": "fax",
    "silent": "unknown",
}
"""What machine detection says when it waits for the greeting's end; of all others: human."""


@dataclass(frozen=True, slots=True)
class Party:
    """Times are the call's own seconds, however fast they pass."""

    does: Does = "answers"
    ring_s: float = 6.0
    """Until the call is answered, refused or busy."""
    talk_s: float = 30.0
    """From the answer until the called party hangs up."""
    greeting_s: float = 4.0
    """Of a machine."""


People: TypeAlias = Callable[[str, int], Party]
"""(number, calls that it had before) -> who is there this time."""

_BY_DIGIT: Final[tuple[Does, ...]] = (
    *("answers", "answers", "answers", "answers"),
    *("rings_out", "busy", "machine", "fax", "fails"),
)
_NINES: Final[tuple[Does, ...]] = (
    *("rejects", "invalid", "unreachable", "geo", "unknown_number", "not_supported"),
    *("machine_silence", "silent", "hangs_up"),
)


@dataclass(frozen=True, slots=True)
class Digits:
    """The last digit of a number says what it does: 0 to 3 answers, 4 rings_out, 5 busy, 6 machine,
    7 fax, 8 fails. 9: the digit before it says: 0 rejects, 1 invalid, 2 unreachable, 3 geo,
    4 unknown_number, 5 not_supported, 6 machine_silence, 7 silent, 8 hangs_up, and 9 rings out the
    first time and answers from then on."""

    seed: int = 0

    def __call__(self, number: str, before: int) -> Party:
        return timed(self.does(number, before), self.seed, number, before)

    def does(self, number: str, before: int) -> Does:
        digits = [int(letter) for letter in number if letter.isdecimal()]
        last, tens = digits[-1], digits[-2]
        if last < len(_BY_DIGIT):
            return _BY_DIGIT[last]
        if tens < len(_NINES):
            return _NINES[tens]
        return "answers" if before else "rings_out"


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares by what is done; what they lack to 1 answers. What is wrong with a number itself stays
    wrong; the rest is diced anew for each call."""

    shares: Mapping[Does, float]
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.shares.values(), default=0) < 0 or sum(self.shares.values()) > 1 + 1e-9:
            raise ValueError("expected shares of 0 or more that are 1 together at most")

    def __call__(self, number: str, before: int) -> Party:
        does = self._diced(f"{self.seed}:{number}")
        if does not in REFUSALS:
            does = self._diced(f"{self.seed}:{number}:{before}")
            if does in REFUSALS:
                does = "answers"
        return timed(does, self.seed, number, before)

    def _diced(self, seed: str) -> Does:
        left = Random(seed).random()
        for does, share in self.shares.items():
            left -= share
            if left < 0:
                return does
        return "answers"


def timed(does: Does, seed: int, number: str, before: int) -> Party:
    """With times as they are between people."""
    dice = Random(f"{seed}:{number}:{before}:times")
    talk_s = 1.0 if does == "hangs_up" else dice.uniform(8, 90)
    return Party(does, dice.uniform(2, 18), talk_s, dice.uniform(2, 9))
