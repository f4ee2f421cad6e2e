"""The receptionist's booking tool. Bookings live in memory: they end with the process.

A worked example of a function tool: a plain typed function; the model sees the docstring and the
descriptions, and reads the text of a ToolError.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from app.tools import ToolError

OPENS_MIN = 12 * 60
"""First seating, in minutes after midnight."""
LAST_SEATING_MIN = 21 * 60
"""Last seating, in minutes after midnight."""
LARGEST_PARTY = 8


@dataclass(frozen=True, slots=True)
class Booking:
    party_size: int
    time: str
    name: str


bookings: dict[str, Booking] = {}
"""By confirmation code."""


def book_table(
    party_size: Annotated[int, Field(description="How many people come, 1 to 8")],
    time: Annotated[str, Field(description='When they come today, such as "19:30" or "7:30 pm"')],
    name: Annotated[
        str, Field(description="The name for the booking, if the caller gave one")
    ] = "",
) -> dict[str, str | int]:
    """Book a table for today. Call it once you know the party size and the time.

    Then tell the caller the time, the party size and the confirmation code.
    """
    if party_size < 1:
        raise ToolError("A booking is for at least one person. Ask how many people come.")
    if party_size > LARGEST_PARTY:
        raise ToolError(
            f"Tables seat up to {LARGEST_PARTY} people. Offer to split the party over two tables."
        )
    minutes = _minutes(time)
    if not OPENS_MIN <= minutes <= LAST_SEATING_MIN:
        raise ToolError("Tables are given from noon to 9 pm. Ask for another time.")
    booking = Booking(party_size, f"{minutes // 60:02}:{minutes % 60:02}", name.strip())
    code = _free_code()
    bookings[code] = booking
    return {"confirmation_code": code, "time": booking.time, "party_size": party_size}


def _minutes(time: str) -> int:
    """Minutes after midnight. An hour from 1 to 9 without am or pm is meant as the evening."""
    text = re.sub(r"[.\s]", "", time.lower()).replace("o'clock", "")
    match = re.fullmatch(r"(\d{1,2})(?::?(\d{2}))?(am|pm)?", text)
    if text in ("noon", "midday"):
        return 12 * 60
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        raise ToolError('That is not a time. Give it as "19:30" or "7:30 pm".')
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif half is None and 1 <= hour <= 9 and not text.startswith("0"):
        hour += 12
    return hour * 60 + minute


def _free_code() -> str:
    """Four digits that are easy to say; never one that is taken."""
    free = 9_000 - len(bookings)
    if free <= 0:
        raise ToolError("The booking list is full. Ask the caller to come by without a booking.")
    while True:
        code = str(1_000 + secrets.randbelow(9_000))
        if code not in bookings:
            return code
