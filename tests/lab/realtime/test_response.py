"""Invariant: every response ends in exactly one `response.done` that tells the truth about it."""

import asyncio
from collections.abc import Sequence

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from tests.lab.realtime.driver import AsideScriptedBrain, RawClient, ScriptedBrain, World, tone

TOOL = {"type": "function", "name": "book_table", "parameters": {"type": "object"}}
TEXT_ONLY = ["text"]


async def respond(client: RawClient, **response: object) -> dict[str, object]:
    await client.send("response.create", response=response)
    done: dict[str, object] = (await client.until("response.done"))["response"]
    return done


async def test_a_preamble_and_a_function_call_share_one_response(world: World) -> None:
    call = CallFunction("book_table", {"people": 2, "name": "the caller"})
    world.brain = ScriptedBrain([Say("One moment."), call], [Say("It is booked.")])
    client = await world.session(tools=[TOOL])
    await client.send("response.create")
    done = (await client.until("response.done"))["response"]
    message, function = done["output"]
    assert (message["type"], function["type"]) == ("message", "function_call")
    deltas = [
        e["delta"] for e in client.events if e["type"] == "response.function_call_arguments.delta"
    ]
    finished = next(
        e for e in client.events if e["type"] == "response.function_call_arguments.done"
    )
    assert "".join(deltas) == finished["arguments"] == function["arguments"]
    assert function["arguments"] == '{"people":2,"name":"the caller"}'
    assert finished["name"] == function["name"] == "book_table"
    assert finished["call_id"] == function["call_id"]


async def test_a_function_output_is_answered_only_when_asked(world: World) -> None:
    world.brain = ScriptedBrain([CallFunction("book_table")], [Say("It is booked.")])
    client = await world.session(tools=[TOOL])
    await client.send("response.create")
    call = (await client.until("response.done"))["response"]["output"][0]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": '"ok"'}
    await client.send("conversation.item.create", item=output)
    await client.until("conversation.item.done")
    assert len(world.brain.shown) == 1
    await client.send("response.create")
    await client.until("response.done")
    assert world.brain.shown[1] == [
        Turn("function_call", "{}", name="book_table"),
        Turn("function_call_output", '"ok"'),
    ]


async def test_a_function_that_no_tool_offers_is_never_called(world: World) -> None:
    world.brain = ScriptedBrain([CallFunction("drop_tables"), Say("No.")], [CallFunction("b")])
    client = await world.session(tools=[TOOL, {"type": "function", "name": "b"}])
    await client.send("response.create")
    done = (await client.until("response.done"))["response"]
    assert [item["type"] for item in done["output"]] == ["message"]
    assert "drop_tables" in world.log.notes[0]
    assert (await respond(client, tool_choice="none"))["output"] == []


async def test_several_items_in_a_response_have_their_own_ids_and_indexes(world: World) -> None:
    world.brain = ScriptedBrain([Say("First part."), Say("Second part.")])
    client = await world.session()
    await client.send("response.create")
    done = (await client.until("response.done"))["response"]
    ids = [item["id"] for item in done["output"]]
    for index, item_id in enumerate(ids):
        mine = [e for e in client.events if e.get("item_id") == item_id]
        assert {e["output_index"] for e in mine} == {index}
    assert list(world.log.items) == ids


async def test_a_text_response_has_no_audio(world: World) -> None:
    world.brain = ScriptedBrain([Say("Nine to five.")])
    client = await world.session(output_modalities=TEXT_ONLY)
    await client.send("response.create")
    done = (await client.until("response.done"))["response"]
    assert done["output"][0]["content"] == [{"type": "output_text", "text": "Nine to five."}]
    words = [e["delta"] for e in client.events if e["type"] == "response.output_text.delta"]
    assert "".join(words) == "Nine to five."
    assert not any("audio" in name for name in client.types() if name.startswith("response."))
    assert world.mouth.said == []


async def test_out_of_band_responses_run_beside_and_leave_no_trace(world: World) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=4.0)
    world.brain = AsideScriptedBrain([Say("A long answer. " * 5)])
    client = await world.session()
    await client.send("response.create")
    main_id = (await client.until("response.created"))["response"]["id"]
    await client.until("response.output_audio.delta")
    aside = {"conversation": "none", "metadata": {"kind": "summary"}}
    done = await respond(client, **aside, output_modalities=TEXT_ONLY)
    assert done["id"] != main_id
    assert done["conversation_id"] is None
    assert done["metadata"] == {"kind": "summary"}
    aside_id = done["output"][0]["id"]  # type: ignore[index]
    assert not any(
        e.get("item", {}).get("id") == aside_id and "conversation" in e["type"]
        for e in client.events
    )
    await client.send("response.cancel", response_id=main_id)
    assert (await client.until("response.done"))["response"]["id"] == main_id


async def test_a_caller_who_speaks_interrupts_the_answer_and_not_what_runs_beside_it(
    world: World,
) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=1.0, text_step_ms=100)
    world.brain = AsideScriptedBrain([Say("A very long answer indeed. " * 5)], [Say("Yes?")])
    client = await world.session()
    await client.send("response.create")
    await client.until("response.output_audio.delta")
    aside = {"conversation": "none", "output_modalities": TEXT_ONLY, "instructions": "Sum up."}
    await client.send("response.create", response={**aside, "metadata": {"kind": "summary"}})
    await client.until("response.output_text.delta")
    await client.speak(tone(200))
    cut = (await client.until("response.done"))["response"]
    assert (cut["status"], cut["metadata"]) == ("cancelled", None)
    assert cut["status_details"]["reason"] == "turn_detected"
    done = (await client.until("response.done"))["response"]
    assert (done["status"], done["conversation_id"]) == ("completed", None)
    assert done["metadata"] == {"kind": "summary"}
    created = [e["response"] for e in client.events if e["type"] == "response.created"]
    assert [r["metadata"] for r in created] == [None, {"kind": "summary"}]
    assert done["output"][0]["content"] == [{"type": "output_text", "text": "summary of 0 turns"}]
    mine = [e for e in client.events if e.get("response_id") == done["id"]]
    assert [e["type"] for e in mine if "delta" not in e["type"]] == [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ]
    deltas = [e["delta"] for e in mine if e["type"] == "response.output_text.delta"]
    assert "".join(deltas) == "summary of 0 turns"
    assert done["output"][0]["id"] not in world.log.context()


async def test_several_asides_run_at_once_and_are_told_apart_by_their_metadata(
    world: World,
) -> None:
    world.behaviour = Behaviour(think_ms=600_000)
    client = await world.session(output_modalities=TEXT_ONLY)
    for name in ("a", "b", "c"):
        response = {"conversation": "none", "metadata": {"name": name}}
        await client.send("response.create", response=response)
    running = [(await client.until("response.created"))["response"] for _ in range(3)]
    assert [r["metadata"]["name"] for r in running] == ["a", "b", "c"]
    await client.send("response.cancel", response_id=running[1]["id"])
    assert (await client.until("response.done"))["response"]["metadata"] == {"name": "b"}
    await client.send("response.cancel")
    assert (await client.until("error"))["error"]["code"] == "response_cancel_not_active"


async def test_a_summary_is_billed_for_all_it_reads_and_cached_where_the_beginning_is_the_same(
    world: World,
) -> None:
    world.brain = AsideScriptedBrain([Say("Hi.", audio=bytes(8 * 1000))])
    client = await world.session(instructions="x" * 40)
    await client.send("response.create")
    first = (await client.until("response.done"))["response"]
    aside = {"conversation": "none", "output_modalities": TEXT_ONLY}
    told = (await respond(client, **aside, instructions="y" * 80))["usage"]
    assert told["input_token_details"]["audio_tokens"] == 20  # type: ignore[index]
    assert told["input_token_details"]["text_tokens"] == 21  # type: ignore[index]
    assert told["input_token_details"]["cached_tokens"] == 0  # type: ignore[index]
    assert told["output_token_details"]["audio_tokens"] == 0  # type: ignore[index]
    asked = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "z"}]}
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    cheap = (await respond(client, **aside, input=[reference, asked]))["usage"]
    assert cheap["input_token_details"]["cached_tokens"] == 10  # type: ignore[index]
    again = (await respond(client, **aside, instructions="y" * 80))["usage"]
    assert again["input_token_details"]["cached_tokens"] == 0  # type: ignore[index]
    again = (await respond(client, **aside, instructions="y" * 80))["usage"]
    assert again["input_token_details"]["cached_tokens"] == 41  # type: ignore[index]


async def test_faults_can_hit_the_summaries_only(world: World) -> None:
    world.behaviour = Behaviour(
        think_ms=0, response_error="server_error", faulty_kind="out_of_band"
    )
    client = await world.session(output_modalities=TEXT_ONLY)
    assert (await respond(client, conversation="none"))["status"] == "failed"
    assert (await respond(client))["status"] == "completed"


async def test_an_aside_does_not_move_the_dialog_of_a_brain_that_can_do_it(world: World) -> None:
    world.brain = AsideScriptedBrain([Say("First line.")])
    client = await world.session(output_modalities=TEXT_ONLY)
    done = await respond(client, conversation="none")
    assert "summary of 0 turns" in str(done["output"])
    assert "First line." in str((await respond(client))["output"])


async def test_overrides_hold_for_one_response_only(world: World) -> None:
    client = await world.session(instructions="Be kind.", output_modalities=TEXT_ONLY)
    text = [{"type": "input_text", "text": "kept"}]
    item = {"type": "message", "role": "user", "id": "kept", "content": text}
    await client.send("conversation.item.create", item=item)
    await respond(client, instructions="Say exactly: boo.", input=[])
    reference = {"type": "item_reference", "id": "kept"}
    extra = {"type": "message", "role": "system", "content": text}
    await respond(client, input=[extra, reference])
    await respond(client)
    assert world.brain.instructions == ["Say exactly: boo.", "Be kind.", "Be kind."]
    assert world.brain.shown[0] == []
    assert [turn.role for turn in world.brain.shown[1]] == ["system", "user"]
    assert [turn.role for turn in world.brain.shown[2]] == ["user", "assistant", "assistant"]


async def test_a_second_response_is_refused_while_one_is_active(world: World) -> None:
    world.behaviour = Behaviour(mute=True)
    client = await world.session()
    await client.send("response.create")
    await client.until("response.created")
    await client.send("response.create", event_id="too-early")
    error = (await client.until("error"))["error"]
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] == "too-early"
    await client.send("response.cancel")
    done = (await client.until("response.done"))["response"]
    assert (done["status"], done["output"]) == ("cancelled", [])
    assert done["status_details"]["reason"] == "client_cancelled"
    await client.send("response.cancel", response_id=done["id"])
    assert (await client.until("error"))["error"]["code"] == "response_cancel_not_active"


async def test_a_cancelled_item_is_closed_and_keeps_what_was_said(world: World) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=4.0)
    world.brain = ScriptedBrain([Say("A very long answer indeed. " * 5)])
    client = await world.session()
    await client.send("response.create")
    await client.until("response.output_audio.delta")
    await client.send("response.cancel")
    await client.until("response.output_audio.done")
    done = (await client.until("response.done"))["response"]
    item = done["output"][0]
    assert item["status"] == "incomplete"
    said = world.log.items[item["id"]]
    assert item["content"][0]["transcript"] == said.text
    assert 0 < said.audio_ms < 60 * len("A very long answer indeed. " * 5)
    tail = client.types()[-5:]
    assert tail[0] == "response.output_audio_transcript.done"
    assert tail[1:4] == [
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
    ]


async def test_usage_counts_audio_by_time_and_caches_what_was_read_before(world: World) -> None:
    world.brain = ScriptedBrain([Say("Hi.", audio=bytes(8 * 1000))], [Say("Ho.", audio=b"")])
    client = await world.session(instructions="x" * 40)
    await client.send("response.create")
    first = (await client.until("response.done"))["response"]["usage"]
    assert first["output_token_details"] == {"audio_tokens": 20, "text_tokens": 1}
    assert first["input_token_details"]["text_tokens"] == 10
    assert first["input_token_details"]["cached_tokens"] == 0
    await client.send("response.create")
    second = (await client.until("response.done"))["response"]["usage"]
    assert second["input_token_details"]["audio_tokens"] == 20
    assert second["input_token_details"]["cached_tokens"] == first["input_tokens"]
    assert second["total_tokens"] == second["input_tokens"] + second["output_tokens"]


async def test_a_token_limit_cuts_the_answer_short(world: World) -> None:
    world.brain = ScriptedBrain([Say("Long. " * 20)])
    client = await world.session(max_output_tokens=30)
    await client.send("response.create")
    done = (await client.until("response.done"))["response"]
    assert (done["status"], done["max_output_tokens"]) == ("incomplete", 30)
    assert done["status_details"]["reason"] == "max_output_tokens"
    assert world.log.items[done["output"][0]["id"]].audio_ms < 60 * len("Long. " * 20)


async def test_a_stall_holds_back_the_rest_of_the_answer(world: World) -> None:
    say = Say("Wait.", audio=bytes(8 * 1000), stall_after_ms=500, stall_ms=600_000)
    world.brain = ScriptedBrain([say])
    client = await world.session()
    await client.send("response.create")
    await client.until("response.output_audio.delta")
    item = next(iter(world.log.items.values()))
    while item.audio_ms < 500:
        await client.until("response.output_audio.delta")
    await asyncio.sleep(0.1)
    await client.send("response.cancel")
    await client.until("response.done")
    assert item.audio_ms == 500


async def test_a_brain_that_breaks_fails_the_response_and_nothing_else(world: World) -> None:
    class Broken(ScriptedBrain):
        def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
            raise ValueError("scripted")

    world.brain = Broken()
    client = await world.session()
    await client.send("response.create")
    done = (await client.until("response.done"))["response"]
    assert done["status_details"]["error"]["code"] == "server_error"
    assert world.log.notes != []
    await client.setup()


async def test_faults_of_the_model_hit_the_chosen_responses_only(world: World) -> None:
    world.behaviour = Behaviour(think_ms=0, rate_limited=True, faulty_responses=frozenset({2}))
    client = await world.session(output_modalities=TEXT_ONLY)
    statuses = [(await respond(client))["status"] for _ in range(3)]
    assert statuses == ["completed", "failed", "completed"]
    limits = [e["rate_limits"] for e in client.events if e["type"] == "rate_limits.updated"]
    assert [all(limit["remaining"] == 0 for limit in told) for told in limits] == [
        False,
        True,
        False,
    ]
    failed = [e["response"] for e in client.events if e["type"] == "response.done"][1]
    assert failed["status_details"]["error"]["code"] == "rate_limit_exceeded"


async def test_a_response_can_fail_with_any_code(world: World) -> None:
    world.behaviour = Behaviour(response_error="insufficient_quota")
    client = await world.session()
    await client.send("response.create")
    details = (await client.until("response.done"))["response"]["status_details"]
    assert details["type"] == "failed"
    assert details["error"]["code"] == "insufficient_quota"


async def test_the_socket_is_read_while_the_brain_thinks(world: World) -> None:
    world.behaviour = Behaviour(think_ms=600_000)
    client = await world.session()
    await client.send("response.create")
    await client.until("response.created")
    await client.setup()
    await client.send("response.cancel")
    assert (await client.until("response.done"))["response"]["status"] == "cancelled"


async def test_a_cancel_before_the_first_step_still_ends_in_one_done(world: World) -> None:
    client = await world.session()
    await client.send("response.create")
    await client.send("response.cancel")
    await client.until("response.done")
    await client.setup()
    await asyncio.sleep(0.05)
    await client.setup()
    assert client.types().count("response.done") == 1
