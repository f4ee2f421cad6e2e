"""Invariant: who asks for a yes or a no on a turn gets the rule's answer, and nobody else does."""

import pytest
from openai import AsyncOpenAI

from app.lab.text.judgement import asks_for_judgement, judgement_of
from app.lab.text.server import LabTextModel, TextBehaviour

PROMPT = "Is the caller's utterance complete? Say yes or no."


@pytest.mark.parametrize(
    ("prompt", "asks"),
    [
        (PROMPT, True),
        ("NO if the caller is not done speaking, YES otherwise", True),
        ("Is it unfinished (yes/no)?", True),
        ("Summarise the complete call.", False),
        ("Does the caller sound angry? Yes or no.", False),
        ("Is it incompletely known? Nothing.", False),
    ],
)
def test_a_judgement_is_asked_for_in_words_of_ones_own(prompt: str, asks: bool) -> None:
    assert asks_for_judgement(prompt) is asks


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a table for", "no"),
        ("a table for two", "yes"),
        ("Agent: For how many?\nCaller: for", "no"),
        ("Agent: Your phone number?\nCaller: five five five four", "no"),
        ("Agent: Your code?\nCaller: five five five four", "yes"),
        ("Caller: a table\nfor two and", "no"),
        ("Agent: Hello?", "no"),
    ],
)
def test_the_caller_is_judged_by_the_words_and_the_question(text: str, answer: str) -> None:
    assert judgement_of(PROMPT, text) == answer


async def test_the_server_answers_both_questions_that_it_knows() -> None:
    async with (
        LabTextModel(api_key="sk-lab") as lab,
        AsyncOpenAI(api_key="sk-lab", base_url=lab.base_url, max_retries=0) as client,
    ):

        async def ask(prompt: str) -> str:
            response = await client.responses.create(
                model="m", instructions=prompt, input="Caller: a table for", max_output_tokens=500
            )
            return response.output_text

        assert await ask(PROMPT) == "no"
        assert (await ask("Summarise the call.")).startswith("{")
        lab.behaviour = TextBehaviour(judgement_delay_ms=60_000)
        assert (await ask("Summarise the call.")).startswith("{")
        assert lab.asked == 3
        assert len(lab.peers) == 1
