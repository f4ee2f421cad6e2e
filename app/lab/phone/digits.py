"""Keys that Twilio sends to the person on a leg: <Play digits> and sendDigits."""

import asyncio

from app.lab.phone.call import LiveCall
from telecodecs.dtmf import dtmf_tone

TONE_MS = 200
GAP_MS = 100
HALF_SECOND_MS = 500


async def send_digits(call: LiveCall, digits: str, factor: float = 1.0) -> None:
    """Sounds them on the leg; `w` is half a second's pause, `W` a whole one. `factor`: of all
    times that are waited."""
    for key in digits:
        if key in "wW":
            await asyncio.sleep(HALF_SECOND_MS * (1 if key == "w" else 2) * factor / 1000)
            continue
        call.hears("key", key)
        call.ambience.play(dtmf_tone(key, TONE_MS, GAP_MS))
        await asyncio.sleep((TONE_MS + GAP_MS) * factor / 1000)
