"""What one dial does about an answering machine, from what the operator says of all of them."""

from app.call.events import OnAnswer
from app.campaigns.plan import Machines


def on_answer(machines: Machines, ordinal: int) -> OnAnswer | None:
    """Of the dial number `ordinal` of a contact, from 1. None: nobody asks who answers.

    The message keeps its `{{NAME}}`; they are filled in when the call is answered.
    """
    if not machines.detect:
        return None
    if machines.on_machine != "message":
        return OnAnswer(machines.on_machine)
    if not machines.message or ordinal < machines.message_from_attempt:
        return OnAnswer("hang_up")
    return OnAnswer("message", machines.message)
