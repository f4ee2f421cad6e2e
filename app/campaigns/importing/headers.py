"""What a column is by its header, in the words that exports of address books use."""

import re
import unicodedata
from typing import Final, Literal, TypeAlias

Meaning: TypeAlias = Literal["phone", "timezone", "consent_date", "consent_source", "callback"]
MEANINGS: Final[tuple[Meaning, ...]] = (
    "phone",
    "timezone",
    "consent_date",
    "consent_source",
    "callback",
)

_WHERE: Final = "home|work|business|office|mobile|cell|private|primary|main|other|direct|" + (
    "privat|geschaeftlich|dienstlich|mobil|festnetz|domicile|bureau|casa|trabajo|movil|lavoro"
)
_PHONE: Final = (
    "phone|telephone|tel|mobile|cell|cellphone|cell_phone|mobile_phone|msisdn|e164|telefon|handy|"
    "mobil|mobiltelefon|telefono|telefoon|movil|celular|cellulare|portable|gsm"
)
_NUMBER: Final = "number|no|nr|num|nummer|numero"
_STRONG: Final = re.compile(
    rf"(?:(?:{_WHERE})_)?(?:{_PHONE})(?:_(?:{_NUMBER}))?(?:_(?:{_WHERE}))?(?:_?\d{{1,2}})?"
    rf"|(?:{_PHONE})_?\d{{1,2}}_(?:value|{_NUMBER})"
    r"|(?:phonenumber|mobilenumber|telefonnummer|telefonnr|rufnummer|handynummer|mobilnummer"
    r"|mobilfunknummer|telefoonnummer|numero_de_(?:telephone|telefono)|numero_di_telefono"
    r"|contact_number)(?:_?\d{1,2})?"
)
_WEAK: Final = re.compile(rf"(?:{_NUMBER})(?:_?\d{{1,2}})?")
"""May as well be a house's or an order's: a number only where nothing says so more clearly."""
_CONSENT_DATE: Final = (
    *("consent_date", "consent_at", "consent_given", "consent_given_at", "consented_at"),
    *("opt_in_date", "optin_date", "opt_in_at", "einwilligung_am", "einwilligungsdatum"),
)
_OTHERS: Final[dict[str, Meaning]] = {
    **dict.fromkeys(
        ("timezone", "time_zone", "tz", "zone", "zeitzone", "iana_timezone"), "timezone"
    ),
    **dict.fromkeys(_CONSENT_DATE, "consent_date"),
    **dict.fromkeys(
        ("consent_source", "opt_in_source", "optin_source", "einwilligung_quelle"),
        "consent_source",
    ),
    **dict.fromkeys(
        ("callback", "callback_at", "callback_time", "call_back_at", "call_at", "rueckruf_am"),
        "callback",
    ),
}
_SPELT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def plain(header: str) -> str:
    """In small letters, digits and single underscores: "Tel. (privat)" is tel_privat."""
    small = unicodedata.normalize("NFC", header).lower().translate(_SPELT)
    letters = unicodedata.normalize("NFKD", small)
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", kept).strip("_")


def meaning_of(header: str) -> Meaning | Literal["number", "variable"]:
    """`number`: perhaps a telephone number."""
    name = plain(header)
    if _STRONG.fullmatch(name):
        return "phone"
    return _OTHERS.get(name) or ("number" if _WEAK.fullmatch(name) else "variable")
