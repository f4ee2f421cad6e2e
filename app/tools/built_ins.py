"""Tools that the call itself carries out. Here is only what the model is told of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from app.call.collect_tool import BOUNDS, COLLECT_TOOL, DEFAULTS, TERMINATORS
from app.tools.care_built_ins import CARE_BUILT_INS

_NO_ARGUMENTS = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _number(key: str, description: str = "") -> dict[str, Any]:
    bounds = BOUNDS[key]
    return {
        "type": "number" if key.endswith("_s") else "integer",
        "minimum": bounds.least,
        "maximum": bounds.most,
        "default": DEFAULTS[key],
        **({"description": description} if description else {}),
    }


_COLLECT = {
    "type": "object",
    "properties": {
        "min_digits": _number("min_digits"),
        "max_digits": _number("max_digits", "the entry ends with so many"),
        "terminator": {
            "type": "string",
            "enum": list(TERMINATORS),
            "default": DEFAULTS["terminator"],
            "description": "key that ends the entry",
        },
        "first_digit_s": _number("first_digit_s"),
        "inter_digit_s": _number("inter_digit_s"),
        "retries": _number("retries"),
        "masked": {
            "type": "boolean",
            "default": DEFAULTS["masked"],
            "description": "for PINs and card numbers: nobody sees the digits, not even you",
        },
    },
    "required": [],
    "additionalProperties": False,
}

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
        COLLECT_TOOL: {
            "type": "function",
            "name": COLLECT_TOOL,
            "description": (
                "Let the caller type a number on the telephone's keypad. Ask for it in the same "
                "answer. The result comes when they are done; do not call it again before."
            ),
            "parameters": _COLLECT,
        },
        **CARE_BUILT_INS,
    }
)
"""By name, each in the shape of OpenAI's `session.tools`."""
