"""The simplest guess at which words were heard: speech passes evenly through the letters."""


def split_at_word(text: str, heard_bytes: int, received_bytes: int) -> tuple[str, str]:
    """Cut a text where its audio was cut, behind the last word that was begun and finished."""
    if heard_bytes <= 0 or received_bytes <= 0:
        return "", text
    if heard_bytes >= received_bytes:
        return text, ""
    at = len(text) * heard_bytes // received_bytes
    if not text[at : at + 1].isspace():
        at = max(text.rfind(" ", 0, at), 0)
    return text[:at].rstrip(), text[at:].lstrip()
