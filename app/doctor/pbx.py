"""Does the operator's PBX take our orders?"""

from typing import Final

from app.carriers.asterisk.ari import Ari, AriError, Trouble
from app.doctor.report import Check
from app.settings import Settings

GROUP: Final = "Your own PBX"
NAME: Final = "Placing calls"
_MEND: Final = {
    Trouble.AWAY: "Is Asterisk up, and its HTTP server on (http.conf)? May this machine reach it?",
    Trouble.LOGIN: "Compare EARSHOT_ARI_USER and EARSHOT_ARI_PASSWORD with ari.conf, reload it.",
    Trouble.NOT_THERE: "Check EARSHOT_ARI_URL (without /ari), and `enabled = yes` in ari.conf.",
}


async def check_ari(settings: Settings, *, timeout_s: float) -> list[Check]:
    """Nothing where no PBX is to place calls."""
    given = (settings.ari_url, settings.ari_user, settings.ari_password.get_secret_value())
    if not any(given) and settings.calls_out != "pbx":
        return []
    if not all(given):
        mend = "Set EARSHOT_ARI_URL, EARSHOT_ARI_USER and EARSHOT_ARI_PASSWORD, all three."
        return [Check(GROUP, NAME, "fail", "half of its login is not set", mend)]
    if not settings.takes_pbx_calls:
        mend = "Set EARSHOT_PBX_USER and EARSHOT_PBX_PASSWORD: by them its calls come to the bot."
        return [Check(GROUP, NAME, "fail", "it could not bring the calls that it places", mend)]
    try:
        await Ari(*given, timeout_s=timeout_s).ping()
    except AriError as error:
        mend = _MEND.get(error.trouble, "Asterisk's own log says more.")
        return [Check(GROUP, NAME, "fail", error.why, mend)]
    if settings.places_by == "twilio":
        return [Check(GROUP, NAME, "ok", "login accepted; Twilio places the calls, though")]
    return [Check(GROUP, NAME, "ok", f"login accepted at {settings.ari_url}")]
