"""What opens a call's stream, and what Twilio brings back with its next request about the call.

Any worker may be asked next, so what it must know travels in the URLs that Twilio is given; Twilio
signs them when it asks. What is written into them and what is read of them stands here together.
"""

from dataclasses import replace
from typing import Final

from app.call.events import Direction
from app.call.facts import CallFacts
from app.carriers.twilio.caller import (
    FACTS_QUERY,
    ON_ANSWER_QUERY,
    VARIABLES_QUERY,
    as_parameters,
    read_facts,
)
from app.carriers.twilio.campaign_calls import read_attempt
from app.carriers.twilio.door import OfferedCall, TwilioDoor
from app.carriers.twilio.intake import Webhook
from app.carriers.twilio.onward import Caller
from app.carriers.twilio.public_url import STATUS_PATH, STREAM_ENDED_PATH, VOICE_PATH
from app.carriers.twilio.tokens import TOKEN_PARAMETER, Grant
from app.carriers.twilio.twiml import StreamPlan
from app.onward.happenings import BackToAgent
from app.onward.news import News

AGAIN: Final = "again"
"""The `<Parameter>` of a stream that is not the first one of its call."""
MOST_RESUMES: Final = 3
"""Streams opened again for one call before it gets the apology: a stream that never comes up must
not go round for ever."""

_AGENT: Final = "agent"
_DIRECTION: Final = "direction"
_DONE: Final = "done"
_RESUMED: Final = "resumed"
_WAITED: Final = "waited"


def offered(door: TwilioDoor, webhook: Webhook) -> OfferedCall:
    """The call that a request is about, with what is known of it since its first one."""
    fields, query = webhook.fields, webhook.query
    said = query.get(_DIRECTION) or fields.get("Direction", "")
    direction: Direction = "outbound" if said.startswith("outbound") else "inbound"
    known = door.seals.open(query.get(FACTS_QUERY, ""), webhook.call_sid)
    return OfferedCall(
        webhook.call_sid,
        query.get(_AGENT) or door.default_agent,
        direction,
        fields.get("From", ""),
        fields.get("To", ""),
        fields,
        known or _first_facts(door, webhook, direction),
    )


def _first_facts(door: TwilioDoor, webhook: Webhook, direction: Direction) -> CallFacts:
    """The voice URL of a call that we placed is asked for when somebody answers."""
    query = webhook.query
    variables, attempt = (
        door.seals.open_variables(query.get(VARIABLES_QUERY, "")),
        read_attempt(query),
    )
    if direction == "inbound":
        return read_facts(webhook.fields, direction, variables, attempt)
    on_answer = door.seals.open_on_answer(query.get(ON_ANSWER_QUERY, ""))
    answered_at_ms = int(door.now_s() * 1_000)
    return read_facts(webhook.fields, direction, variables, attempt, on_answer, answered_at_ms)


def is_first(webhook: Webhook) -> bool:
    """Nothing was written down of this call yet."""
    return FACTS_QUERY not in webhook.query


def read_waited_s(webhook: Webhook) -> int:
    """How long the call has waited for a place."""
    return _whole(webhook.query.get(_WAITED), 0)


def read_resumed(webhook: Webhook) -> int:
    """Streams that were opened again for this call; of a count that makes no sense, the most."""
    return _whole(webhook.query.get(_RESUMED, "0"), MOST_RESUMES)


def read_done(webhook: Webhook) -> str:
    """The run of the plan that was carried out before the stream that has ended; "": none."""
    return webhook.query.get(_DONE, "")


def voice_url(door: TwilioDoor, call: OfferedCall, waited_s: int) -> str:
    """Where a call asks again for a place."""
    return door.checker.public_url.webhook(
        VOICE_PATH, _memory(door, call) | {_WAITED: str(waited_s)}
    )


def ended_url(door: TwilioDoor, call: OfferedCall, resumed: int) -> str:
    """Where a call asks again how it goes on."""
    return door.checker.public_url.webhook(
        STREAM_ENDED_PATH, _memory(door, call) | {_RESUMED: str(resumed)}
    )


def first_plan(door: TwilioDoor, call: OfferedCall) -> StreamPlan:
    """The first stream of a call."""
    return _plan(door, call, resumed=0)


def plan_again(door: TwilioDoor, call: OfferedCall, resumed: int, done: str) -> StreamPlan:
    """... of a call whose stream has ended, and whose caller may be in the middle of something."""
    plan = _plan(door, call, resumed, done)
    return replace(plan, parameters={**plan.parameters, AGAIN: "1"})


def plan_back(door: TwilioDoor, caller: Caller, step: BackToAgent) -> StreamPlan:
    """... of a call that comes back to its agent, with the news of what came of it."""
    journey = step.journey
    news = News(step.status, journey.to).packed()
    grant = Grant(caller.call_sid, journey.agent, journey.direction, news)
    return _stream_plan(door, grant, journey.facts, resumed=0, done=journey.plan)


def _plan(door: TwilioDoor, call: OfferedCall, resumed: int, done: str = "") -> StreamPlan:
    door.expect(call)
    grant = Grant(call.call_sid, call.agent, call.direction)
    return _stream_plan(door, grant, door.seals.seal(call.facts, call.call_sid), resumed, done)


def _stream_plan(
    door: TwilioDoor, grant: Grant, facts: str, resumed: int, done: str = ""
) -> StreamPlan:
    """`facts`: sealed. `done`: the plan that was carried out before this stream."""
    url = door.checker.public_url
    memory = _written(grant.agent, grant.direction, facts)
    if done:
        memory[_DONE] = done
    return StreamPlan(
        door.checker.media_url(),
        url.webhook(STREAM_ENDED_PATH, memory | {_RESUMED: str(resumed)}),
        url.webhook(STATUS_PATH),
        {TOKEN_PARAMETER: door.tokens.issue(grant, door.now_s()), **as_parameters(facts)},
    )


def _memory(door: TwilioDoor, call: OfferedCall) -> dict[str, str]:
    facts = door.seals.seal(call.facts, call.call_sid)
    return _written(call.agent, call.direction, facts)


def _written(agent: str, direction: Direction, facts: str) -> dict[str, str]:
    """What Twilio is to bring back with every later request about the call."""
    return {_AGENT: agent, _DIRECTION: direction, FACTS_QUERY: facts}


def _whole(text: str | None, otherwise: int) -> int:
    """A small whole number, or `otherwise` for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else otherwise
