"""Only what Twilio signed for our public address passes, whatever a proxy or a forger wrote into
the request; and everything that Twilio signs by its documented rules does pass."""

import asyncio
import json
import socket
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import ImmutableMultiDict
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from app.carriers.twilio.public_url import PublicUrlError
from app.carriers.twilio.signature import Fields, Reason, SignatureChecker, Verdict

TOKEN = "0123456789abcdef"
FORM = "application/x-www-form-urlencoded"
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXT.filter(bool)


def sign(url: str, form: Fields = (), token: str = TOKEN, algorithm: str | None = None) -> str:
    validator = RequestValidator(token)
    return str(validator.compute_signature(url, ImmutableMultiDict(form), algorithm))


def scope(
    signature: str | None,
    *,
    path: str = "/twilio/voice",
    query: str = "",
    method: str = "POST",
    content_type: str = FORM,
    more: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    headers = [("host", "evil.example.net"), ("x-forwarded-proto", "http"), *more]
    headers += [("content-type", content_type)] if content_type else []
    headers += [("x-twilio-signature", signature)] if signature is not None else []
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }


def checker(url: str = "https://bot.example.com", *tokens: str, **keys: str) -> SignatureChecker:
    return SignatureChecker(tokens or (TOKEN,), url, shared_keys=keys)


def webhook(signed_url: str, *, public: str = "https://bot.example.com", **request: Any) -> Verdict:
    return checker(public).check_webhook(scope(sign(signed_url), **request), b"")


@given(form=st.lists(st.tuples(NAMES, TEXT), max_size=8), query=st.lists(st.tuples(NAMES, TEXT)))
def test_what_twilio_signs_passes_with_blank_repeated_and_foreign_fields(
    form: list[tuple[str, str]], query: list[tuple[str, str]]
) -> None:
    raw_query = urlencode(query)
    url = "https://bot.example.com/twilio/voice" + (f"?{raw_query}" if raw_query else "")
    signed = scope(sign(url, tuple(form)), query=raw_query)
    verdict = checker().check_webhook(signed, urlencode(form).encode())
    assert verdict == Verdict(Reason.SIGNED, tuple(form), tuple(query))


@given(
    form=st.lists(st.tuples(NAMES, TEXT), min_size=1, max_size=5),
    change=st.sampled_from(["drop", "add", "blank", "rename", "query"]),
)
def test_any_change_to_what_was_signed_is_refused(form: list[tuple[str, str]], change: str) -> None:
    fresh = {name for name, _ in form}
    changed = {
        "drop": [pair for pair in form if pair[0] != form[0][0]],
        "add": [*form, ("Extra", "1")],
        "blank": [*form, ("Blank" + "".join(fresh), "")],
        "rename": [("x" + "".join(fresh), form[0][1]), *form[1:]],
        "query": form,
    }[change]
    request = scope(
        sign("https://bot.example.com/twilio/voice", tuple(form)),
        query="agent=evil" if change == "query" else "",
    )
    verdict = checker().check_webhook(request, urlencode(changed).encode())
    # Without separators some different forms have one signature: that is Twilio's own design.
    collides = sign("https://bot.example.com/twilio/voice", tuple(changed)) == sign(
        "https://bot.example.com/twilio/voice", tuple(form)
    )
    assert verdict.signed == (collides and change != "query")


@given(token=st.text(alphabet="0123456789abcdef", min_size=1).filter(lambda t: t != TOKEN))
def test_another_secret_is_refused(token: str) -> None:
    url = "https://bot.example.com/twilio/voice"
    request = scope(sign(url, token=token))
    assert checker().check_webhook(request, b"").reason is Reason.WRONG
    rotating = checker("https://bot.example.com", TOKEN, token)
    assert rotating.check_webhook(request, b"").signed


@pytest.mark.parametrize("signature", [None, ""])
def test_a_missing_signature_is_refused_without_an_accident(signature: str | None) -> None:
    assert checker().check_webhook(scope(signature), b"").reason is Reason.MISSING
    assert checker().check_upgrade(scope(signature)).reason is Reason.MISSING


@pytest.mark.parametrize("signature", ["x", "é" * 28, "A" * 27 + "=", "=" * 10_000])
def test_nonsense_is_refused_without_an_accident(signature: str) -> None:
    assert checker().check_webhook(scope(signature), b"").reason is Reason.WRONG


def test_two_signatures_are_refused() -> None:
    good = sign("https://bot.example.com/twilio/voice")
    request = scope(good, more=[("x-twilio-signature", "x")])
    assert checker().check_webhook(request, b"").reason is Reason.SEVERAL


@pytest.mark.parametrize(
    ("public", "signed"),
    [
        ("https://h", "https://h/twilio/voice"),
        ("https://h", "https://h:443/twilio/voice"),
        ("https://h:443", "https://h/twilio/voice"),
        ("https://h:8443", "https://h:8443/twilio/voice"),
        ("https://h:8443", "https://h/twilio/voice"),
        ("https://h/bots", "https://h/bots/twilio/voice"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/twilio/voice"),
        ("http://[::1]:9", "http://[::1]/twilio/voice"),
        ("http://[::1]", "http://[::1]:80/twilio/voice"),
    ],
)
def test_the_url_is_the_public_one_with_or_without_its_port(public: str, signed: str) -> None:
    assert webhook(signed, public=public).signed


@pytest.mark.parametrize(
    "signed",
    [
        "https://evil.example.net/twilio/voice",
        "http://bot.example.com/twilio/voice",
        "https://bot.example.com/twilio/voice/",
        "https://bot.example.com/twilio/status",
        "https://bot.example.com:8443/twilio/voice",
        "https://bot.example.com:80/twilio/voice",
        "wss://bot.example.com/twilio/voice",
    ],
)
def test_a_signature_for_another_url_is_refused(signed: str) -> None:
    assert webhook(signed).reason is Reason.WRONG


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/twilio/voice"])
def test_a_prefix_may_be_stripped_by_the_proxy_or_not(path: str) -> None:
    signed = "https://h/twilio/twilio/voice"
    assert webhook(signed, public="https://h/twilio", path=path).signed


def test_path_and_query_count_as_they_were_written() -> None:
    signed = "https://bot.example.com/twilio/voice?b=%7e&a=x%20y"
    assert webhook(signed, query="b=%7e&a=x%20y").signed
    assert not webhook(signed, query="b=~&a=x+y").signed
    odd = webhook("https://bot.example.com/twilio/voice?flag&&a=1", query="flag&&a=1")
    assert odd.query == (("flag", ""), ("a", "1"))
    unreadable = webhook("https://bot.example.com/twilio/voice?a=%ff", query="a=%ff")
    assert unreadable.reason is Reason.BAD_URL


def test_a_get_is_signed_by_its_url() -> None:
    query = urlencode([("CallSid", "CA1"), ("From", "+1 5")])
    signed = f"https://bot.example.com/twilio/voice?{query}"
    verdict = webhook(signed, query=query, method="GET", content_type="")
    assert verdict.signed
    assert verdict.query == (("CallSid", "CA1"), ("From", "+1 5"))


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%FF", b"novalue", b"a=1&&b=2", b"x=1&" * 501])
def test_a_form_that_cannot_be_read_is_no_form(body: bytes) -> None:
    request = scope(sign("https://bot.example.com/twilio/voice"))
    assert checker().check_webhook(request, body).reason is Reason.BAD_FORM


def json_request(body: bytes, digest: str, content_type: str = "application/json") -> Verdict:
    query = f"bodySHA256={digest}"
    signature = sign(f"https://bot.example.com/twilio/voice?{query}")
    return checker().check_webhook(scope(signature, query=query, content_type=content_type), body)


def test_a_json_body_is_signed_by_its_hash() -> None:
    body = json.dumps({"CallSid": "CA1"}).encode()
    digest = sha256(body).hexdigest()
    assert json_request(body, digest).signed
    assert json_request(body + b" ", digest).reason is Reason.BODY_CHANGED
    assert json_request(body, digest + "&bodySHA256=0").reason is Reason.BODY_UNSIGNED
    assert json_request(body, quote("é")).reason is Reason.BODY_CHANGED


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_a_body_that_nothing_signs_is_refused(content_type: str) -> None:
    request = scope(sign("https://bot.example.com/twilio/voice"), content_type=content_type)
    assert checker().check_webhook(request, b"CallSid=CA1").reason is Reason.BODY_UNSIGNED


def test_a_form_is_not_exempt_because_the_query_holds_a_hash() -> None:
    body = b"CallSid=CA1"
    verdict = json_request(body, sha256(body).hexdigest(), content_type=FORM)
    assert verdict.reason is Reason.WRONG


SETTINGS = "x-twilio-webhooks-signature-settings"


@pytest.mark.parametrize(
    "settings",
    [
        "key=k1,algorithm=HMAC_SHA256",
        "algorithm=HMAC_SHA256",
        "key=k1",
        "key=k1,algorithm=HMAC_SHA1",
        "algorithm=none",
    ],
)
@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_no_other_signing_is_accepted_when_no_key_is_configured(
    settings: str, algorithm: str
) -> None:
    signature = sign("https://bot.example.com/twilio/voice", algorithm=algorithm)
    request = scope(signature, more=[(SETTINGS, settings)])
    assert checker().check_webhook(request, b"").reason is Reason.UNKNOWN_KEY


def test_the_account_token_needs_no_settings_header() -> None:
    signature = sign("https://bot.example.com/twilio/voice")
    for settings in ("", "algorithm=HMAC_SHA1"):
        request = scope(signature, more=[(SETTINGS, settings)])
        assert checker().check_webhook(request, b"").signed


def test_a_configured_key_counts_with_its_own_secret_and_algorithm_only() -> None:
    url = "https://bot.example.com/twilio/voice"
    keyed = checker("https://bot.example.com", TOKEN, k1="other secret")
    settings = [(SETTINGS, "key=k1,algorithm=HMAC_SHA256")]
    good = scope(sign(url, token="other secret", algorithm="HMAC_SHA256"), more=settings)
    by_account = scope(sign(url, algorithm="HMAC_SHA256"), more=settings)
    downgraded = scope(sign(url, token="other secret"), more=[(SETTINGS, "key=k1")])
    assert keyed.check_webhook(good, b"").signed
    assert keyed.check_webhook(by_account, b"").reason is Reason.WRONG
    assert keyed.check_webhook(downgraded, b"").reason is Reason.UNKNOWN_KEY
    assert keyed.check_webhook(scope(sign(url)), b"").signed


@pytest.mark.parametrize(
    ("public", "signed"),
    [
        ("https://h", "wss://h/twilio/media"),
        ("https://h", "wss://h/twilio/media/"),
        ("https://h", "wss://h:443/twilio/media"),
        ("https://h:443", "wss://h/twilio/media/"),
        ("https://h:8443", "wss://h:8443/twilio/media"),
        ("https://h/bots", "wss://h/bots/twilio/media"),
        ("http://localhost:9", "ws://localhost:9/twilio/media"),
    ],
)
@pytest.mark.parametrize("path", ["/twilio/media", "/twilio/media/"])
def test_the_upgrade_is_signed_over_the_socket_url(public: str, signed: str, path: str) -> None:
    assert checker(public).check_upgrade(scope(sign(signed), path=path)).signed


@pytest.mark.parametrize(
    "signed",
    [
        "https://bot.example.com/twilio/media",
        "ws://bot.example.com/twilio/media",
        "wss://bot.example.com:80/twilio/media",
        "wss://evil.example.net/twilio/media",
        "wss://bot.example.com/twilio/media/x",
    ],
)
def test_an_upgrade_signed_for_another_url_is_refused(signed: str) -> None:
    request = scope(sign(signed), path="/twilio/media")
    assert checker().check_upgrade(request).reason is Reason.WRONG


def test_an_upgrade_with_a_query_that_twilio_did_not_sign_is_refused() -> None:
    request = scope(sign("wss://bot.example.com/twilio/media"), path="/twilio/media", query="a=1")
    assert checker().check_upgrade(request).reason is Reason.WRONG


def test_the_media_url_is_the_one_that_the_upgrade_is_checked_against() -> None:
    for public in ("https://h/bots", "http://localhost:9", "https://h:8443"):
        signed = sign(checker(public).media_url())
        assert checker(public).check_upgrade(scope(signed, path="/twilio/media")).signed


@pytest.mark.parametrize("raw", [b"/twilio/\xff", b"http://evil.example.net/twilio/voice"])
def test_odd_request_targets_are_refused(raw: bytes) -> None:
    request = scope(sign("https://bot.example.com/twilio/voice")) | {"raw_path": raw}
    assert not checker().check_webhook(request, b"").signed


def test_a_server_that_gives_no_raw_path_is_served_too() -> None:
    request = scope(sign("https://bot.example.com/twilio/voice%20x"), path="/twilio/voice x")
    del request["raw_path"]
    assert checker().check_webhook(request, b"").signed


def test_the_verdict_shows_nothing_of_the_caller() -> None:
    form = (("From", "+14155550100"),)
    request = scope(sign("https://bot.example.com/twilio/voice", form))
    verdict = checker().check_webhook(request, urlencode(form).encode())
    assert verdict.signed
    assert "4155550100" not in repr(verdict)


@pytest.mark.parametrize("tokens", [[], [""], ["good", ""]])
def test_an_empty_secret_would_let_anyone_sign(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="auth token"):
        SignatureChecker(tokens, "https://bot.example.com")


def test_an_unusable_public_url_is_refused_at_once() -> None:
    with pytest.raises(PublicUrlError):
        checker("http://bot.example.com")


@pytest.mark.parametrize(("signed", "opened"), [("/twilio/media", True), ("/twilio/x", False)])
async def test_a_socket_is_opened_or_refused_by_its_signature_on_a_real_server(
    signed: str, opened: bool
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    public = f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def media(websocket: WebSocket) -> None:
        if not checker(public).check_upgrade(websocket.scope).signed:
            await websocket.close()
            return
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/twilio/media", media)])
    config = uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    headers = {"x-twilio-signature": sign(public.replace("http://", "ws://") + signed)}
    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(f"{public}/twilio/media", headers=headers):
                status = 101
        except aiohttp.WSServerHandshakeError as refused:
            status = refused.status
    server.should_exit = True
    await serving
    listener.close()
    assert status == (101 if opened else 403)
