"""Who answered the call that we placed, and what is done about a machine.

    not asked --outbound--> watching
    watching --human, or a machine to talk to--> person
    watching --fax, or a machine to hang up on--> over
    watching --machine--> listening --beep, silence, the carrier's word--> asked
    watching --a machine whose greeting is over--> asked
    asked --at hand--> leaving --heard to its end--> left
    listening (no end of its greeting), asked (not at hand) --> over
    leaving --a beep: only now it records--> asked
    listening, asked, leaving --a voice--> picked up --a beep--> asked
    listening, asked, leaving --a key, the carrier's word--> person

While it is watched the call goes on as with a person: nobody waits for a verdict. From a machine's
verdict on the agent is silent and nothing is asked of a model. The message is a phrase in the
agent's voice, whole from the beep on; after its last mark the call ends. Whoever speaks up or
presses a key once it has begun is a person: the call goes on as a conversation, in which notices
are said again, since nobody can know who heard them.

Three witnesses tell that a greeting is over: the carrier, our own ears (a beep), and silence. The
first one counts. A message that was not begun on a beep of our own ears is begun again when they
hear one: what was said before was not recorded. "Picked up" can be a mistake (a greeting that went
on after a pause), and a beep shows it.
"""

from enum import StrEnum


class AnswerState(StrEnum):
    NOT_ASKED = "not asked"
    WATCHING = "watching"
    PERSON = "person"
    LISTENING = "listening"
    ASKED = "asked"
    LEAVING = "leaving"
    LEFT = "left"
    PICKED_UP = "picked up"
    OVER = "over"


_S = AnswerState
TRANSITIONS: dict[tuple[AnswerState, str], AnswerState] = {
    (_S.NOT_ASKED, "outbound"): _S.WATCHING,
    (_S.WATCHING, "surely a person"): _S.PERSON,
    (_S.WATCHING, "talk to it"): _S.PERSON,
    (_S.WATCHING, "machine"): _S.LISTENING,
    (_S.WATCHING, "its greeting is over"): _S.ASKED,
    (_S.WATCHING, "hang up"): _S.OVER,
    (_S.LISTENING, "its greeting is over"): _S.ASKED,
    (_S.LISTENING, "hang up"): _S.OVER,
    (_S.LISTENING, "a voice"): _S.PICKED_UP,
    (_S.LISTENING, "surely a person"): _S.PERSON,
    (_S.ASKED, "at hand"): _S.LEAVING,
    (_S.ASKED, "hang up"): _S.OVER,
    (_S.ASKED, "a voice"): _S.PICKED_UP,
    (_S.ASKED, "surely a person"): _S.PERSON,
    (_S.LEAVING, "its greeting is over"): _S.ASKED,
    (_S.LEAVING, "heard"): _S.LEFT,
    (_S.LEAVING, "a voice"): _S.PICKED_UP,
    (_S.LEAVING, "surely a person"): _S.PERSON,
    (_S.PICKED_UP, "its greeting is over"): _S.ASKED,
}

WITH_A_MACHINE = frozenset({_S.LISTENING, _S.ASKED, _S.LEAVING, _S.LEFT, _S.OVER})
_PASSAGE = frozenset({_S.ASKED, _S.LEAVING})
_LISTENS = frozenset({_S.WATCHING, _S.LISTENING, _S.ASKED, _S.LEAVING, _S.PICKED_UP})
_AT_WORK = frozenset({_S.LISTENING, _S.ASKED, _S.LEAVING})


class AnswerMachine:
    """One per call. It decides nothing: answer_side.py does."""

    __slots__ = ("message_id", "state")

    def __init__(self) -> None:
        self.state = AnswerState.NOT_ASKED
        self.message_id = ""
        """The item of the message that is being left."""

    @property
    def with_machine(self) -> bool:
        """Nothing but the message is said, and no model is needed."""
        return self.state in WITH_A_MACHINE

    @property
    def passage(self) -> bool:
        """The message is said, or about to be: no sound of the other side cuts it by itself."""
        return self.state in _PASSAGE

    @property
    def listens(self) -> bool:
        """A beep would mean something."""
        return self.state in _LISTENS

    @property
    def at_work(self) -> bool:
        """Voices, keys and time mean something."""
        return self.state in _AT_WORK

    def played(self, item_id: str) -> None:
        """This item was heard to its end."""
        if item_id == self.message_id and self.state is AnswerState.LEAVING:
            self.move("heard")

    def move(self, happening: str) -> None:
        self.state = TRANSITIONS[self.state, happening]
