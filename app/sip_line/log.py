"""Log lines of the line: static texts with named fields, in the shape that the app's log writes."""

import logging


def event(logger: logging.Logger, level: int, text: str, /, **fields: object) -> None:
    """Log a static text with its values in named fields, never anybody's number or digits.

    This room knows nothing of the app; a handler of the app's own log still finds the fields.
    """
    logger.log(level, text, extra={"fields": fields}, stacklevel=2)
