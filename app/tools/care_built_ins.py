"""What the model is told of the tools that care for callers; `app.care.tools` carries them out."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

CARE_BUILT_INS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "recording_consent": {
            "type": "function",
            "name": "recording_consent",
            "description": (
                "Say whether the caller agrees that the call is recorded. Ask them first, and call "
                "it once they have answered; also when they want the recording to end later."
            ),
            "parameters": {
                "type": "object",
                "properties": {
                    "granted": {
                        "type": "boolean",
                        "description": "true only if the caller clearly said yes",
                    }
                },
                "required": ["granted"],
                "additionalProperties": False,
            },
        },
        "report_abuse": {
            "type": "function",
            "name": "report_abuse",
            "description": (
                "Report a caller who insults or threatens you or misuses the line on purpose. Not "
                "for callers who are only upset. The result says whether to warn them, or that the "
                "call ends."
            ),
            "parameters": {
                "type": "object",
                "properties": {"reason": {"type": "string", "description": "in a few words"}},
                "required": ["reason"],
                "additionalProperties": False,
            },
        },
    }
)
"""By name, each in the shape of OpenAI's `session.tools`."""
