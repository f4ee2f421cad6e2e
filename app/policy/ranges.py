"""Ranges that phonenumbers does not know as dangerous, by the digits after the plus.

The choice is our own, from what is known of toll fraud; numbering plans change. What is in no table
is still bound by the country list, the limits, and phonenumbers' own premium ranges.
"""

import re
from functools import lru_cache
from typing import Final

import phonenumbers

SATELLITE: Final = (
    # Inmarsat, today and before 2009.
    *("870", "871", "872", "873", "874"),
    # Iridium, Globalstar and other global satellite networks; international networks, ships,
    # planes, and the premium services that hide among them.
    *("881", "882", "883"),
    "61147",  # Australia: satellite telephones.
    "7954",  # Russia: satellite telephones.
)
PREMIUM: Final = re.compile(
    r"979"  # International premium rate (ITU-T E.169.2).
    r"|1[2-9]\d\d976\d{4}"  # North America: local premium rate behind exchange 976.
    r"|1900"
)
UNASSIGNED: Final = ("888", "991", "999", "210", "384", "422", "878", "969", "978")
"""Country codes for trials, relief work, personal numbers and nobody: nothing a caller needs."""

FRAUD_REGIONS: Final = frozenset(
    {
        # Small numbering plans whose termination fee is high and often shared with who brings the
        # calls (international revenue share fraud): islands of the Atlantic and the Pacific ...
        *("AC", "SH", "FK", "TA", "NR", "TO", "SB", "VU", "FJ", "PW", "WF", "CK", "NU", "WS", "KI"),
        *("NC", "TV", "TK", "FM", "MH", "PG", "TL", "NF", "MV", "KM", "ST", "CV", "GL", "PM"),
        # ... countries that lead published rankings of advertised premium ranges ...
        *("LV", "LT", "LI", "MC", "GG", "JE", "IM"),
        *("CU", "SO", "GN", "GW", "SL", "GM", "LR", "BI", "TD", "CF", "CG", "CD", "DJ", "ER", "ET"),
        *("GA", "GQ", "MG", "MR", "SC", "TG", "TN", "ZW", "AF", "KP", "MM", "TJ", "HT", "GY", "SR"),
        # ... and parts of North America's plan that look like a domestic number and are not
        # ("one ring" fraud).
        *("AG", "AI", "BB", "BM", "BS", "DM", "DO", "GD", "JM", "KN", "KY", "LC", "MS", "SX", "TC"),
        *("TT", "VC", "VG"),
    }
)
FRAUD_RANGES: Final = (
    "37744",  # Monaco: lent to other networks, with fees of their own.
    "37745",
    "67210",  # Antarctica.
    "67211",
)
"""Ranges within ordinary countries."""

EVERYWHERE: Final = frozenset({"112", "911", "999", "000", "08", "988"})
"""What telephones take for an emergency in any country (3GPP TS 22.101), and North America's help
line for those who think of suicide."""
LONGEST_SHORT: Final = 6
"""So many digits or fewer are a short number."""


@lru_cache(maxsize=4096)
def is_emergency(digits: str, regions: tuple[str, ...] | None = None) -> bool:
    """Whether dialling just these digits means help in one of `regions`; by default anywhere."""
    if len(digits) > LONGEST_SHORT:
        return False
    if regions is None:
        regions = tuple(sorted(phonenumbers.SUPPORTED_SHORT_REGIONS))
        if digits in EVERYWHERE:
            return True
    return any(phonenumbers.is_emergency_number(digits, region) for region in regions)


@lru_cache(maxsize=4096)
def is_emergency_abroad(digits: str) -> bool:
    """A country code and an emergency number of that country behind it, as in +49 110."""
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:]
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code or "0"), ())
        if regions and (rest in EVERYWHERE or (rest and is_emergency(rest, tuple(regions)))):
            return True
    return False
