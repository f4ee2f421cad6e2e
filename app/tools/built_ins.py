"""Tools that the call itself carries out. Here is only what the model is told of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NO_ARGUMENTS = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}

BUILT_INS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "hang_up": {
            "type": "function",
            "name": "hang_up",
            "description": (
                "End the phone call. Say goodbye first; the call ends after your last word was "
                "heard. Use it when the caller has said goodbye or wants nothing more."
            ),
            "parameters": _NO_ARGUMENTS,
        },
    }
)
"""By name, each in the shape of OpenAI's `session.tools`."""
