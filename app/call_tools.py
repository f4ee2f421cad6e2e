"""The tools of one call: those of whoever speaks in it, as far as the caller is trusted."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from app.cast import Part
from app.policy.trust import Proof, Trust, check, level
from app.policy.verdicts import Allowed, Refused
from app.tools.current_call import CurrentCall, in_call
from app.tools.tool import Manner, ToolResult, failed

logger = logging.getLogger(__name__)

OnVerdict = Callable[[str, "Allowed | Refused"], None]
"""Told which tool was asked for and what the policy says."""


@dataclass(slots=True)
class Trusted:
    """How far the caller is trusted: by what the carrier says, and by what they proved."""

    sign: Trust = Trust.UNKNOWN
    proofs: frozenset[Proof] = frozenset()

    @property
    def level(self) -> Trust:
        return level(self.sign, proofs=self.proofs)

    def proved(self, proof: Proof) -> None:
        self.proofs |= {proof}


class CallTools:
    """See `app.bridge.once.Plain`. `speaking`: who does now; another agent has other tools."""

    def __init__(
        self,
        speaking: Callable[[], Part],
        call: CurrentCall,
        trusted: Trusted,
        on_verdict: OnVerdict,
    ) -> None:
        self._speaking = speaking
        self._call = call
        self._trusted = trusted
        self._on_verdict = on_verdict

    async def run(self, name: str, arguments_json: str, *, key: str) -> ToolResult:
        part = self._speaking()
        persona = part.persona
        required = persona.trust
        proofs = tuple(dict.fromkeys(persona.proofs.values()))
        if required.get(name, Trust.UNKNOWN) > Trust.UNKNOWN:
            verdict = check(name, self._trusted.level, required, proofs=proofs)
            self._on_verdict(name, verdict)
            if isinstance(verdict, Refused):
                return failed(verdict.reason)
        in_call(replace(self._call, agent=part.chosen_as))
        result = await persona.tools.run(name, arguments_json, key=key)
        proof = persona.proofs.get(name)
        if result.ok and proof is not None:
            self._trusted.proved(proof)
        return result

    def manner(self, name: str) -> Manner:
        return self._speaking().persona.tools.manner(name)

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        return self._speaking().persona.tools.schemas(loaded)
