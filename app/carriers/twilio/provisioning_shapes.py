"""Where Twilio keeps numbers, SIP domains, lists and trunks, and what it calls their parts.

Source: resource paths and parameters of the `twilio` package 9.13 (`rest/api/v2010/account/sip`,
`incoming_phone_number`, `rest/trunking/v1`, `rest/voice/v1`).
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from app.provisioning.resources import Kind

Host: TypeAlias = Literal["api", "trunking", "voice"]


def _friendly_name(said: Mapping[str, Any]) -> str:
    return str(said.get("friendly_name") or "")


def _named(field: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda said: str(said.get(field) or "")


def _network(said: Mapping[str, Any]) -> str:
    text = f"{said.get('ip_address')}/{said.get('cidr_prefix_length') or 32}"
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of thing."""

    host: Host = "api"
    path: str
    """Of all of them, below the account or the version; `{owner}` is the SID of what they are
    part of."""
    listed: str
    """Under which name a page lists them."""
    name: Callable[[Mapping[str, Any]], str] = _friendly_name
    """Of what is there."""
    name_field: str = "friendly_name"
    """Which parameter gives a new one its name; "": another says it."""
    owner: Kind | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters whose names are not those of their fields in capitals."""


SHAPES: Final[Mapping[Kind, Shape]] = {
    Kind.NUMBER: Shape(
        path="/IncomingPhoneNumbers",
        listed="incoming_phone_numbers",
        name=_named("phone_number"),
        name_field="phone_number",
    ),
    Kind.CREDENTIAL_LIST: Shape(path="/SIP/CredentialLists", listed="credential_lists"),
    Kind.CREDENTIAL: Shape(
        path="/SIP/CredentialLists/{owner}/Credentials",
        listed="credentials",
        name=_named("username"),
        name_field="username",
        owner=Kind.CREDENTIAL_LIST,
    ),
    Kind.ADDRESS_LIST: Shape(path="/SIP/IpAccessControlLists", listed="ip_access_control_lists"),
    Kind.ADDRESS: Shape(
        path="/SIP/IpAccessControlLists/{owner}/IpAddresses",
        listed="ip_addresses",
        name=_network,
        name_field="",
        owner=Kind.ADDRESS_LIST,
    ),
    Kind.DOMAIN: Shape(
        path="/SIP/Domains",
        listed="domains",
        name=_named("domain_name"),
        name_field="domain_name",
    ),
    Kind.DOMAIN_CREDENTIALS: Shape(
        path="/SIP/Domains/{owner}/Auth/Calls/CredentialListMappings",
        listed="contents",
        name_field="",
        owner=Kind.DOMAIN,
        parameters={"list": "CredentialListSid"},
    ),
    Kind.DOMAIN_ADDRESSES: Shape(
        path="/SIP/Domains/{owner}/Auth/Calls/IpAccessControlListMappings",
        listed="contents",
        name_field="",
        owner=Kind.DOMAIN,
        parameters={"list": "IpAccessControlListSid"},
    ),
    Kind.DOMAIN_REGISTRATION: Shape(
        path="/SIP/Domains/{owner}/Auth/Registrations/CredentialListMappings",
        listed="contents",
        name_field="",
        owner=Kind.DOMAIN,
        parameters={"list": "CredentialListSid"},
    ),
    Kind.POLICY: Shape(host="voice", path="/ConnectionPolicies", listed="connection_policies"),
    Kind.TARGET: Shape(
        host="voice",
        path="/ConnectionPolicies/{owner}/Targets",
        listed="targets",
        name=_named("target"),
        name_field="target",
        owner=Kind.POLICY,
    ),
    Kind.BYOC: Shape(host="voice", path="/ByocTrunks", listed="byoc_trunks"),
    Kind.TRUNK: Shape(host="trunking", path="/Trunks", listed="trunks"),
    Kind.ORIGINATION: Shape(
        host="trunking",
        path="/Trunks/{owner}/OriginationUrls",
        listed="origination_urls",
        name=_named("sip_url"),
        name_field="sip_url",
        owner=Kind.TRUNK,
    ),
    Kind.TRUNK_CREDENTIALS: Shape(
        host="trunking",
        path="/Trunks/{owner}/CredentialLists",
        listed="credential_lists",
        name_field="",
        owner=Kind.TRUNK,
        parameters={"list": "CredentialListSid"},
    ),
    Kind.TRUNK_ADDRESSES: Shape(
        host="trunking",
        path="/Trunks/{owner}/IpAccessControlLists",
        listed="ip_access_control_lists",
        name_field="",
        owner=Kind.TRUNK,
        parameters={"list": "IpAccessControlListSid"},
    ),
}


def parameter(shape: Shape, field: str) -> str:
    """As the API takes it: `voice_url` is VoiceUrl."""
    return shape.parameters.get(field) or "".join(part.capitalize() for part in field.split("_"))


def text_of(value: Any) -> str:
    """A field of a resource as it is compared: nothing is "", yes and no in small letters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
