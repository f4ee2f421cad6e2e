"""Twilio's own client makes, reads, changes and takes away what an account keeps; what Twilio would
refuse is refused. The paths and parameters are the client's, not ours."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from twilio.base.exceptions import (  # type: ignore[import-untyped, unused-ignore]
    TwilioRestException,
)
from twilio.http.async_http_client import (  # type: ignore[import-untyped, unused-ignore]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # type: ignore[import-untyped, unused-ignore]

from app.carriers.twilio.provisioning import Provisioning
from app.carriers.twilio.rest import TwilioRest as OurRest
from app.lab.phone import Account, Callee, HangUp, Script, TwilioRest, Wait
from app.provisioning.resources import Key, Kind
from tests.lab.phone.bots import ACCOUNT_SID, AUTH_TOKEN, FAST, WebBot, twiml

pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]
NUMBER, PASSWORD = "+14155550100", "Correct horse 1 battery"
PARTY, LOCKED = "sip:ann@pbx.example", "sip:bob@locked.example"
PEOPLE = {
    PARTY: Callee(Script((Wait(20), HangUp())), sip_headers={"X-Desk": "7"}),
    LOCKED: Callee(Script((Wait(20), HangUp())), login=("us", "pw")),
}


@pytest.fixture
def account() -> Account:
    return Account(
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        numbers=[NUMBER],
        people=PEOPLE,
        pace=FAST,
    )


@pytest.fixture
async def client(account: Account) -> AsyncIterator[Any]:
    async with TwilioRest(account=account) as rest, AsyncTwilioHttpClient(timeout=30) as http:
        made = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http)
        for domain in (made.api, made.voice, made.trunking):
            domain.base_url = rest.base_url
        yield made


async def refused(awaitable: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as error:
        await awaitable
    return error.value.status, error.value.code


async def test_what_twilios_client_makes_is_what_we_read(client: Any, account: Account) -> None:
    sip = client.sip
    logins = await sip.credential_lists.create_async("phones")
    await sip.credential_lists(logins.sid).credentials.create_async("alice", PASSWORD)
    office = await sip.ip_access_control_lists.create_async("office")
    await sip.ip_access_control_lists(office.sid).ip_addresses.create_async(
        "x", "203.0.113.0", cidr_prefix_length=24
    )
    domain = await sip.domains.create_async("acme.sip.twilio.com", voice_url="https://a.example/v")
    auth = sip.domains(domain.sid).auth
    await auth.calls.credential_list_mappings.create_async(logins.sid)
    await auth.calls.ip_access_control_list_mappings.create_async(office.sid)
    await auth.registrations.credential_list_mappings.create_async(logins.sid)
    policy = await client.voice.v1.connection_policies.create_async(friendly_name="carrier")
    await client.voice.v1.connection_policies(policy.sid).targets.create_async("sip:c.example")
    await client.voice.v1.byoc_trunks.create_async(
        friendly_name="carrier", connection_policy_sid=policy.sid
    )
    trunk = await client.trunking.v1.trunks.create_async(friendly_name="pbx")
    kept = client.trunking.v1.trunks(trunk.sid)
    await kept.origination_urls.create_async(10, 20, True, "x", "sip:pbx.example")
    await kept.credentials_lists.create_async(logins.sid)
    await kept.ip_access_control_lists.create_async(office.sid)
    [number] = await client.incoming_phone_numbers.list_async()
    await client.incoming_phone_numbers(number.sid).update_async(voice_url="https://a.example/n")

    ours = OurRest(
        ACCOUNT_SID, AUTH_TOKEN, public_url="https://b.example", api_url=client.api.base_url
    )
    tops = {
        Key(Kind.CREDENTIAL_LIST, "phones"),
        Key(Kind.ADDRESS_LIST, "office"),
        Key(Kind.DOMAIN, "acme.sip.twilio.com"),
        Key(Kind.POLICY, "carrier"),
        Key(Kind.BYOC, "carrier"),
        Key(Kind.TRUNK, "pbx"),
        Key(Kind.NUMBER, NUMBER),
    }
    async with ours as rest:
        found = {one.key: one for one in await Provisioning(rest).present(tops)}
    assert {key.kind for key in found} == set(Kind), "each kind is read where the client keeps it"
    network = Key(Kind.ADDRESS, "203.0.113.0/24", Key(Kind.ADDRESS_LIST, "office"))
    assert network in found
    target = found[Key(Kind.ORIGINATION, "sip:pbx.example", Key(Kind.TRUNK, "pbx"))]
    assert (target.fields["weight"], target.fields["priority"]) == ("10", "20")
    assert target.fields["enabled"] == "true"
    assert found[Key(Kind.NUMBER, NUMBER)].fields["voice_url"] == "https://a.example/n"
    assert "password" not in str(account.kept), "nobody reads a password back"


async def test_what_twilio_refuses_is_refused(client: Any) -> None:
    sip, domains = client.sip, client.sip.domains
    assert await refused(domains.create_async("acme.example.com")) == (400, 21231)
    assert await refused(domains.create_async("a.sip.twilio.com", voice_url="x")) == (400, 21231)
    await domains.create_async("acme.sip.twilio.com")
    assert await refused(domains.create_async("acme.sip.twilio.com")) == (400, 21231)
    logins = await sip.credential_lists.create_async("phones")
    users = sip.credential_lists(logins.sid).credentials
    assert await refused(users.create_async("alice", "short")) == (400, 20001)
    await users.create_async("alice", PASSWORD)
    assert await refused(users.create_async("alice", PASSWORD)) == (400, 20001)
    office = await sip.ip_access_control_lists.create_async("office")
    addresses = sip.ip_access_control_lists(office.sid).ip_addresses
    assert await refused(addresses.create_async("x", "localhost")) == (400, 20001)
    bad = client.trunking.v1.trunks.create_async(domain_name="acme.sip.twilio.com")
    assert await refused(bad) == (400, 20001)
    assert await refused(sip.credential_lists("CL404").fetch_async()) == (404, 20404)
    mapping = domains("SD404").auth.calls.credential_list_mappings
    assert await refused(mapping.create_async(logins.sid)) == (404, 20404)
    assert await sip.credential_lists(logins.sid).delete_async()
    assert await sip.credential_lists.list_async() == []


async def test_a_call_to_sip_carries_headers_and_logs_in(client: Any, account: Account) -> None:
    create = client.calls.create_async
    async with WebBot({"/out": twiml("<Say>Hi</Say>")}) as bot:
        url = f"{bot.url}/out"
        open_ = await create(to=f"{PARTY};transport=tls?X-Id=a%3Bb", from_=NUMBER, url=url)
        locked = await create(to=LOCKED, from_=NUMBER, url=url)
        inside = await create(
            to=LOCKED, from_=NUMBER, url=url, sip_auth_username="us", sip_auth_password="pw"
        )
        reports = [await account.report(call.sid) for call in (open_, locked, inside)]
        asked = next(form for form in bot.forms("/out") if form["To"].startswith(PARTY))
    assert [report.status for report in reports] == ["completed", "failed", "completed"]
    assert reports[0].identity.sip_headers == {"X-Id": "a;b"}
    assert reports[0].identity.to == f"{PARTY};transport=tls"
    assert asked["SipHeader_X-Desk"] == "7"


@pytest.mark.parametrize(
    ("to", "byoc"),
    [
        ("sip:ann", ""),
        ("sip:ann@pbx.example?Subject=x", ""),
        ("sip:ann@pbx.example?X-A=" + "x" * 1_100, ""),
        ("sip:" + "a" * 260 + "@pbx.example", ""),
        (PARTY, "BY" + "0" * 32),
        ("+14155550122", "BY1"),
        ("+14155550122", "BY" + "0" * 32),
    ],
)
async def test_an_address_or_a_trunk_that_is_none_is_refused(
    client: Any, to: str, byoc: str
) -> None:
    more = {"byoc": byoc} if byoc else {}
    calling = client.calls.create_async(to=to, from_=NUMBER, url="http://127.0.0.1/", **more)
    status, _ = await refused(calling)
    assert status in (400, 404)
