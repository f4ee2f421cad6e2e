"""Numbers that a spreadsheet or a library kept as numbers, as text again."""

from typing import Final

_LIKE_A_TELEPHONE: Final = 1e6


def text_of_number(value: int | float) -> str:
    """Whole numbers lose their ".0", except where they are so large that they may be telephone
    numbers: those keep it, so that their reader can say what was mended."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LIKE_A_TELEPHONE:
        return str(int(value))
    return repr(value)
