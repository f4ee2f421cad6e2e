"""The key by which one run of a tool is known wherever it is tried: again, by another worker, or
at the server that does the work."""

import json
import uuid

_OURS = uuid.UUID("5f1d2f1e-6d0c-5c58-9a0c-2a1a7f6f7f0e")


class IdempotencyKey(str):
    """A tool's parameter of this type gets the run's key; the model does not see the parameter."""

    __slots__ = ()


def idempotency_key(call_id: str, run_id: str) -> str:
    """The same for the same call and run, on every worker; tells nothing of either."""
    return str(uuid.uuid5(_OURS, json.dumps([call_id, run_id])))


def same_run_id(name: str, arguments_json: str) -> str:
    """What two calls of a tool with the same arguments have in common, however they are written."""
    return f"same-{uuid.uuid5(_OURS, json.dumps([name, _canonical(arguments_json)])).hex}"


def _canonical(arguments_json: str) -> str:
    try:
        return json.dumps(json.loads(arguments_json.strip() or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments_json
