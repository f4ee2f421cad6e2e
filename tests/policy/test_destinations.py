"""Nothing is dialled but what the rules open: what is not opened is refused by the rule that names
it, and a cleared destination is made in one place only."""

import copy
import dataclasses

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy.destination_rules import DestinationRules, RulesError
from app.policy.destinations import By, Cleared, Kind, Purpose, judge
from app.policy.verdicts import REASONS, Refused, Rule

OWN = "+12015550100"
CALLER = "+12015550177"
HOME = DestinationRules(own_numbers=(OWN,))
OPEN = DestinationRules(
    own_numbers=(OWN,),
    countries=("US", "DE", "GB"),
    allow_prefixes=("+4930",),
    free_numbers=True,
    sip_hosts=("pbx.example.com", "10.20.30.40"),
    sip_headers=("X-Ref", "User-to-User"),
    clients=("anna",),
    queues=("sales",),
)


def asked(
    target: object,
    rules: DestinationRules = OPEN,
    by: By = By.OPERATOR,
    purpose: Purpose = Purpose.TRANSFER,
) -> Cleared | Refused:
    return judge(rules, target, purpose=purpose, by=by, caller=CALLER)


def rule(
    target: object,
    rules: DestinationRules = OPEN,
    by: By = By.OPERATOR,
    purpose: Purpose = Purpose.TRANSFER,
) -> Rule | None:
    """The rule that refuses; None: it is cleared."""
    verdict = asked(target, rules, by, purpose)
    return verdict.rule if isinstance(verdict, Refused) else None


def dialled(target: object, rules: DestinationRules = OPEN, by: By = By.OPERATOR) -> str:
    verdict = asked(target, rules, by)
    assert isinstance(verdict, Cleared), verdict
    return verdict.uri


def test_only_the_judge_makes_a_cleared_destination() -> None:
    cleared = asked("+12015550123")
    assert isinstance(cleared, Cleared)
    with pytest.raises(TypeError, match="judge only"):
        Cleared(Kind.NUMBER, "+19005551234", Purpose.DIAL, By.OPERATOR)
    with pytest.raises(TypeError, match="judge only"):
        dataclasses.replace(cleared, address="+19005551234")
    with pytest.raises(dataclasses.FrozenInstanceError):
        cleared.address = "+19005551234"  # type: ignore[misc]
    assert copy.copy(cleared) == cleared


def test_what_is_cleared_and_what_is_refused_shows_no_number() -> None:
    assert "2015550123" not in repr(asked("+12015550123"))
    assert "2015550123" not in repr(asked("sip:+12015550123@pbx.example.com?X-Ref=2015550123"))
    assert "5551234" not in repr(asked("+19005551234"))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, Rule.NOT_TEXT),
        (12015550123, Rule.NOT_TEXT),
        (["+12015550123"], Rule.NOT_TEXT),
        ("", Rule.EMPTY),
        ("   ", Rule.EMPTY),
        ("+1201555012312345678", Rule.TOO_LONG),
        ("+1201555012" + "3" * 5000, Rule.TOO_LONG),
        ("+1201555\u200b0123", Rule.INVISIBLE),
        ("\u202e+12015550123", Rule.INVISIBLE),
        ("+1\u00a0201 555 0123", Rule.INVISIBLE),
        ("+12015550123\n", Rule.INVISIBLE),
        ("\ud800", Rule.INVISIBLE),
        ("+1201555012\u0663", Rule.FOREIGN_DIGITS),
        ("+1201555012３", Rule.FOREIGN_DIGITS),
        ("+1201555012²", Rule.FOREIGN_DIGITS),
        ("＋12015550123", Rule.FOREIGN_PLUS),
        ("⁺12015550123", Rule.FOREIGN_PLUS),
        ("+1201–555–0123", Rule.FOREIGN_CHARACTERS),
        ("+1201555O123", Rule.LETTERS),
        ("1-800-FLOWERS", Rule.LETTERS),
        ("my sister", Rule.NOT_A_NUMBER),
        ("+12015550123;ext=5", Rule.EXTENSION),
        ("+12015550123,,123", Rule.EXTENSION),
        ("+12015550123 x5", Rule.EXTENSION),
        ("*72 2015550123", Rule.EXTENSION),
        ("+12015550123 or +12015550124", Rule.SEVERAL),
        ("+12015550123/+12015550124", Rule.SEVERAL),
        ("tel:+12015550123", Rule.TEL_URI),
        ("callto:+12015550123", Rule.UNKNOWN_SCHEME),
        ("https://example.com", Rule.UNKNOWN_SCHEME),
        ("0012015550123", Rule.DIALLING_PREFIX),
        ("011493012345678", Rule.DIALLING_PREFIX),
        ("+12015", Rule.SHORT_CODE),
        ("+1201555", Rule.NOT_VALID),
        ("+9912015550", Rule.NOT_VALID),
        ("411", Rule.SHORT_CODE),
        ("72000", Rule.SHORT_CODE),
        (OWN, Rule.OWN_NUMBER),
        ("(201) 555-0100", Rule.OWN_NUMBER),
        ("+33123456789", Rule.COUNTRY),
        ("+18765551234", Rule.COUNTRY),
        ("+19005551234", Rule.PREMIUM),
        ("+12129761234", Rule.PREMIUM),
        ("+449012345678", Rule.PREMIUM),
        ("+870773111632", Rule.SATELLITE),
        ("+881612345678", Rule.SATELLITE),
        ("+883510012345678", Rule.SATELLITE),
        ("+61147123456", Rule.SATELLITE),
        ("+491801234567", Rule.SHARED_COST),
        ("+447012345678", Rule.SPECIAL_NUMBER),
        ("+15005550006", Rule.SPECIAL_NUMBER),
        ("+18005551234", Rule.TOLL_FREE),
        ("client:bob", Rule.CLIENT),
        ("client:anna?x=1", Rule.CLIENT),
        ("queue:hr", Rule.QUEUE),
    ],
)
def test_each_rule_refuses_what_it_names(target: object, expected: Rule) -> None:
    assert rule(target) == expected


@pytest.mark.parametrize("number", ["911", "112", "999", "110", "000", "1 1 2", "+112", "+1911"])
@pytest.mark.parametrize("by", list(By))
def test_nobody_dials_for_help(number: str, by: By) -> None:
    assert rule(number, by=by) == Rule.EMERGENCY


def test_the_emergency_numbers_of_every_region_are_known() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        code = phonenumbers.country_code_for_region(region)
        for number in ("112", "911", "999", "110", "119", "000", "15", "100", "190"):
            if phonenumbers.is_emergency_number(number, region):
                assert rule(number) == Rule.EMERGENCY
                assert rule(f"+{code}{number}") == Rule.EMERGENCY


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("sip:a@b@pbx.example.com", Rule.SIP_USER),
        ("sip:a:secret@pbx.example.com", Rule.SIP_USER),
        ("sip:a;x@pbx.example.com", Rule.SIP_USER),
        ("sip:a%40pbx.example.com@evil.example", Rule.SIP_ENCODING),
        ("sip:alice@evil.example", Rule.SIP_HOST),
        ("sip:alice@pbx.example.com.evil.example", Rule.SIP_HOST),
        ("sip:alice@10.20.30.41", Rule.SIP_IP),
        ("sip:alice@[::1]", Rule.SIP_IP),
        ("sip:alice@169090600", Rule.SIP_IP),
        ("sip:alice@0xa.20.30.40", Rule.SIP_IP),
        ("sip:alice@pbx.example.com:22", Rule.SIP_PORT),
        ("sip:alice@pbx.example.com:05060", Rule.SIP_PORT),
        ("sip:alice@pbx.example.com;maddr=10.0.0.1", Rule.SIP_PARAMETER),
        ("sip:alice@pbx.example.com;transport=tls;transport=udp", Rule.SIP_PARAMETER),
        ("sip:alice@pbx.example.com?Via=x", Rule.SIP_HEADER),
        ("sip:alice@pbx.example.com?X-Other=x", Rule.SIP_HEADER),
        ("sip:alice@pbx.example.com?X-Ref=1&x-ref=2", Rule.SIP_HEADER),
        ("sip:alice@pbx.example.com?X-Ref=" + "a" * 256, Rule.SIP_HEADER),
        ("sip:alice@pbx.example.com?X-Ref=a%0d%0aVia:x", Rule.SIP_ENCODING),
        ("sip:alice@pbx.example.com?X-Ref=a%250d", Rule.SIP_ENCODING),
        ("sip:alice@pbx.example.com?X-Ref=%c3%a9", Rule.SIP_ENCODING),
        ("sip:" + "a" * 250 + "@pbx.example.com", Rule.TOO_LONG),
        ("sip:alice@", Rule.SIP_SYNTAX),
        ("sip:", Rule.SIP_SYNTAX),
        ("sip:alice@pbx..example.com", Rule.SIP_SYNTAX),
        (" sip:alice@pbx.example.com", Rule.SIP_SYNTAX),
        ("sip:911@pbx.example.com", Rule.EMERGENCY),
        ("sip:+19005551234@pbx.example.com", Rule.PREMIUM),
        ("sip:19005551234@pbx.example.com", Rule.PREMIUM),
        ("sip:00491801234567@pbx.example.com", Rule.DIALLING_PREFIX),
        ("sip:+33123456789@pbx.example.com", Rule.COUNTRY),
        ("sip:+1201-5550123@pbx.example.com", Rule.SIP_USER),
        ("sip:201.5550123@pbx.example.com", Rule.SIP_USER),
        ("sip:+49030123456@pbx.example.com", Rule.NOT_VALID),
        ("sip:+12015550100@pbx.example.com", Rule.OWN_NUMBER),
    ],
)
def test_a_sip_address_is_refused_for_its_part(target: str, expected: Rule) -> None:
    assert rule(target) == expected


def test_schemes_and_ports_are_listed() -> None:
    only_tls = dataclasses.replace(OPEN, sip_schemes=("sips",), sip_ports=(5999,))
    assert rule("sip:alice@pbx.example.com", only_tls) == Rule.SIP_SCHEME
    assert rule("sips:alice@pbx.example.com:5061", only_tls) == Rule.SIP_PORT
    assert dialled("sips:alice@pbx.example.com:5999", only_tls)


def test_what_is_dialled_is_spelled_one_way() -> None:
    assert dialled(" +1 (201) 555-0123 ") == "+12015550123"
    assert dialled("(201) 555-0123") == "+12015550123"
    assert dialled("SIP:Alice@PBX.Example.COM;Transport=TLS") == (
        "sip:Alice@pbx.example.com;transport=tls"
    )
    assert dialled("sip:a@pbx.example.com?X-Ref=a%3bb&User-to-User=1/2") == (
        "sip:a@pbx.example.com?X-Ref=a%3Bb&User-to-User=1%2F2"
    )
    assert dialled("client:anna") == "client:anna"


def test_of_a_users_bare_digits_every_reading_must_be_allowed() -> None:
    assert dialled("sip:12015550123@pbx.example.com")
    # As a national number it is ours; with a plus before it, Egypt's.
    assert rule("sip:2015550123@pbx.example.com") == Rule.COUNTRY
    assert rule("sip:2015550123@pbx.example.com", by=By.MODEL) == Rule.NO_COUNTRY_CODE
    assert rule("sip:x2015550123@pbx.example.com", by=By.MODEL) == Rule.SIP_USER


def test_an_extension_is_an_emergency_where_the_line_is() -> None:
    german = DestinationRules(own_numbers=("+4930123456",), sip_hosts=("pbx.example.com",))
    assert rule("sip:110@pbx.example.com", german) == Rule.EMERGENCY
    assert dialled("sip:101@pbx.example.com", german)
    assert rule("sip:101@pbx.example.com", by=By.MODEL) == Rule.EMERGENCY
    assert rule("sip:200@pbx.example.com", by=By.MODEL) == Rule.SHORT_CODE


def test_by_default_only_the_countries_of_the_lines_own_numbers_are_reached() -> None:
    assert dialled("+12025550143", HOME)
    for abroad in ("+14165550123", "+18765551234", "+4930123456"):
        assert rule(abroad, HOME) == Rule.COUNTRY
    assert rule("+12025550143", DestinationRules()) == Rule.COUNTRY


def test_a_model_names_targets_by_their_key_only() -> None:
    rules = dataclasses.replace(HOME, targets={"desk": "(201) 555-0123", "pay": "+19005551234"})
    desk = asked("desk", rules, By.MODEL)
    assert isinstance(desk, Cleared)
    assert (desk.uri, desk.key, desk.by) == ("+12015550123", "desk", By.MODEL)
    assert rule("pay", rules, By.MODEL) == Rule.PREMIUM
    for free in ("+12015550123", CALLER, "Desk", "desk ", "sip:x@y"):
        refused = asked(free, rules, By.MODEL)
        assert isinstance(refused, Refused)
        assert refused.rule == Rule.NOT_A_TARGET
        assert refused.reason.endswith("There are: desk, pay.")


def test_free_numbers_are_the_callers_own_or_on_the_list() -> None:
    for by in (By.MODEL, By.CALLER, By.DATA):
        assert dialled(CALLER, by=by) == CALLER
        assert dialled("+49 30 123456", by=by) == "+4930123456"
        assert rule("+12015550123", by=by) == Rule.NOT_ON_LIST
        assert rule("(201) 555-0177", by=by) == Rule.NO_COUNTRY_CODE
    national = dataclasses.replace(OPEN, national_numbers=True)
    assert dialled("(201) 555-0177", national, By.MODEL) == CALLER
    abroad = judge(OPEN, "+33123456789", purpose=Purpose.SMS, by=By.MODEL, caller="+33123456789")
    assert isinstance(abroad, Refused)
    assert abroad.rule == Rule.COUNTRY


def test_a_number_of_the_operators_own_is_national_or_has_its_plus() -> None:
    german = DestinationRules(own_numbers=("+4930123456",))
    japanese = DestinationRules(own_numbers=("+81312345678",), countries=("DE", "JP"))
    assert dialled("030 223456", german) == "+4930223456"
    assert rule("4930223456", german) == Rule.NO_COUNTRY_CODE
    assert dialled("03-1234-5679", japanese) == "+81312345679"
    assert rule("010 4930223456", japanese) == Rule.DIALLING_PREFIX
    italian = DestinationRules(own_numbers=("+390212345678",))
    assert dialled("011 1234567", italian) == "+390111234567"


def test_the_longer_prefix_wins_and_deny_wins_when_both_are_as_long() -> None:
    rules = DestinationRules(
        countries=("US",),
        allow_prefixes=("+4930", "+49301"),
        deny_prefixes=("+49", "+49301", "+1415"),
    )
    assert dialled("+4930223456", rules)
    assert rule("+4930123456", rules) == Rule.DENY_PREFIX
    assert rule("+4989123456", rules) == Rule.DENY_PREFIX
    assert rule("+14155550123", rules) == Rule.DENY_PREFIX
    assert dialled("+12015550123", rules)


def test_a_special_range_is_opened_only_by_a_prefix_that_means_it() -> None:
    for number, broad, narrow in (
        ("+491801234567", "+491", "+49180"),
        ("+447012345678", "+44", "+44701"),
        ("+18005551234", "+1", "+1800"),
        ("+18765551234", "+1", "+1876"),
        ("+67210312345", "+672", "+67210"),
    ):
        assert rule(number, DestinationRules(allow_prefixes=(broad,))) is not None
        if phonenumbers.is_valid_number(phonenumbers.parse(number)):
            assert dialled(number, DestinationRules(allow_prefixes=(narrow,)))
    assert dialled("+18005551234", dataclasses.replace(HOME, toll_free=True))
    assert dialled("+18765551234", DestinationRules(countries=("JM",)))
    for never in ("+19005551234", "+870773111632"):
        assert rule(never, DestinationRules(allow_prefixes=(never,))) in (
            Rule.PREMIUM,
            Rule.SATELLITE,
        )


def test_each_purpose_takes_its_kinds() -> None:
    number, sip, queue = "+12015550123", "sip:a@pbx.example.com", "queue:sales"
    taken = {
        purpose: [t for t in (number, sip, queue) if rule(t, purpose=purpose) is None]
        for purpose in Purpose
    }
    assert taken == {
        Purpose.DIAL: [number, sip],
        Purpose.TRANSFER: [number, sip, queue],
        Purpose.REFER: [sip],
        Purpose.SMS: [number],
    }
    assert rule(sip, purpose=Purpose.SMS) == Rule.WRONG_KIND


def test_clients_and_queues_of_targets_count_as_listed() -> None:
    rules = DestinationRules(targets={"bob": "client:bob"})
    assert dialled("bob", rules, By.MODEL) == "client:bob"
    assert rule("client:eve", rules) == Rule.CLIENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"own_numbers": ("0201555",)},
        {"countries": ("us",)},
        {"allow_prefixes": ("49",)},
        {"deny_prefixes": ("+",)},
        {"sip_hosts": ("PBX.example.com",)},
        {"sip_headers": ("Via",)},
        {"queues": ("a b",)},
    ],
)
def test_rules_that_cannot_be_meant_are_not_made(wrong: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(RulesError, match="expected"):
        DestinationRules(**wrong)  # type: ignore[arg-type]


def test_every_rule_has_a_reason_without_digits_of_a_number() -> None:
    assert set(REASONS) == set(Rule)
    assert all(reason.endswith(".") for reason in REASONS.values())


@given(st.text() | st.from_regex(r"\+?[0-9 ().x,;-]{0,20}", fullmatch=True) | st.from_regex(
    r"sips?:[a-z0-9+%@]{0,9}@pbx\.example\.com[:;?=A-Za-z0-9%-]{0,20}", fullmatch=True
))  # fmt: skip
def test_what_is_cleared_is_cleared_again_and_whatever_comes_has_a_verdict(text: str) -> None:
    for by in (By.MODEL, By.OPERATOR):
        verdict = asked(text, by=by)
        if isinstance(verdict, Cleared):
            assert asked(verdict.uri, by=by) == verdict
            assert verdict.uri.isascii()
            assert verdict.uri.isprintable()
        else:
            assert verdict.rule in Rule
