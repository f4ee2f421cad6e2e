"""Text messages of campaigns, on their way out: in the words of each person, through the policy of
their agent and past the list of those who opted out, to Twilio."""

import logging

from app.agents import AgentError
from app.briefing import Briefing
from app.call.facts import CallFacts
from app.campaigns.dialling.words import Campaign, Contact, OpenText, TextFate
from app.departments import limits_of
from app.gate import Gate
from app.live import Live
from app.live.opt_outs import LiveOptOuts
from app.observe.log import event
from app.persona import Personas
from app.rest_line import RestLine
from app.settings import Settings
from app.text.digests import Digests
from app.text.opt_out_file import OptOutFile
from app.text.opt_outs import KeptOptOuts
from app.text.prompt import parts
from app.text.sending import Messenger, Recipient, Sent
from app.text.turn import sender_of
from app.texting import Outgoing

logger = logging.getLogger(__name__)


class CampaignTexts:
    """One for a process that dials."""

    def __init__(self, settings: Settings, live: Live, rest: RestLine) -> None:
        self._personas = Personas(settings)
        gate = Gate(self._personas, limits_of(settings, live), own_number=settings.from_number)
        outgoing = Outgoing(gate, rest)
        opt_outs = KeptOptOuts(
            OptOutFile(settings.data_dir),
            LiveOptOuts(live.asker, live.outbox),
            Digests(settings.digest_keys),
        )
        self._outgoing = outgoing
        self._messenger = Messenger(outgoing.clear, outgoing.send, opt_outs)

    async def send(self, campaign: Campaign, contact: Contact, text: OpenText) -> TextFate:
        """See `app.campaigns.dialling.words.SendText`. The message comes from where the agent's
        messages come from, else from the number that dialled."""
        name = campaign.plan.agent
        try:
            persona = self._personas.get(name)
        except (AgentError, ValueError) as error:
            kind = type(error).__name__
            event(logger, logging.ERROR, "no such agent for text messages", agent=name, error=kind)
            return "failed"
        sms = persona.agent.sms
        own = sms.messaging_service or sms.from_number or text.from_number
        facts = CallFacts(
            direction="outbound",
            from_number=text.from_number,
            to_number=text.number,
            campaign=contact.variables,
        )
        subject = f"{campaign.campaign_id}:{contact.contact_id}"
        to = Recipient(subject, name, text.number, text.from_number)
        bodies = parts(Briefing(persona, facts).message(text.text))
        return await self._parts(to, own, bodies)

    async def _parts(self, to: Recipient, own: str, bodies: list[str]) -> TextFate:
        """What came of the first: who got that got a message."""
        cleared = await self._outgoing.clear(to, counts=True)
        if cleared is None or not bodies:
            return "refused"
        sender, fates = sender_of(own), list[Sent]()
        for body in bodies:
            fates.append(await self._messenger.deliver_cleared(cleared, to.subject, sender, body))
            if fates[-1] != "sent":
                break
        return fates[0]
