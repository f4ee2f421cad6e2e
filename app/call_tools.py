"""The tools of one call: those of whoever speaks in it, as far as the caller is trusted."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from app.cast import Part
from app.persona import Persona
from app.policy.trust import Proof, Trust, check
from app.policy.verdicts import Allowed, Refused
from app.tools.current_call import CurrentCall, in_call
from app.tools.tool import Manner, ToolResult, failed

logger = logging.getLogger(__name__)

OnVerdict = Callable[[str, "Allowed | Refused"], None]
"""Told which tool was asked for and what the policy says."""
TrustOf = Callable[[Persona], Trust]
"""How far the caller is trusted now, by the rules of an agent."""
OnProof = Callable[[Proof], object]
"""Told how the caller has just proved who they are, where no call keeps it."""


class CallTools:
    """See `app.bridge.once.Plain`. `speaking`: who does now; another agent has other tools, and
    other rules of how far the caller is trusted."""

    def __init__(
        self,
        speaking: Callable[[], Part],
        call: CurrentCall,
        trust_of: TrustOf,
        on_verdict: OnVerdict,
        on_proof: OnProof = lambda proof: None,
    ) -> None:
        self._speaking = speaking
        self._call = call
        self._trust_of = trust_of
        self._on_verdict = on_verdict
        self._on_proof = on_proof

    async def run(self, name: str, arguments_json: str, *, key: str) -> ToolResult:
        part = self._speaking()
        persona = part.persona
        required = persona.trust
        proofs = tuple(dict.fromkeys(persona.proofs.values()))
        if required.get(name, Trust.UNKNOWN) > Trust.UNKNOWN:
            verdict = check(name, self._trust_of(persona), required, proofs=proofs)
            self._on_verdict(name, verdict)
            if isinstance(verdict, Refused):
                return failed(verdict.reason)
        in_call(replace(self._call, agent=part.chosen_as))
        result = await persona.tools.run(name, arguments_json, key=key)
        proof = persona.proofs.get(name) if result.ok else None
        if proof is None:
            return replace(result, proof="")
        self._on_proof(proof)
        return replace(result, proof=proof.value)

    def manner(self, name: str) -> Manner:
        """A tool without words of its own has those of the agent that speaks now."""
        persona = self._speaking().persona
        manner, usual = persona.tools.manner(name), persona.agent.silence.tool_words
        return manner if manner.wait_words or not usual else replace(manner, wait_words=usual)

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        return self._speaking().persona.tools.schemas(loaded)
