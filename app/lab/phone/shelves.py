"""What an account keeps besides calls: its numbers' addresses, SIP domains, lists, trunks.

Each kind has a shelf. Its paths, parameters and answers are those of the `twilio` package 9.13;
what is refused is what Twilio's API pages call required, unique or out of range. Code 21231 is
that of its page "Domain Validation Error"; the rest is refused with 20001.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from app.lab.phone import shelf_checks
from app.lab.phone.rest_wire import BAD_REQUEST, RestError

BAD_DOMAIN: Final = 21231
Fields: TypeAlias = dict[str, object]
Check: TypeAlias = Callable[[Mapping[str, str]], str]
"""What is wrong with the parameters that came, "" for nothing."""
_NONE: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One kind. `{owner}` in `path` is what the things are part of."""

    path: str
    version: str = "2010"
    """2010: below the account, with .json; v1: the newer APIs."""
    listed: str
    prefix: str
    """Of their SIDs."""
    required: tuple[str, ...] = ()
    unique: str = ""
    """The field that no two of them may share within what they are part of."""
    defaults: Mapping[str, object] = field(default_factory=lambda: _NONE)
    """All fields that they have, with what stands there at first."""
    check: Check = lambda given: ""
    code: int = BAD_REQUEST
    owner: str = ""
    """The path of the shelf that `{owner}` stands on."""
    maps: str = ""
    """The shelf of what this one only puts to use; the parameter is `required[0]`."""
    creates: bool = True
    updates: bool = True


_VOICE: Final[Mapping[str, object]] = {
    "voice_url": None,
    "voice_method": "POST",
    "voice_fallback_url": None,
    "voice_fallback_method": "POST",
}
_TARGET: Final[Mapping[str, object]] = {
    "friendly_name": None,
    "priority": 10,
    "weight": 10,
    "enabled": True,
}
LISTS, ADDRESS_LISTS = "/SIP/CredentialLists", "/SIP/IpAccessControlLists"
DOMAINS, TRUNKS, POLICIES = "/SIP/Domains", "/Trunks", "/ConnectionPolicies"
NUMBERS: Final = "/IncomingPhoneNumbers"
_NAME: Final[Mapping[str, object]] = {"friendly_name": None}


def _mapping(path: str, owner: str, of: str, **more: str) -> Shelf:
    credentials = of == LISTS
    return Shelf(
        path=path,
        listed=more.get("listed", "contents"),
        version=more.get("version", "2010"),
        prefix="CL" if credentials else "AL",
        required=("CredentialListSid" if credentials else "IpAccessControlListSid",),
        unique="sid",
        owner=owner,
        maps=of,
        updates=False,
        code=BAD_DOMAIN if owner == DOMAINS else BAD_REQUEST,
        defaults=_NAME,
    )


SHELVES: Final = (
    Shelf(
        path=NUMBERS,
        listed="incoming_phone_numbers",
        prefix="PN",
        creates=False,
        check=shelf_checks.urls,
        defaults={
            "friendly_name": None,
            "phone_number": None,
            **_VOICE,
            "status_callback": None,
            "status_callback_method": "POST",
            "voice_application_sid": None,
            "trunk_sid": None,
            "sms_url": None,
        },
    ),
    Shelf(
        path=LISTS,
        listed="credential_lists",
        prefix="CL",
        required=("FriendlyName",),
        defaults=_NAME,
    ),
    Shelf(
        path=LISTS + "/{owner}/Credentials",
        listed="credentials",
        prefix="CR",
        required=("Username", "Password"),
        unique="username",
        owner=LISTS,
        check=shelf_checks.password,
        defaults={"username": None},
    ),
    Shelf(
        path=ADDRESS_LISTS,
        listed="ip_access_control_lists",
        prefix="AL",
        required=("FriendlyName",),
        defaults=_NAME,
    ),
    Shelf(
        path=ADDRESS_LISTS + "/{owner}/IpAddresses",
        listed="ip_addresses",
        prefix="IP",
        required=("FriendlyName", "IpAddress"),
        unique="ip_address",
        owner=ADDRESS_LISTS,
        check=shelf_checks.address,
        defaults={"friendly_name": None, "ip_address": None, "cidr_prefix_length": 32},
    ),
    Shelf(
        path=DOMAINS,
        listed="domains",
        prefix="SD",
        required=("DomainName",),
        unique="domain_name",
        check=shelf_checks.domain,
        code=BAD_DOMAIN,
        defaults={
            "domain_name": None,
            "friendly_name": None,
            **_VOICE,
            "voice_status_callback_url": None,
            "voice_status_callback_method": "POST",
            "sip_registration": False,
            "secure": False,
            "byoc_trunk_sid": None,
        },
    ),
    _mapping(DOMAINS + "/{owner}/Auth/Calls/CredentialListMappings", DOMAINS, LISTS),
    _mapping(DOMAINS + "/{owner}/Auth/Calls/IpAccessControlListMappings", DOMAINS, ADDRESS_LISTS),
    _mapping(DOMAINS + "/{owner}/Auth/Registrations/CredentialListMappings", DOMAINS, LISTS),
    Shelf(path=POLICIES, version="v1", listed="connection_policies", prefix="NY", defaults=_NAME),
    Shelf(
        path=POLICIES + "/{owner}/Targets",
        version="v1",
        listed="targets",
        prefix="NE",
        required=("Target",),
        owner=POLICIES,
        check=shelf_checks.target,
        defaults={"target": None, **_TARGET},
    ),
    Shelf(
        path="/ByocTrunks",
        version="v1",
        listed="byoc_trunks",
        prefix="BY",
        check=shelf_checks.urls,
        defaults={
            "friendly_name": None,
            **_VOICE,
            "status_callback_url": None,
            "status_callback_method": "POST",
            "cnam_lookup_enabled": False,
            "connection_policy_sid": None,
            "from_domain_sid": None,
        },
    ),
    Shelf(
        path=TRUNKS,
        version="v1",
        listed="trunks",
        prefix="TK",
        unique="domain_name",
        check=shelf_checks.termination,
        defaults={
            "friendly_name": None,
            "domain_name": None,
            "secure": False,
            "transfer_mode": "disable-all",
        },
    ),
    Shelf(
        path=TRUNKS + "/{owner}/OriginationUrls",
        version="v1",
        listed="origination_urls",
        prefix="OU",
        required=("Weight", "Priority", "Enabled", "FriendlyName", "SipUrl"),
        owner=TRUNKS,
        check=shelf_checks.target,
        defaults={"sip_url": None, **_TARGET},
    ),
    _mapping(
        TRUNKS + "/{owner}/CredentialLists",
        TRUNKS,
        LISTS,
        version="v1",
        listed="credential_lists",
    ),
    _mapping(
        TRUNKS + "/{owner}/IpAccessControlLists",
        TRUNKS,
        ADDRESS_LISTS,
        version="v1",
        listed="ip_access_control_lists",
    ),
)
BY_PATH: Final[Mapping[str, Shelf]] = {shelf.path: shelf for shelf in SHELVES}


def read_fields(shelf: Shelf, form: Mapping[str, str], *, new: bool) -> Fields:
    """The parameters of a request as the fields of a thing. Raises RestError for what Twilio would
    refuse; parameters that it does not know it ignores."""
    missing = [name for name in shelf.required if new and not form.get(name)]
    if missing:
        raise RestError(400, shelf.code, f"Missing required parameter {missing[0]}")
    if problem := shelf.check(form):
        raise RestError(400, shelf.code, problem)
    known = {_camel(name): name for name in shelf.defaults}
    return {
        known[name]: _typed(shelf.defaults[known[name]], value)
        for name, value in form.items()
        if name in known
    }


def kept_urls(kept: Mapping[str, Mapping[str, Fields]], to: str) -> dict[str, str]:
    """Who answers a number or an address of a SIP domain: "voice", "fallback" and "status", as far
    as they are set. What has a trunk or an app first is answered by no URL."""
    domain = to.partition("@")[2].partition(";")[0].lower()
    numbers, domains = kept.get(NUMBERS, {}).values(), kept.get(DOMAINS, {}).values()
    called = [one for one in numbers if one["phone_number"] == to]
    called += [one for one in domains if domain and one["domain_name"] == domain]
    if not called or called[0].get("trunk_sid") or called[0].get("voice_application_sid"):
        return {}
    found = {
        "voice": called[0]["voice_url"],
        "fallback": called[0]["voice_fallback_url"],
        "status": called[0].get("status_callback") or called[0].get("voice_status_callback_url"),
    }
    return {name: str(url) for name, url in found.items() if url}


def _typed(default: object, value: str) -> object:
    if isinstance(default, bool):
        return value.lower() == "true"
    if isinstance(default, int):
        return int(value)
    return value or default


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
