"""The names of what Earshot keeps in Redis, and how long it lives. `keys.py` says what each is for.

The part of a key in braces decides its slot in a Redis Cluster: all keys of one call share a slot,
and so do those of the fleet and of the breakers, because some are changed together.
"""

from typing import Final

STATE_TTL_S: Final = 3 * 3600
ENDED_TTL_S: Final = 15 * 60
LEASE_TTL_S: Final = 10
PROBE_TTL_S: Final = 15
SEAT_TTL_S: Final = 30
WORKER_TTL_S: Final = 5
ANSWER_TTL_S: Final = 300
AFTER_TTL_S: Final = 24 * 3600
"""A call cannot last longer at Twilio."""
AFTER_CLAIM_TTL_S: Final = 180
AFTER_SAID_TTL_S: Final = 4 * 3600
AFTER_OVER_TTL_S: Final = 3600
PRODUCING_TTL_S: Final = 10
TEXT_LEASE_TTL_S: Final = 10
DIALING_TTL_S: Final = 40 * 86_400
"""Longer than any pause between two calls of one campaign."""
SLOT_TTL_S: Final = 30
SERVED_TTL_S: Final = 65 * 60
"""Longer than any call that is listed so: its vendor ends it after an hour."""

SEEN: Final = "{calls}:seen"
ABOUT: Final = "{calls}:about"
SERVED: Final = "{served}:calls"
AFTER: Final = "{after}:calls"
AFTER_ABOUT: Final = "{after}:about"
WORKERS: Final = "{fleet}:workers"
OFFERED: Final = "{fleet}:offered"
BREAKERS_OPEN: Final = "{breakers}:open"
BREAKERS_CLOSED: Final = "{breakers}:closed"
BREAKERS_FAILURES: Final = "{breakers}:failures"
TEXTS_DUE: Final = "{texts}:due"
DIALING: Final = "{dialing}:account"
DIALING_SLOTS: Final = "{dialing}:slots"
DIALING_CALLS: Final = "{dialing}:calls"
OPT_OUTS: Final = "opt-outs"
COUNTERS: Final = "counters"
CHANNEL: Final = "earshot:calls"
ANSWERED: Final = "earshot:answered"
BLOCKED: Final = "blocked"


def state(call_id: str) -> str:
    return f"{{call:{call_id}}}:state"


def ending(call_id: str) -> str:
    return f"{{call:{call_id}}}:ending"


def owner(call_id: str) -> str:
    return f"{{call:{call_id}}}:owner"


def fence(call_id: str) -> str:
    return f"{{call:{call_id}}}:fence"


def served(call_id: str) -> str:
    return f"{{call:{call_id}}}:served"


def served_by(call_id: str) -> str:
    return f"{{call:{call_id}}}:served-by"


def tool_run(call_id: str, tool_call_id: str) -> str:
    return f"{{call:{call_id}}}:tool:{tool_call_id}"


def outcome(call_id: str, what: str) -> str:
    return f"{{call:{call_id}}}:outcome:{what}"


def after_claim(call_id: str) -> str:
    return f"{{call:{call_id}}}:after"


def after_tries(call_id: str) -> str:
    return f"{{call:{call_id}}}:after-tries"


def after_said(call_id: str) -> str:
    return f"{{call:{call_id}}}:said"


def after_over(call_id: str) -> str:
    return f"{{call:{call_id}}}:over"


def text_state(conversation: str) -> str:
    return f"{{text:{conversation}}}:state"


def text_inbox(conversation: str) -> str:
    return f"{{text:{conversation}}}:inbox"


def text_lease(conversation: str) -> str:
    return f"{{text:{conversation}}}:lease"


def text_call(person: str) -> str:
    return f"{{text:{person}}}:call"


def text_newest(person: str) -> str:
    return f"{{text:{person}}}:newest"


def caller(call_id: str) -> str:
    return f"{{call:{call_id}}}:caller"


def consent(call_id: str) -> str:
    return f"{{call:{call_id}}}:consent"


def recording(call_id: str) -> str:
    return f"{{call:{call_id}}}:recording"


def answered(call_id: str) -> str:
    return f"{{call:{call_id}}}:answered"


def velocity(digest: str) -> str:
    return f"velocity:{digest}"


def dialing_campaign(campaign_id: str) -> str:
    return f"{{dialing}}:campaign:{campaign_id}"


def dialing_slots(campaign_id: str) -> str:
    return f"{{dialing}}:slots:{campaign_id}"


def dialing_number(digest: str) -> str:
    return f"{{dialing}}:number:{digest}"


def worker(worker_id: str) -> str:
    return f"{{fleet}}:worker:{worker_id}"


def probe(model_key: str) -> str:
    return f"{{breakers}}:probe:{model_key}"


def token(token_id: str) -> str:
    return f"token:{token_id}"


def answer(request_key: str) -> str:
    return f"answer:{request_key}"


def limit(digest: str) -> str:
    return f"limit:{digest}"


def slot_tag(key: str) -> str:
    """What a Redis Cluster hashes of a key: what is between its first braces, if anything is."""
    start = key.find("{")
    end = key.find("}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start + 1 else key
