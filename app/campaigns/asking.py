"""Why somebody is not dialled: what stands in the way now, and what stood there last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.campaigns.judging import Judging, MayDial
from app.campaigns.people import Contact, Dial, by_number, dials_of
from app.campaigns.states import CampaignState
from app.campaigns.store import Campaign, find
from app.policy.dialing.words import Answer
from app.records.database import Database


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WhyNot:
    """`answer`: the policy's at `at_ms`, as if the contact were due. What the policy said last,
    before a dial that was not made, stands in the contact."""

    at_ms: int
    campaign: Campaign
    contact: Contact
    dials: Sequence[Dial]
    answer: Answer

    @property
    def besides(self) -> Sequence[str]:
        """What stands in the way before the policy is asked, in sentences without numbers."""
        return list(_besides(self))


async def why_not_dialled(
    database: Database, campaign_id: str, number: str, may_dial: MayDial, now_ms: int
) -> WhyNot:
    """Raises `NoCampaignError` and `NoContactError`."""
    campaign = await find(database, campaign_id)
    async with database.reading() as connection:
        contact = await by_number(connection, campaign_id, number)
        dials = await dials_of(connection, [contact.contact_id])
        answer = await Judging(campaign.plan, may_dial).one(connection, contact, now_ms)
    return WhyNot(
        at_ms=now_ms,
        campaign=campaign,
        contact=contact,
        dials=dials.get(contact.contact_id, ()),
        answer=answer,
    )


def _besides(why: WhyNot) -> Iterator[str]:
    campaign, contact = why.campaign, why.contact
    match contact.state:
        case "done":
            yield f"The sequence is over: the last dial came to {contact.outcome or 'nothing'}."
        case "never" if contact.why_rule:
            yield f"The contact was given up by the rule {contact.why_rule}: {contact.why}."
        case "never":
            yield f"The contact was given up: the last dial came to {contact.outcome or 'nothing'}."
        case "held":
            yield "It is being dialled at this moment, or its worker died a moment ago."
        case _ if contact.due_at_ms > why.at_ms and contact.attempts:
            yield "The sequence has put the next dial off."
        case _ if contact.due_at_ms > why.at_ms:
            yield "The contact is not due yet."
    if campaign.state is not CampaignState.RUNNING:
        yield f"The campaign is {campaign.state}: nothing is dialled."
