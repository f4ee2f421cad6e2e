"""Invariant: what we sign, a receiver verifies with the specification's own package, with any of
the secrets in use, and with no other."""

import base64
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.outgoing.endpoints import OPERATORS_SECRET, secrets_from
from app.outgoing.signing import SecretError, headers_for, new_secret, read_secrets
from tests.outgoing.receiver import OTHER_SECRET, SECRET

BODY = '{"type":"call.ended","data":{"text":"Grüße 👋"}}'.encode()


def test_either_secret_verifies_while_they_are_changed() -> None:
    headers = headers_for("msg_1", BODY, (SECRET, OTHER_SECRET), time.time())
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(BODY, headers)["type"] == "call.ended"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp"])
def test_whatever_is_changed_breaks_the_signature(change: str) -> None:
    now_s = time.time()
    headers = headers_for("msg_1", BODY, (SECRET,), now_s)
    body = BODY.replace(b"ended", b"begun") if change == "body" else BODY
    other = {"webhook-id": "msg_2", "webhook-timestamp": str(int(now_s) - 1)}
    if change in other:
        headers[change] = other[change]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


def test_an_attempt_is_dated_by_its_own_time_and_an_old_one_is_refused() -> None:
    headers = headers_for("msg_1", BODY, (SECRET,), time.time() - 600)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(BODY, headers)


def test_a_new_secret_can_be_used() -> None:
    assert read_secrets(new_secret())
    assert new_secret() != new_secret()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "hunter2",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        f"{SECRET},plain-secret",
    ],
)
def test_a_secret_that_cannot_be_used_is_told_without_its_value(text: str) -> None:
    with pytest.raises(SecretError) as error:
        read_secrets(text)
    for part in filter(None, (p.strip() for p in text.split(","))):
        assert part == "whsec_" or part not in str(error.value)


def test_secrets_are_looked_up_by_name_and_the_operators_may_stand_in_the_settings() -> None:
    secrets_of = secrets_from({"A": f"{SECRET}, {OTHER_SECRET}"}, operators=SECRET)
    assert secrets_of("A") == (SECRET, OTHER_SECRET)
    assert secrets_of(OPERATORS_SECRET) == (SECRET,)
    with pytest.raises(SecretError, match="not set"):
        secrets_of("B")
