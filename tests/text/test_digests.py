"""No number can be read off what stands for it, and all who share a secret say the same."""

import pytest

from app.observe.redact import Redactor
from app.text.digests import Digests

NUMBER = "+15550100001"


def test_the_same_secret_gives_the_same_digest_and_another_one_another() -> None:
    one, two = Digests(["secret"]), Digests(["other"])
    assert one.of(NUMBER) == Digests(["secret"]).of(NUMBER) != two.of(NUMBER)
    assert one.of(NUMBER) != one.of("+15550100002")
    assert one.conversation(NUMBER, "+1") != one.conversation("+1", NUMBER)
    assert NUMBER.strip("+") not in one.of(NUMBER)


def test_while_secrets_change_both_count_and_the_first_is_used() -> None:
    both = Digests(["new", "old"])
    assert both.all(NUMBER) == (Digests(["new"]).of(NUMBER), Digests(["old"]).of(NUMBER))
    assert both.of(NUMBER) == both.all(NUMBER)[0]


@pytest.mark.parametrize("secrets", [[], [""], ["a", ""]])
def test_without_a_secret_there_are_no_digests(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        Digests(secrets)


def test_a_digest_stays_whole_in_a_log() -> None:
    digests = [Digests(["secret"]).of(f"+1202555{n:04}") for n in range(500)]
    assert [Redactor().text(digest) for digest in digests] == digests
