"""<Gather> takes keys and words, and tells its action which of them it was."""

import pytest

from app.lab.phone import Press, Say, SayPieces, Script, Wait, WaitForBot
from app.lab.phone.script import Piece, Step
from tests.lab.phone.bots import WebBot, twiml
from tests.lab.phone.carrier import BRISK, LOW, account, call


def document(attributes: str, inside: str = "<Say>Yes or no? Say it or press</Say>") -> str:
    return twiml(f'<Gather action="/got" {attributes}>{inside}</Gather>', "<Say>Nothing</Say>")


async def gathered(attributes: str, *steps: Step, confidence: float = 0.9) -> dict[str, str] | None:
    """What the action was told, or None when the call went on with the next verb."""
    script = Script(steps, confidence=confidence, limit_ms=6_000)
    async with WebBot({"/voice": document(attributes), "/got": twiml(), "/part": 204}) as bot:
        await call(bot, account(), script)
        forms = bot.forms("/got")
    return forms[0] if forms else None


async def test_words_go_to_the_action_with_a_confidence() -> None:
    form = await gathered(
        'input="speech" speechTimeout="auto"', WaitForBot.finished(60), Say(LOW, "yes please")
    )
    assert form is not None
    assert (form["SpeechResult"], float(form["Confidence"])) == ("yes please", 0.9)
    assert "Digits" not in form


async def test_several_sentences_are_one_result_if_the_pause_is_short() -> None:
    form = await gathered(
        'input="dtmf speech" speechTimeout="1"', Say(LOW, "yes"), Wait(300), Say(LOW, "please")
    )
    assert form is not None
    assert form["SpeechResult"] == "yes please"


async def test_a_halting_sentence_is_one_result() -> None:
    pieces = SayPieces((Piece(LOW, "I", 200), Piece(LOW, "agree")))
    form = await gathered('input="speech" speechTimeout="auto"', pieces)
    assert form is not None
    assert form["SpeechResult"] == "I ... agree"


@pytest.mark.parametrize("attributes", ['input="dtmf speech"', "", 'input="dtmf"'])
async def test_keys_are_taken_where_they_may_be(attributes: str) -> None:
    form = await gathered(f'{attributes} numDigits="2"', Wait(100), Press("42"))
    assert form is not None
    assert form["Digits"] == "42"


async def test_a_key_beats_words_that_have_begun() -> None:
    form = await gathered(
        'input="dtmf speech" numDigits="1" speechTimeout="3"', Say(LOW, "well"), Press("7")
    )
    assert form is not None
    assert (form["Digits"], form.get("SpeechResult")) == ("7", None)


@pytest.mark.parametrize(
    ("attributes", "steps"),
    [
        ('input="speech" timeout="1"', (Press("1"),)),
        ('input="dtmf" timeout="1"', (Say(LOW, "yes"),)),
        ('input="speech" timeout="1" speechTimeout="auto"', (Say(LOW, ""),)),
        ('input="speech" timeout="1"', (Say(LOW, "a cough", kind="cough"),)),
    ],
)
async def test_what_is_not_understood_is_nothing(attributes: str, steps: tuple[Step, ...]) -> None:
    assert await gathered(attributes, *steps) is None


async def test_an_empty_result_is_told_if_it_shall_be() -> None:
    form = await gathered('input="speech" timeout="0" actionOnEmptyResult="true"')
    assert form is not None
    assert form["SpeechResult"] == ""


async def test_the_key_that_ended_it_is_told() -> None:
    form = await gathered('finishOnKey="*"', Press("12*"))
    assert form is not None
    assert (form["Digits"], form["FinishedOnKey"]) == ("12", "*")


async def test_partial_results_come_while_the_person_speaks() -> None:
    attributes = 'input="speech" speechTimeout="1" partialResultCallback="/part"'
    pages: dict[str, str | int] = {
        "/voice": document(attributes),
        "/got": twiml(),
        "/part": 204,
    }
    script = Script((Say(LOW, "a table"), Wait(200), Say(LOW, "for two")))
    async with WebBot(pages) as bot:
        await call(bot, account(), script)
        parts = bot.forms("/part")
    assert [part["UnstableSpeechResult"] for part in parts] == ["a table", "a table for two"]
    assert [part["SequenceNumber"] for part in parts] == ["0", "1"]


@pytest.mark.parametrize(("barge_in", "characters"), [("true", 2_000), ("false", 300)])
async def test_words_cut_the_prompt_unless_they_must_not(barge_in: str, characters: int) -> None:
    attributes = f'input="speech" speechTimeout="auto" bargeIn="{barge_in}"'
    prompt = f"<Say>{'x' * characters}</Say>"
    async with WebBot({"/voice": document(attributes, prompt), "/got": twiml()}) as bot:
        report = await call(bot, account(), Script((Wait(60), Say(LOW, "stop"))))
        assert bot.forms("/got")[0]["SpeechResult"] == "stop"
    gather = report.verbs[-1]
    whole_ms = characters * BRISK.say_ms_per_char
    assert (gather.ended_ms - gather.began_ms < whole_ms) is (barge_in == "true")


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ('input="smell"', 12100),
        ('finishOnKey="x"', 13310),
        ('timeout="soon"', 13311),
        ('speechTimeout="x"', 13335),
    ],
)
async def test_attributes_that_make_no_sense_are_refused(attributes: str, code: int) -> None:
    async with WebBot({"/voice": document(attributes)}) as bot:
        report = await call(bot, account(), Script(()))
    assert [error.code for error in report.errors] == [code]
