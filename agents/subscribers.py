"""The support line's tools: the state of a customer's line, and tickets.

Lines and tickets live in memory: made up for a provider that there is not. A worked example; a real
support line would ask its network and its ticket system here.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from app.tools import ToolError

State = Literal["up", "down", "slow", "area_fault"]
NUMBER_DIGITS = 6
NO_LINE = (
    "There is no line with this customer number. Read it back digit by digit, and ask for it again "
    "by keypad. It stands at the top of each bill."
)
ADVICE: dict[State, str] = {
    "up": "The line is fine as far as the house. Ask them to restart the router: off for ten "
    "seconds, on, and three minutes of patience. Then ask whether it works.",
    "down": "No signal reaches the house. Offer a ticket; a technician comes within two days.",
    "slow": "The line is slower than it should be. Ask for a restart of the router first, then "
    "offer a ticket.",
    "area_fault": "The whole area is without service and technicians are at work. No ticket is "
    "needed; tell them when it should be over.",
}


@dataclass(frozen=True, slots=True)
class Line:
    street: str
    state: State
    over_by: str = ""
    """When a fault of the area should be over."""


@dataclass(frozen=True, slots=True)
class Ticket:
    customer_number: str
    problem: str
    callback_number: str


lines: dict[str, Line] = {
    "471108": Line("Mill Lane", "down"),
    "471109": Line("Quay Street", "up"),
    "471110": Line("Station Road", "slow"),
    "471111": Line("Harbour Row", "area_fault", "six this evening"),
}
"""By customer number."""
tickets: dict[str, Ticket] = {}
"""By ticket number."""

CustomerNumber = Annotated[str, Field(description="The customer number, six digits")]


def check_line(customer_number: CustomerNumber) -> dict[str, str]:
    """Look up the state of a customer's line. Call it as soon as you have the customer number."""
    line = _line(customer_number)
    open_one = next(
        (n for n, t in tickets.items() if t.customer_number == _bare(customer_number)), ""
    )
    found = {"street": line.street, "state": line.state, "what_to_do": ADVICE[line.state]}
    if line.over_by:
        found["should_be_over_by"] = line.over_by
    if open_one:
        found["open_ticket"] = open_one
    return found


def open_ticket(
    customer_number: CustomerNumber,
    problem: Annotated[str, Field(min_length=1, description="What is wrong, in one sentence")],
    callback_number: Annotated[
        str, Field(description="Where the technician can call, if not the number they call from")
    ] = "",
) -> dict[str, str]:
    """Open a ticket for a technician. Call it only when the caller has agreed to one.

    Then tell the caller the ticket number. A customer has one open ticket at most.
    """
    _line(customer_number)
    number = _bare(customer_number)
    there = next((n for n, ticket in tickets.items() if ticket.customer_number == number), "")
    if there:
        raise ToolError(f"There is an open ticket already: {there}. Tell the caller its number.")
    ticket_number = str(30_001 + len(tickets))
    tickets[ticket_number] = Ticket(number, problem.strip(), callback_number.strip())
    return {"ticket_number": ticket_number, "technician": "calls within one working day"}


def _line(customer_number: str) -> Line:
    number = _bare(customer_number)
    if len(number) != NUMBER_DIGITS:
        raise ToolError(
            f"A customer number has {NUMBER_DIGITS} digits, this one has {len(number)}."
        )
    if number not in lines:
        raise ToolError(NO_LINE)
    return lines[number]


def _bare(number: str) -> str:
    return "".join(letter for letter in number if letter.isascii() and letter.isdigit())
