"""Answering machine detection: what the directory says, told when Twilio would tell it.

Source: shared notes on Twilio Voice, section 5.1.
"""

import asyncio
from dataclasses import replace

from app.lab.phone.course import TwimlSource
from app.lab.phone.leg import CallPlan, Leg, MachineDetection

GREETING_MS = 4_000
"""How long a machine's greeting lasts, for DetectMessageEnd."""


async def detect(leg: Leg, plan: CallPlan) -> TwimlSource | None:
    """The leg's first TwiML, with the result where that is waited for. Without detection, or with
    a callback of its own for the result, nothing waits."""
    found = plan.detection
    if found is None:
        return plan.first
    if found.callback:
        task = asyncio.ensure_future(_tell(leg, plan, found))
        leg.call.at_end.append(lambda: _drop(task))
        return plan.first
    result = await _result(plan, found)
    if plan.first is None:
        return None
    told = {**plan.first.parameters, **result}
    return replace(plan.first, parameters=told)


async def _tell(leg: Leg, plan: CallPlan, found: MachineDetection) -> None:
    identity = plan.identity
    about = {"CallSid": identity.call_sid, "AccountSid": identity.account_sid}
    if plan.verdicts is None:
        result = await _result(plan, found)
        leg.callbacks.send("amd_status", found.callback, found.method, about | result)
        return
    for at_ms, by in plan.verdicts:
        await asyncio.sleep(max(0, at_ms - leg.call.now_ms) / 1000)
        result = _told(by, at_ms)
        leg.callbacks.send("amd_status", found.callback, found.method, about | result)


async def _result(plan: CallPlan, found: MachineDetection) -> dict[str, str]:
    takes_ms, answered_by = found.takes_ms, plan.answered_by
    if answered_by == "machine":
        answered_by = "machine_end_beep" if found.message_end else "machine_start"
        takes_ms += GREETING_MS if found.message_end else 0
    await asyncio.sleep(takes_ms / 1000)
    return _told(answered_by, takes_ms)


def _told(answered_by: str, took_ms: int) -> dict[str, str]:
    return {"AnsweredBy": answered_by, "MachineDetectionDuration": str(took_ms)}


def _drop(task: "asyncio.Task[None]") -> None:
    task.cancel()
