"""One setting says who places calls; what is missing for it is told by name, and a plan that its
carrier cannot go by never begins."""

from dataclasses import replace

import pytest

from app.calls_out import BY_ITS_BEEP, NO_TEXTS, UnfitPlanError, carrier_of, check_plan
from app.campaign_carrier import TwilioCarrier
from app.campaigns.plan import CallerIds, Machines, Plan, Step
from app.pbx_carrier import PbxCarrier
from app.rest_line import RestLine
from app.settings import Settings, SettingsError, load_settings

TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "PUBLIC_URL": "https://bot.example.com",
}
ARI = {
    "EARSHOT_ARI_URL": "http://127.0.0.1:8088/",
    "EARSHOT_ARI_USER": "bot",
    "EARSHOT_ARI_PASSWORD": "a-password-of-16",
}
PBX = {"EARSHOT_PBX_USER": "pbx", "EARSHOT_PBX_PASSWORD": "a-password-of-16"}


def load(**env: str) -> Settings:
    return load_settings(env=env, env_file=None)


@pytest.mark.parametrize(
    ("env", "places"),
    [
        ({}, "twilio"),
        (TWILIO, "twilio"),
        (TWILIO | PBX, "twilio"),
        (ARI | PBX, "pbx"),
        ({"EARSHOT_ARI_USER": "bot"}, "pbx"),
        (TWILIO | ARI | PBX, "twilio"),
        (TWILIO | ARI | PBX | {"EARSHOT_CALLS_OUT": "pbx"}, "pbx"),
        (ARI | PBX | {"EARSHOT_CALLS_OUT": "twilio"}, "twilio"),
    ],
)
def test_who_places_calls(env: dict[str, str], places: str) -> None:
    settings = load(**env)
    assert settings.places_by == places
    kind = TwilioCarrier if places == "twilio" else PbxCarrier
    if places == "twilio" or settings.pbx_keys:
        assert isinstance(carrier_of(settings, RestLine(settings)), kind)


def test_all_is_there_that_placing_needs() -> None:
    for env in (TWILIO, ARI | PBX):
        settings = load(**env)
        settings.require(*settings.needed_to_place)
        assert not [w for w in settings.warnings if "PBX" in w]
    proxied = load(**ARI, EARSHOT_PBX_PROXY_HEADER="X-Client-Verified=a-long-secret")
    proxied.require(*proxied.needed_to_place)
    assert proxied.pbx_keys == ("X-Client-Verified=a-long-secret",)


@pytest.mark.parametrize("missing", sorted(ARI | PBX))
def test_each_missing_setting_is_one_line(missing: str) -> None:
    given = {name: value for name, value in (ARI | PBX).items() if name != missing}
    settings = load(**given, EARSHOT_CALLS_OUT="pbx")
    with pytest.raises(SettingsError) as caught:
        settings.require(*settings.needed_to_place)
    assert str(caught.value).startswith(missing) or missing in str(caught.value)


def test_half_a_login_and_an_open_choice_are_warned_of() -> None:
    [half] = load(EARSHOT_ARI_URL="http://127.0.0.1:8088").warnings
    assert "EARSHOT_ARI_USER, EARSHOT_ARI_PASSWORD is not set" in half
    [both] = load(**TWILIO, **ARI, **PBX).warnings
    assert "EARSHOT_CALLS_OUT" in both
    assert load(**TWILIO, **ARI, **PBX, EARSHOT_CALLS_OUT="twilio").warnings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EARSHOT_ARI_URL", "127.0.0.1:8088"),
        ("EARSHOT_ARI_URL", "http://127.0.0.1:8088/ari"),
        ("EARSHOT_ARI_URL", "http://bot:7g3k@127.0.0.1:8088"),
        ("EARSHOT_ARI_USER", "bot:secret"),
        ("EARSHOT_ARI_PASSWORD", "7g3k"),
        ("EARSHOT_CALLS_OUT", "asterisk"),
    ],
)
def test_a_wrong_setting_is_told_without_its_secret(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**{name: value})
    assert str(caught.value).startswith(f"{name}: expected ")
    assert "7g3k" not in str(caught.value)


def plan(machines: Machines, trunk: str = "") -> Plan:
    ids = CallerIds(numbers=("+442079460101",), trunk=trunk)
    return Plan(name="spring", agent="sales", caller_ids=ids, machines=machines)


def test_a_plan_for_the_pbx_is_told_what_is_otherwise() -> None:
    notes: list[str] = []
    check_plan(load(**ARI, **PBX), plan(Machines(message="Hello.")), notes.append)
    assert notes == [BY_ITS_BEEP]
    for silent in (Machines(detect=False), Machines(on_machine="talk")):
        check_plan(load(**ARI, **PBX), plan(silent), notes.append)
    check_plan(load(**TWILIO), plan(Machines(), "BY" + "0" * 32), notes.append)
    assert len(notes) == 1
    texts = replace(plan(Machines(detect=False)), steps=(Step(then="sms", text="Hello."),))
    check_plan(load(**ARI, **PBX), texts, notes.append)
    check_plan(load(**TWILIO, **ARI, **PBX, EARSHOT_CALLS_OUT="pbx"), texts, notes.append)
    assert notes[1:] == [NO_TEXTS]
    with pytest.raises(UnfitPlanError, match="BOT_TRUNK"):
        check_plan(load(**ARI, **PBX), plan(Machines(), "BY" + "0" * 32), notes.append)
