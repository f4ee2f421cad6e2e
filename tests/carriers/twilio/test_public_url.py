"""Every URL that Twilio is given comes from the configured address, which is checked once."""

import pytest

from app.carriers.twilio.public_url import PublicUrl, PublicUrlError


@pytest.mark.parametrize(
    ("text", "webhook", "media"),
    [
        (
            "https://bot.example.com",
            "https://bot.example.com/twilio/voice",
            "wss://bot.example.com/twilio/media",
        ),
        (
            "https://Bot.Example.com:8443/",
            "https://Bot.Example.com:8443/twilio/voice",
            "wss://Bot.Example.com:8443/twilio/media",
        ),
        (
            "https://example.com/bots/a/",
            "https://example.com/bots/a/twilio/voice",
            "wss://example.com/bots/a/twilio/media",
        ),
        (
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/twilio/voice",
            "ws://127.0.0.1:8080/twilio/media",
        ),
        ("http://localhost", "http://localhost/twilio/voice", "ws://localhost/twilio/media"),
        ("http://[::1]:99", "http://[::1]:99/twilio/voice", "ws://[::1]:99/twilio/media"),
    ],
)
def test_urls_are_built_from_the_configured_address(text: str, webhook: str, media: str) -> None:
    url = PublicUrl.parse(text)
    assert (url.webhook("/twilio/voice"), url.media()) == (webhook, media)


def test_a_query_is_encoded() -> None:
    url = PublicUrl.parse("https://h").webhook("/twilio/voice", {"agent": "a&b c", "n": "é"})
    assert url == "https://h/twilio/voice?agent=a%26b+c&n=%C3%A9"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "https://"),
        ("bot.example.com", "https://"),
        ("ftp://bot.example.com", "https://"),
        ("wss://bot.example.com", "https://"),
        ("http://bot.example.com", "loopback"),
        ("http://localhost.example.com", "loopback"),
        ("http://10.0.0.1", "loopback"),
        ("https://", "no host"),
        ("https://user:secret@bot.example.com", "user name"),
        ("https://bot.example.com?x=1", "query"),
        ("https://bot.example.com/?", "query"),
        ("https://bot.example.com#a", "fragment"),
        ("https://bot.example.com:99999", "not a URL"),
        ("https://bot.example.com:0", "port 0"),
        ("https://[::1", "not a URL"),
        ("https://bot example.com", "characters"),
        (" https://bot.example.com", "characters"),
        ("https://bücher.example.com", "characters"),
    ],
)
def test_an_unusable_address_says_what_is_wrong_and_how_to_mend_it(text: str, problem: str) -> None:
    with pytest.raises(PublicUrlError, match=problem) as caught:
        PublicUrl.parse(text)
    assert "Set it to the https:// address" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_webhook_has_a_spelling_with_and_without_its_port_and_its_prefix_twice_or_once() -> None:
    assert set(PublicUrl.parse("https://h/p").webhook_forms("/p/x", "a=1")) == {
        "https://h/p/p/x?a=1",
        "https://h:443/p/p/x?a=1",
        "https://h/p/x?a=1",
        "https://h:443/p/x?a=1",
    }


@pytest.mark.parametrize("path", ["/m", "/m/"])
def test_a_socket_has_the_spellings_with_and_without_the_last_slash(path: str) -> None:
    assert set(PublicUrl.parse("http://[::1]:9").socket_forms(path, "")) == {
        "ws://[::1]:9/m",
        "ws://[::1]/m",
        "ws://[::1]:9/m/",
        "ws://[::1]/m/",
    }
