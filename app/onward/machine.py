"""What comes next for a call that no model carries: `after(ways, journey, happening) -> step`.

    start --wanted, fell--> transfer | refer | held | menu | voicemail
    transfer, refer, held --nobody took it--> what `otherwise` says, else the agent; a call that
                                              fell goes to the next rung instead
    transfer, held --talked--> over, or the agent where the transfer says so
    menu --chose--> any of them; nothing, again and again--> the next rung
    voicemail --recorded--> over

Rules:
1. A call that left by the agent's tool comes back to the agent with what became of it; one that
   fell goes down the ladder, and comes back to a model only if the caller chooses so at the menu.
2. Nobody is left in silence: every step says or rings something, or ends the call.
3. A refused destination is treated like one where nobody answers, and the agent is told the reason.
4. After MOST_STEPS the call is ended with an apology.
"""

from dataclasses import replace
from typing import Final

from app.onward.choosing import chosen, offered
from app.onward.happenings import (
    Apologise,
    AskMenu,
    BackToAgent,
    Chose,
    Dialled,
    Fell,
    HangUp,
    Happening,
    NotAllowed,
    NotPlaced,
    PutThrough,
    Recorded,
    Referred,
    Say,
    Status,
    Step,
    TakeMessage,
    Text,
    Wanted,
)
from app.onward.journey import MOST_STEPS, Journey, Stop
from app.onward.ways import BACK, VOICEMAIL, MenuOption, Rung, Ways

LEAST_MESSAGE_S: Final = 1
"""A shorter recording holds no message."""
GOODBYE: Final = "Thank you for calling. Goodbye."
NOT_UNDERSTOOD: Final = "I did not get that."
NO_MESSAGE: Final = "I did not hear a message. Goodbye."
TEXT_SENT: Final = "We have sent you a text message. You can answer it. Goodbye."
_STOPS: Final[dict[str, Stop]] = {
    "cold": Stop.TRANSFER,
    "warm": Stop.HELD,
    "refer": Stop.REFER,
}


def after(ways: Ways, journey: Journey, happening: Happening) -> Step:
    """The next step. Never raises for what a caller or a carrier did."""
    match happening:
        case _ if journey.steps >= MOST_STEPS:
            return Apologise(journey.at(Stop.OVER))
        case Wanted():
            return _wanted(ways, journey, happening)
        case Fell():
            return _down(ways, replace(journey, fell=True), ways.sorry)
        case Chose():
            return _chose(ways, journey, happening)
        case Recorded():
            return _recorded(ways, journey, happening)
        case _:
            return _after_person(ways, journey, happening)


def _after_person(
    ways: Ways, journey: Journey, happening: NotAllowed | NotPlaced | Dialled | Referred | Say
) -> Step:
    match happening:
        case Say():
            return HangUp(journey.at(Stop.OVER), happening.words)
        case NotAllowed():
            return _nobody(ways, journey, "refused", happening.words)
        case NotPlaced():
            return _nobody(ways, journey, "failed", happening.words)
        case Dialled(end="talked") | Referred(accepted=True):
            over = journey.at(Stop.OVER)
            return BackToAgent(over, "talked") if _comes_back(ways, journey) else HangUp(over)
        case Dialled():
            return _nobody(ways, journey, happening.end)
        case Referred():
            return _nobody(ways, journey, "failed")


def _comes_back(ways: Ways, journey: Journey) -> bool:
    way = ways.transfers.get(journey.to)
    return way is not None and way.then == "back" and not journey.fell


def _wanted(ways: Ways, journey: Journey, wanted: Wanted) -> Step:
    if wanted.what == "transfer":
        return _put_through(ways, journey, wanted.to, wanted.words)
    if wanted.what == "voicemail" and ways.voicemail is not None:
        return _take_message(ways, journey, wanted.words)
    if wanted.what == "menu" and offered(ways):
        return _menu(ways, journey, f"{wanted.words} {ways.menu.words}".strip())
    return _nobody(ways, journey, "failed")


def _put_through(ways: Ways, journey: Journey, key: str, words: str = "") -> Step:
    way = ways.transfers.get(key)
    if way is None:
        return _nobody(ways, journey, "failed")
    return PutThrough(journey.at(_STOPS[way.how], to=key), way, words)


def _nobody(ways: Ways, journey: Journey, status: Status, words: str = "") -> Step:
    """Nobody took the call. `words`: what the caller should have heard by now."""
    way = ways.transfers.get(journey.to)
    otherwise = way.otherwise if way is not None else BACK
    if otherwise == VOICEMAIL and ways.voicemail is not None:
        return _take_message(ways, journey, words)
    if otherwise not in (BACK, VOICEMAIL) and otherwise in ways.transfers:
        return _put_through(ways, journey, otherwise, words)
    if journey.fell:
        return _down(ways, journey, words)
    return BackToAgent(journey.at(Stop.OVER), status)


def _down(ways: Ways, journey: Journey, words: str = "") -> Step:
    """The next rung of the ladder that there is."""
    for number in range(journey.rung, len(ways.rungs)):
        there = replace(journey, rung=number + 1)
        step = _rung(ways, there, ways.rungs[number], words)
        if step is not None:
            return step
    return Apologise(journey.at(Stop.OVER))


def _rung(ways: Ways, journey: Journey, rung: Rung, words: str) -> Step | None:
    match rung:
        case "menu" if offered(ways):
            return _menu(ways, journey, f"{words} {ways.menu.words}".strip())
        case "person" if ways.person in ways.transfers:
            return _put_through(ways, journey, ways.person, words)
        case "voicemail" if ways.voicemail is not None:
            return _take_message(ways, journey, words)
        case "sms" if ways.text:
            return Text(journey.at(Stop.OVER), ways.text, f"{words} {TEXT_SENT}".strip())
        case _:
            return None


def _menu(ways: Ways, journey: Journey, words: str, tries: int = 0) -> AskMenu:
    at = journey.at(Stop.MENU, tries=tries, to="")
    return AskMenu(at, offered(ways), ways.menu.wait_s, words)


def _chose(ways: Ways, journey: Journey, chose: Chose) -> Step:
    option = chosen(offered(ways), chose.key, chose.words)
    if option is not None:
        return _does(ways, journey, option)
    if journey.tries + 1 < ways.menu.tries:
        said = NOT_UNDERSTOOD if chose.key or chose.words else ""
        return _menu(ways, journey, said, journey.tries + 1)
    if journey.fell:
        return _down(ways, journey)
    return BackToAgent(journey.at(Stop.OVER), "no_choice")


def _does(ways: Ways, journey: Journey, option: MenuOption) -> Step:
    match option.does:
        case "transfer":
            return _put_through(ways, journey, option.value)
        case "say":
            return _menu(ways, journey, option.value)
        case "voicemail":
            return _take_message(ways, journey)
        case "sms":
            return _text(ways, journey)
        case "agent":
            return BackToAgent(journey.at(Stop.OVER, fell=False), "came_back")
        case "hang_up":
            return HangUp(journey.at(Stop.OVER), GOODBYE)


def _text(ways: Ways, journey: Journey) -> Step:
    """Chosen at the menu; the operator's own choices may name it where there is none."""
    if not ways.text:
        return _nobody(ways, journey, "failed")
    return Text(journey.at(Stop.OVER), ways.text, TEXT_SENT)


def _take_message(ways: Ways, journey: Journey, words: str = "") -> Step:
    if ways.voicemail is None:
        return Apologise(journey.at(Stop.OVER))
    said = f"{words} {ways.voicemail.words}".strip()
    return TakeMessage(journey.at(Stop.VOICEMAIL), ways.voicemail.max_s, said)


def _recorded(ways: Ways, journey: Journey, recorded: Recorded) -> Step:
    if recorded.duration_s >= LEAST_MESSAGE_S and ways.voicemail is not None:
        return HangUp(journey.at(Stop.OVER), ways.voicemail.thanks)
    if journey.fell and journey.rung < len(ways.rungs):
        return _down(ways, journey)
    return HangUp(journey.at(Stop.OVER), NO_MESSAGE)
