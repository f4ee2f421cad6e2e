"""What the endpoint answers when a client's event is at fault: an `error` event, no hang-up.

Codes and the wording of the truncation errors are wire facts (OpenAI API errors as the field
reports them); other messages are this lab's own words.
"""


class RequestRefused(Exception):
    """The client's event cannot be carried out; the session goes on unchanged."""

    def __init__(
        self,
        code: str,
        message: str,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.kind = kind

    def payload(self, event_id: str | None = None) -> dict[str, object]:
        """The `error` member of the event; `event_id` is the client event at fault."""
        return {
            "type": self.kind,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": event_id,
        }


def missing_parameter(param: str) -> RequestRefused:
    return RequestRefused(
        "missing_required_parameter", f"'{param}' is required but was not sent.", param
    )


def unknown_parameter(param: str) -> RequestRefused:
    return RequestRefused("unknown_parameter", f"Unknown parameter: '{param}'.", param)


def wrong_type(param: str, expected: str, got: object) -> RequestRefused:
    return RequestRefused(
        "invalid_type",
        f"Invalid type for '{param}': expected {expected}, but got {_named(got)}.",
        param,
    )


def invalid_value(param: str, message: str) -> RequestRefused:
    return RequestRefused("invalid_value", message, param)


def out_of_range(param: str, value: float, bound: float, *, whole: bool) -> RequestRefused:
    below = value < bound
    code = f"{'integer' if whole else 'decimal'}_{'below_min' if below else 'above_max'}_value"
    wanted = f"{'>=' if below else '<='} {bound}"
    return RequestRefused(
        code, f"Invalid '{param}': expected a value {wanted}, but got {value}.", param
    )


def _named(value: object) -> str:
    return _JSON_NAMES.get(type(value), type(value).__name__)


_JSON_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
