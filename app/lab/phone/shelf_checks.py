"""Parameters that Twilio's API refuses: what is wrong with those that came, "" for nothing."""

import ipaddress
import re
from collections.abc import Mapping


def domain(given: Mapping[str, str]) -> str:
    name = given.get("DomainName", "x.sip.twilio.com")
    if not re.fullmatch(r"[A-Za-z0-9-]{1,63}\.sip\.twilio\.com", name):
        return "DomainName must be letters, digits and - and end with .sip.twilio.com"
    return urls(given)


def termination(given: Mapping[str, str]) -> str:
    name = given.get("DomainName", "")
    if name and not re.fullmatch(r"[A-Za-z0-9-]{1,63}\.pstn\.twilio\.com", name):
        return "DomainName must end with .pstn.twilio.com"
    mode = given.get("TransferMode", "disable-all")
    if mode not in ("disable-all", "enable-all", "sip-only"):
        return "TransferMode must be disable-all, enable-all or sip-only"
    return ""


def urls(given: Mapping[str, str]) -> str:
    for name, value in given.items():
        address = name.endswith(("Url", "StatusCallback")) and value
        if address and not re.match(r"https?://[^\s/_]+(/|\Z)", value):
            return f"{name} is not a valid URL"
        if name.endswith("Method") and value not in ("GET", "POST", ""):
            return f"{name} must be GET or POST"
    return ""


def password(given: Mapping[str, str]) -> str:
    text = given.get("Password", "")
    kinds = (str.isdigit, str.isupper, str.islower)
    if len(text) < 12 or not all(any(map(kind, text)) for kind in kinds):
        return "Password needs 12 characters with a digit, an upper and a lower case letter"
    return ""


def address(given: Mapping[str, str]) -> str:
    try:
        ipaddress.IPv4Address(given.get("IpAddress", "192.0.2.1"))
    except ValueError:
        return "IpAddress must be a dotted IPv4 address"
    length = given.get("CidrPrefixLength", "32")
    return "" if length.isdecimal() and 0 < int(length) <= 32 else "CidrPrefixLength is not valid"


def target(given: Mapping[str, str]) -> str:
    for name in ("SipUrl", "Target"):
        if name in given and not re.match(r"sips?:[^\s]+\Z", given[name]):
            return f"{name} must be a SIP URI"
    for name, most in (("Priority", 65_535), ("Weight", 65_535)):
        text = given.get(name, "1")
        if not text.isdecimal() or int(text) > most:
            return f"{name} must be from 0 to {most}"
    return ""
