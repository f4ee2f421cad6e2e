"""Who is let in, and when there is no room."""

from typing import Literal

from app.setting_groups.group import SettingGroup
from app.setting_rules import setting


class CallerSettings(SettingGroup):
    """A part of `app.settings.Settings`."""

    max_calls: int = setting(
        50, "EARSHOT_MAX_CALLS", expected="a whole number from 1 to 10000", ge=1, le=10_000
    )
    """Calls at once in one worker process; the next one is refused."""

    max_lag_ms: int = setting(
        200, "EARSHOT_MAX_LAG_MS", expected="whole milliseconds from 20 to 5000", ge=20, le=5000
    )
    """How late the process's clock may tick, in ms, before it takes no new calls."""

    when_full: Literal["apologise", "busy", "queue", "redirect"] = setting(
        "apologise",
        "EARSHOT_WHEN_FULL",
        expected="apologise, busy, queue or redirect",
    )
    """What a caller hears when there is no room: an apology, the busy tone, a wait until there
    is, or what EARSHOT_FULL_REDIRECT_URL says."""

    full_redirect_url: str = setting(
        "",
        "EARSHOT_FULL_REDIRECT_URL",
        expected="the https:// address of TwiML for callers without a place",
        example="https://handler.twilio.com/twiml/EH...",
        pattern=r"^(https?://\S+)?$",
    )
    """Where calls go when there is no room and EARSHOT_WHEN_FULL is redirect."""

    blocked: str = setting(
        "", "EARSHOT_BLOCKED", expected="the path of a file", example="blocked.txt"
    )
    """Callers who are not let in, one number or beginning of numbers (+1900*) a line. Read again
    when it changes. Default: none but those that `earshot block` and agents block."""

    when_blocked: Literal["busy", "message"] = setting(
        "busy", "EARSHOT_WHEN_BLOCKED", expected="busy or message"
    )
    """What such a caller meets: the busy tone, unanswered, or a sentence and the end."""

    anonymous: Literal["allow", "reject"] = setting(
        "allow", "EARSHOT_ANONYMOUS", expected="allow or reject"
    )
    """Whether callers who withhold their number are let in."""

    caller_calls: int = setting(
        0, "EARSHOT_CALLER_CALLS", expected="a whole number from 0 to 1000", ge=0, le=1000
    )
    """So many calls from one number within EARSHOT_CALLER_WINDOW_S are let in, the next ones meet
    the busy tone. 0: no limit."""

    caller_window_s: int = setting(
        600, "EARSHOT_CALLER_WINDOW_S", expected="whole seconds from 10 to 86400", ge=10, le=86_400
    )
    """The time in which they are counted, in seconds."""

    drain_s: float = setting(
        60.0, "EARSHOT_DRAIN_S", expected="seconds from 0 to 3600", ge=0, le=3600
    )
    """How long calls may go on by themselves when the process is told to stop; then they move to
    another worker."""
