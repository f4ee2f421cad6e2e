"""The operator's file as things at the carrier."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.provisioning.planning import Action, Create
from app.provisioning.resources import Key, Kind, Ref, Value, Wanted
from app.provisioning.sip_file import (
    ByocTable,
    DomainTable,
    NumberTable,
    SipFile,
    TargetTable,
    TrunkTable,
)

DOMAIN_END: Final = ".sip.twilio.com"
TERMINATION_END: Final = ".pstn.twilio.com"
LEAST_PASSWORD: Final = 12
_POST: Final = "POST"


class PasswordError(ValueError):
    """A password that is needed is not there, or is not one that the carrier takes."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Where the carrier finds this bot."""

    voice: Callable[[str], str]
    """The voice URL for an agent; "": whoever answers by default."""
    status: str


def numbers(tables: Sequence[NumberTable], file: SipFile, ours: Ours) -> list[Wanted]:
    return [_number(table, file, ours) for table in tables]


def everything(
    file: SipFile, ours: Ours, passwords: Mapping[str, str], *, with_passwords: bool = False
) -> list[Wanted]:
    """All but the numbers. `passwords`: the environment. `with_passwords`: they are told again to
    users who are there already, since nobody can read back which they have.

    Raises `PasswordError`.
    """
    return [
        *_lists(file, passwords, again=with_passwords),
        *(one for table in file.domain for one in _domain(table, file, ours)),
        *(one for table in file.byoc for one in _byoc(table, file, ours)),
        *(one for table in file.trunk for one in _trunk(table)),
    ]


def _number(table: NumberTable, file: SipFile, ours: Ours) -> Wanted:
    key = Key(Kind.NUMBER, table.number)
    if table.trunk:
        return Wanted(key, {"trunk_sid": Ref(Key(Kind.TRUNK, table.trunk))})
    fields: dict[str, Value] = {
        "voice_url": ours.voice(table.agent),
        "voice_method": _POST,
        "voice_fallback_url": table.fallback or file.defaults.fallback,
        "status_callback": ours.status,
        "status_callback_method": _POST,
        # Either of them would take the calls, and the addresses above would count for nothing.
        "voice_application_sid": "",
        "trunk_sid": "",
    }
    return Wanted(key, fields)


def _lists(file: SipFile, passwords: Mapping[str, str], *, again: bool) -> Iterator[Wanted]:
    for logins in file.credentials:
        owner = Key(Kind.CREDENTIAL_LIST, logins.name)
        yield Wanted(owner)
        for user, variable in logins.users.items():
            given: dict[str, Value] = {"password": passwords.get(variable, "")}
            fields = {"password": _password(user, variable, passwords)} if again else {}
            yield Wanted(Key(Kind.CREDENTIAL, user, owner), fields, given)
    for addresses in file.addresses:
        owner = Key(Kind.ADDRESS_LIST, addresses.name)
        yield Wanted(owner)
        for text in addresses.allow:
            network = ipaddress.ip_network(text)
            length = str(network.prefixlen)
            yield Wanted(
                Key(Kind.ADDRESS, str(network), owner),
                given={
                    "ip_address": str(network.network_address),
                    "cidr_prefix_length": length,
                    "friendly_name": str(network),
                },
            )


def _domain(table: DomainTable, file: SipFile, ours: Ours) -> Iterator[Wanted]:
    key = Key(Kind.DOMAIN, table.name + DOMAIN_END)
    yield Wanted(
        key,
        {
            "voice_url": ours.voice(table.agent),
            "voice_method": _POST,
            "voice_fallback_url": table.fallback or file.defaults.fallback,
            "voice_status_callback_url": ours.status,
            "voice_status_callback_method": _POST,
            "sip_registration": _yes(bool(table.registration)),
            "secure": _yes(table.secure),
        },
        given={"friendly_name": table.name},
    )
    yield from _mapped(Kind.DOMAIN_CREDENTIALS, Kind.CREDENTIAL_LIST, table.credentials, key)
    yield from _mapped(Kind.DOMAIN_ADDRESSES, Kind.ADDRESS_LIST, table.addresses, key)
    yield from _mapped(Kind.DOMAIN_REGISTRATION, Kind.CREDENTIAL_LIST, table.registration, key)


def _byoc(table: ByocTable, file: SipFile, ours: Ours) -> Iterator[Wanted]:
    fields: dict[str, Value] = {
        "voice_url": ours.voice(table.agent),
        "voice_method": _POST,
        "voice_fallback_url": table.fallback or file.defaults.fallback,
        "status_callback_url": ours.status,
        "status_callback_method": _POST,
    }
    if table.to:
        policy = Key(Kind.POLICY, table.name)
        yield Wanted(policy)
        yield from _targets(Kind.TARGET, table.to, policy)
        fields["connection_policy_sid"] = Ref(policy)
    if table.from_domain:
        fields["from_domain_sid"] = Ref(Key(Kind.DOMAIN, table.from_domain + DOMAIN_END))
    yield Wanted(Key(Kind.BYOC, table.name), fields)


def _trunk(table: TrunkTable) -> Iterator[Wanted]:
    key = Key(Kind.TRUNK, table.name)
    fields: dict[str, Value] = {"secure": _yes(table.secure), "transfer_mode": table.refer}
    if table.domain:
        fields["domain_name"] = table.domain + TERMINATION_END
    yield Wanted(key, fields)
    yield from _targets(Kind.ORIGINATION, table.to, key)
    yield from _mapped(Kind.TRUNK_CREDENTIALS, Kind.CREDENTIAL_LIST, table.credentials, key)
    yield from _mapped(Kind.TRUNK_ADDRESSES, Kind.ADDRESS_LIST, table.addresses, key)


def _targets(kind: Kind, tables: tuple[TargetTable, ...], owner: Key) -> Iterator[Wanted]:
    for table in tables:
        yield Wanted(
            Key(kind, table.uri, owner),
            {
                "priority": str(table.priority),
                "weight": str(table.weight),
                "enabled": _yes(table.enabled),
            },
            given={"friendly_name": table.uri[:64]},
        )


def _mapped(kind: Kind, of: Kind, names: tuple[str, ...], owner: Key) -> Iterator[Wanted]:
    """A list that is put to use; it bears the list's name."""
    for name in names:
        yield Wanted(Key(kind, name, owner), given={"list": Ref(Key(of, name))})


def _password(user: str, variable: str, passwords: Mapping[str, str]) -> str:
    password = passwords.get(variable, "")
    check_password(user, variable, password)
    return password


def check_password(user: str, variable: str, password: str) -> None:
    """Raises `PasswordError` for what Twilio refuses, without a word of it."""
    if not password:
        raise PasswordError(f"{variable}: expected the password of {user}, but it is not set.")
    kinds = (str.isdigit, str.isupper, str.islower)
    if len(password) < LEAST_PASSWORD or not all(any(map(kind, password)) for kind in kinds):
        raise PasswordError(
            f"{variable}: expected at least {LEAST_PASSWORD} characters with a digit, a capital "
            f"and a small letter as the password of {user}."
        )


def check_passwords(file: SipFile, actions: Iterable[Action], passwords: Mapping[str, str]) -> None:
    """Those of users who are to be made. Raises `PasswordError`, one line for each problem."""
    variables = {
        (one.name, user): name for one in file.credentials for user, name in one.users.items()
    }
    problems = []
    for action in actions:
        key = action.key
        if isinstance(action, Create) and key.kind is Kind.CREDENTIAL and key.owner is not None:
            variable = variables[key.owner.name, key.name]
            try:
                check_password(key.name, variable, passwords.get(variable, ""))
            except PasswordError as error:
                problems.append(str(error))
    if problems:
        raise PasswordError("\n".join(problems))


def _yes(value: bool) -> str:
    return "true" if value else "false"
