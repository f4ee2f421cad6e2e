"""What phonenumbers does not say of North American numbers: area codes with more than one clock,
and the state behind a name.

phonenumbers places an exchange that it does not know in the zone of most of its state: Kokomo's
zone for all of Indiana, Nashville's for Chattanooga. So an area code that two zones share, or that
is placed wrongly (219, 423, 689), stands here with all its zones: North American Numbering Plan,
49 CFR 71 (limits of US zones), as of 2026. They are few, and cost their people an hour of dialling.
"""

from collections.abc import Mapping
from typing import Final

_EAST, _CENTRAL, _MOUNTAIN, _PACIFIC = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
)  # fmt: skip
_SHARED: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    # Florida's panhandle, Indiana's corners, Kentucky, the north of Michigan, eastern Tennessee.
    (("448", "850", "219", "574", "812", "930", "270", "364", "606"), (_EAST, _CENTRAL)),
    (("906", "423"), (_EAST, _CENTRAL)),
    (("689",), (_EAST,)),
    # The Dakotas, Nebraska, Kansas, the west of Texas.
    (("605", "701", "308", "620", "785", "432"), (_CENTRAL, _MOUNTAIN)),
    (("915",), (_MOUNTAIN,)),
    # Idaho, Oregon's Malheur County, Nevada's West Wendover.
    (("208", "986", "458", "541", "775"), (_MOUNTAIN, _PACIFIC)),
    # The Navajo Nation keeps daylight saving time, the rest of Arizona does not.
    (("928",), ("America/Phoenix", _MOUNTAIN)),
    (("907",), ("America/Anchorage", "America/Adak")),
    (("709", "879"), ("America/St_Johns", "America/Halifax")),
    (("367", "418", "581"), ("America/Toronto", "America/Halifax", "America/Blanc-Sablon")),
    (("807",), ("America/Toronto", "America/Winnipeg", "America/Atikokan")),
    (("306", "474", "639"), ("America/Regina", "America/Edmonton")),
    (
        ("236", "250", "257", "604", "672", "778"),
        ("America/Vancouver", "America/Edmonton", "America/Creston", "America/Dawson_Creek"),
    ),
    (
        ("867",),
        (
            "America/Whitehorse", "America/Edmonton", "America/Cambridge_Bay",
            "America/Rankin_Inlet", "America/Resolute", "America/Atikokan", "America/Iqaluit",
        ),
    ),
)  # fmt: skip
AREA_CODE_ZONES: Final[Mapping[str, tuple[str, ...]]] = {
    code: zones for codes, zones in _SHARED for code in codes
}

_US = (
    "AL Alabama;AK Alaska;AZ Arizona;AR Arkansas;CA California;CO Colorado;CT Connecticut;"
    "DE Delaware;FL Florida;GA Georgia;HI Hawaii;ID Idaho;IL Illinois;IN Indiana;IA Iowa;KS Kansas;"
    "KY Kentucky;LA Louisiana;ME Maine;MD Maryland;MA Massachusetts;MI Michigan;MN Minnesota;"
    "MS Mississippi;MO Missouri;MT Montana;NE Nebraska;NV Nevada;NH New Hampshire;NJ New Jersey;"
    "NM New Mexico;NY New York;NC North Carolina;ND North Dakota;OH Ohio;OK Oklahoma;OR Oregon;"
    "PA Pennsylvania;RI Rhode Island;SC South Carolina;SD South Dakota;TN Tennessee;TX Texas;"
    "UT Utah;VT Vermont;VA Virginia;WA Washington State;DC Washington D.C.;WV West Virginia;"
    "WI Wisconsin;WY Wyoming"
)
_CA = (
    "AB Alberta;BC British Columbia;MB Manitoba;NB New Brunswick;NL Newfoundland and Labrador;"
    "ON Ontario;QC Quebec;SK Saskatchewan"
)


def _codes(text: str) -> Mapping[str, str]:
    pairs = [entry.split(" ", 1) for entry in text.split(";")]
    return {name: code for code, name in pairs} | {code: code for code, _ in pairs}


_STATES: Final = {"US": _codes(_US), "CA": _codes(_CA)}


def state_of(region: str, description: str) -> str:
    """Two letters of a state or province out of phonenumbers' English description of a number, such
    as "Miami, FL" or "Florida"; "": it names none, or this country's are not known."""
    states = _STATES.get(region, {})
    last = description.rsplit(", ", 1)[-1]
    return states.get(description) or states.get(last, "")


def is_state(region: str, code: str) -> bool:
    """Whether a country's states are known here, and this is one of them."""
    return code in _STATES.get(region, {}).values()


def states_known(region: str) -> bool:
    return region in _STATES
