"""A caller who needs help now is recognised in seven languages; who only speaks of it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy.emergency import EmergencyKind, emergency_in, emergency_number

MEDICAL, FIRE, POLICE, SELF_HARM, UNSPECIFIED = EmergencyKind


@pytest.mark.parametrize(
    ("said", "kind", "language"),
    [
        ("Please, I need an ambulance!", MEDICAL, "en"),
        ("We need you to send an ambulance", MEDICAL, "en"),
        ("oh god my husband isn't breathing", MEDICAL, "en"),
        ("I think I'm having a heart attack", MEDICAL, "en"),
        ("there's a fire in my kitchen", FIRE, "en"),
        ("the house is on fire", FIRE, "en"),
        ("Call the police, somebody is breaking into my flat", POLICE, "en"),
        ("he has a gun", POLICE, "en"),
        ("I want to kill myself", SELF_HARM, "en"),
        ("this is an emergency", UNSPECIFIED, "en"),
        ("please call 911", UNSPECIFIED, "en"),
        ("dial nine one one now", UNSPECIFIED, "en"),
        ("dial 9-1-1", UNSPECIFIED, "en"),
        ("Ich brauche sofort einen Krankenwagen", MEDICAL, "de"),
        ("Meine Mutter atmet nicht mehr", MEDICAL, "de"),
        ("Es brennt in der Küche", FIRE, "de"),
        ("Rufen Sie schnell die Polizei", POLICE, "de"),
        ("Ich will nicht mehr leben", SELF_HARM, "de"),
        ("Rufen Sie die 112", UNSPECIFIED, "de"),
        ("J'ai besoin d'une ambulance", MEDICAL, "fr"),
        ("Appelez les pompiers !", FIRE, "fr"),
        ("Il a un couteau", POLICE, "fr"),
        ("Necesito una ambulancia", MEDICAL, "es"),
        ("Mi casa está en llamas", FIRE, "es"),
        ("Llamen a la policía", POLICE, "es"),
        ("Ho bisogno di un'ambulanza", MEDICAL, "it"),
        ("C'è un ladro in casa mia", POLICE, "it"),
        ("Preciso de uma ambulância", MEDICAL, "pt"),
        ("Chamem os bombeiros", FIRE, "pt"),
        ("Ik heb een ambulance nodig", MEDICAL, "nl"),
        ("Bel snel de brandweer", FIRE, "nl"),
    ],
)
def test_who_needs_help_is_recognised(said: str, kind: EmergencyKind, language: str) -> None:
    found = emergency_in(said)
    assert found is not None
    assert (found.kind, found.language) == (kind, language)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "I don't need an ambulance",
        "I'd like a quote for fire insurance",
        "My order number is 911",
        "911",
        "a Porsche 911",
        "Is this about the police report?",
        "I will call the police if you don't refund me",
        "what should I do if my house is on fire",
        "I was so embarrassed, I want to die laughing",
        "we had a fire drill in the kitchen",
        "Do you repair ambulances?",
        "He shot a great movie",
        "Ich brauche keinen Krankenwagen",
        "Wenn es brennt im Haus, was zahlt die Versicherung?",
        "Ich möchte eine Feuerversicherung",
        "Je n'ai pas besoin d'une ambulance",
        "No necesito una ambulancia",
        "Non ho bisogno di un'ambulanza",
        "Não preciso de uma ambulância",
        "Ik heb geen ambulance nodig",
        "I live at 112 High Street",
        "can I book a table for nine on the eleventh",
    ],
)
def test_who_speaks_of_it_is_not(said: str) -> None:
    assert emergency_in(said) is None


@given(st.text())
def test_any_words_can_be_heard(said: str) -> None:
    emergency_in(said)


def test_keys_of_a_number_for_help_are_known() -> None:
    assert all(emergency_number(keys) for keys in ("911", "112"))
    for keys in ("", "4711", "9112015550", "٩١١", "12#", "911#", "1", "11", "•••"):
        assert not emergency_number(keys, (BERLIN, LONDON))


BERLIN, LONDON, PARIS = "+4930123456", "+442079460000", "+33142685300"


@pytest.mark.parametrize(
    ("keys", "near"), [("110", BERLIN), ("999", LONDON), ("000", "+61255501234")]
)
def test_a_countrys_own_number_counts_near_it_only(keys: str, near: str) -> None:
    assert emergency_number(keys, ("", near))
    assert not emergency_number(keys)
    assert not emergency_number(keys, ("anonymous", "+1", "", PARIS))


def test_so_few_keys_are_a_choice_or_a_count() -> None:
    assert not any(emergency_number(keys, (PARIS,)) for keys in ("15", "17", "18"))
