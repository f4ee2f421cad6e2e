"""The appointment desk's tools: free times, booking, moving, cancelling.

Appointments live in memory: they end with the process. A worked example of several tools that share
what they know; a real desk would ask its calendar here.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from app.tools import ToolError

ZONE = ZoneInfo("Europe/London")
HOURS: dict[str, tuple[time, time]] = {
    "morning": (time(9), time(12)),
    "afternoon": (time(14), time(17)),
}
"""Monday to Friday; the end is the end of the last visit."""
VISIT = timedelta(minutes=30)
MOST_DAYS = 60
"""How far ahead appointments are given."""
SHOWN = 4
"""Free times that are told at once: nobody remembers more on the telephone."""
NO_CODE = "There is no appointment with this code. Ask for the code again, digit by digit."


@dataclass(frozen=True, slots=True)
class Appointment:
    day: date
    at: time
    name: str
    reason: str


appointments: dict[str, Appointment] = {}
"""By confirmation code."""

Day = Annotated[date, Field(description="The day, as YYYY-MM-DD")]
At = Annotated[str, Field(description='When it begins, on the 24-hour clock, such as "14:30"')]
Code = Annotated[str, Field(description="The confirmation code, four digits")]
PartOfDay = Literal["any", "morning", "afternoon"]


def now() -> datetime:
    return datetime.now(ZONE)


def find_free_times(
    day: Day,
    part_of_day: Annotated[PartOfDay, Field(description="If the caller said which")] = "any",
) -> dict[str, object]:
    """Find free times on a day. Offer two of them at a time. With none free, the next day that has
    some is named."""
    free = _free(_open_day(day), part_of_day)
    if free:
        return {"day": _said(day), "free": [f"{at:%H:%M}" for at in free[:SHOWN]]}
    after = (day + timedelta(days=n) for n in range(1, MOST_DAYS))
    there = next((d for d in after if _is_open(d) and _free(d, part_of_day)), None)
    return {"day": _said(day), "free": [], "next_day_with_free_times": there and _said(there)}


def book_appointment(
    day: Day,
    at: At,
    name: Annotated[str, Field(min_length=1, description="First and last name, as confirmed")],
    reason: Annotated[str, Field(description="What it is about, in a few words")] = "",
) -> dict[str, str]:
    """Book an appointment. Call it only when day, time and name were read back and confirmed.

    Then tell the caller the day, the time and the confirmation code.
    """
    if not name.strip():
        raise ToolError("An appointment needs a name. Ask for first and last name.")
    made = Appointment(day, _free_time(day, at), name.strip(), reason.strip())
    code = _new_code()
    appointments[code] = made
    return _told(code, made)


def find_appointment(code: Code) -> dict[str, str]:
    """Look an appointment up by its confirmation code, before it is moved or cancelled."""
    return _told(*_known(code))


def move_appointment(code: Code, day: Day, at: At) -> dict[str, str]:
    """Move an appointment to another free time. Call it only when the new time was confirmed."""
    code, old = _known(code)
    del appointments[code]
    try:
        moved = replace(old, day=day, at=_free_time(day, at))
    except ToolError:
        appointments[code] = old
        raise
    appointments[code] = moved
    return _told(code, moved)


def cancel_appointment(code: Code) -> dict[str, str]:
    """Cancel an appointment. Call it only when the caller has said that they are sure."""
    code, old = _known(code)
    del appointments[code]
    return {**_told(code, old), "status": "cancelled"}


def _open_day(day: date) -> date:
    """Raises ToolError for a day on which there are no appointments."""
    today = now().date()
    if day < today:
        raise ToolError(f"That day is over; today is {_said(today)}. Ask for another day.")
    if day > today + timedelta(days=MOST_DAYS):
        raise ToolError(f"Appointments are given for the next {MOST_DAYS} days only.")
    if not _is_open(day):
        raise ToolError(f"{_said(day)} is at the weekend: closed. Offer a day in the week.")
    return day


def _is_open(day: date) -> bool:
    return day.weekday() < 5


def _free(day: date, part_of_day: PartOfDay) -> list[time]:
    parts = HOURS if part_of_day == "any" else {part_of_day: HOURS[part_of_day]}
    taken = {(made.day, made.at) for made in appointments.values()}
    moment, free = now().replace(tzinfo=None), []
    for first, last in parts.values():
        at = datetime.combine(day, first)
        while at + VISIT <= datetime.combine(day, last):
            if at > moment and (day, at.time()) not in taken:
                free.append(at.time())
            at += VISIT
    return free


def _free_time(day: date, at: str) -> time:
    """Raises ToolError for what is no free time, with some that are."""
    free = _free(_open_day(day), "any")
    try:
        wanted = time.fromisoformat(at.strip().zfill(5))
    except ValueError as error:
        raise ToolError('That is not a time. Give it on the 24-hour clock: "14:30".') from error
    if wanted in free:
        return wanted
    near = sorted(free, key=lambda other: abs(_minutes(other) - _minutes(wanted)))[:2]
    instead = " or ".join(f"{other:%H:%M}" for other in sorted(near)) or "another day"
    raise ToolError(f"{wanted:%H:%M} on {_said(day)} is not free. Offer {instead}.")


def _known(code: str) -> tuple[str, Appointment]:
    digits = "".join(letter for letter in code if letter.isascii() and letter.isdigit())
    if digits not in appointments:
        raise ToolError(NO_CODE)
    return digits, appointments[digits]


def _told(code: str, made: Appointment) -> dict[str, str]:
    at = f"{made.at:%H:%M}"
    return {"confirmation_code": code, "day": _said(made.day), "time": at, "name": made.name}


def _said(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _new_code() -> str:
    """Four digits that are easy to say; never one that is taken."""
    if len(appointments) >= 9_000:
        raise ToolError("The book is full. Ask the caller to ring again tomorrow.")
    while True:
        code = str(1_000 + secrets.randbelow(9_000))
        if code not in appointments:
            return code
