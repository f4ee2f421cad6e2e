"""What an agent is told when a call comes back to it. It travels as a few characters in the token
of the new stream, so that it needs no store."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from app.call.events import Returned
from app.onward.happenings import Status
from app.onward.ways import Way

_SEPARATOR: Final = "|"
_WHY: Final[dict[Status, str]] = {
    "busy": "the line was busy",
    "no_answer": "nobody answered",
    "declined": "the person could not take the call now",
    "failed": "the call could not be put through",
    "refused": "that destination is not allowed",
    "no_choice": "they chose nothing",
    "came_back": "they chose to come back",
    "talked": "they have talked",
}


@dataclass(frozen=True, slots=True)
class News:
    status: Status
    to: str = ""
    """The key of the transfer."""

    def packed(self) -> str:
        return _SEPARATOR.join((self.status, self.to))


def unpacked(text: str) -> News | None:
    """None for what is no news of ours."""
    status, _, to = text.partition(_SEPARATOR)
    known = next((one for one in get_args(Status) if one == status), None)
    return None if known is None else News(known, to)


def told(news: News, transfers: Mapping[str, Way]) -> Returned:
    """For the heart."""
    way = transfers.get(news.to)
    name = (way.name or way.key) if way is not None else ""
    why = _WHY[news.status]
    ok = news.status == "talked"
    result = {"ok": ok, "status": news.status, "to": name, "reason": why}
    return Returned(json.dumps(result, ensure_ascii=False), _say(news, name, why))


def _say(news: News, name: str, why: str) -> str:
    if news.status == "came_back":
        return "The caller chose to come back to you. Go on with what they want. Do not greet them."
    if news.status == "talked":
        whom = f" with {name}" if name else ""
        return (
            f"The caller has talked{whom} and is back with you. Ask in one short sentence what "
            "else you can do for them. Do not greet them again."
        )
    if news.status == "no_choice":
        return (
            "The caller made no choice with the keys and is back with you. Ask in one short "
            "sentence what you can do for them. Do not greet them again."
        )
    what = f"Putting them through to {name}" if name else "Putting them through"
    return (
        f"The caller is back with you. {what} did not work: {why}. Tell them so in one short "
        "sentence, and offer what else you can do. Do not greet them again."
    )
