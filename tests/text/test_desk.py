"""Every message is answered once by one turn at a time, keywords are heeded before anything else,
and a call's memory goes over into messages and back."""

import asyncio
import json
from pathlib import Path

import pytest

from app.agents.sms_table import Sms
from app.call.events import Entry, Snapshot
from app.carriers.twilio.sms import DeliveryReport
from app.models.openai_chat import Called, Message, Returned
from app.text import writing
from app.text.desk import CallOver
from app.text.prompt import CALL_BEGINS, CALL_ENDS
from app.text.talk import Talk, Waiting, encode, read_talk
from tests.live.store import until
from tests.text.play import OURS, THEIRS, Played, calls, says

SERVICE = "MG" + "a" * 32


@pytest.fixture
def world(tmp_path: Path) -> Played:
    return Played(tmp_path)


def over(summary: str = "", *entries: Entry, **more: str) -> CallOver:
    snapshot = Snapshot("CA1", "inbound", summary=summary, entries=entries)
    given = {"agent": "desk", "theirs": THEIRS, "ours": OURS, **more}
    return CallOver("CA1", snapshot, **given)


CALL = over(
    '{"who": "Ada"}',
    Entry("caller", "i1", "A table for two"),
    Entry("tool", "i2", call_id="c9", name="book", arguments="{}", output='{"code": "1"}'),
    Entry("keys", "i3", "4 2"),
    Entry("caller", "i4"),
    Entry("agent", "i5", "It is booked."),
)


async def test_a_copy_of_a_message_is_answered_once_before_and_after_its_turn(
    world: Played,
) -> None:
    await asyncio.gather(world.text("Hello?", sid="SM9"), world.text("Hello?", sid="SM9"))
    assert await world.answered() == ["Yes."]
    await world.text("Hello?", sid="SM9")
    assert await world.answered() == ["Yes."]
    assert len(world.asked) == 1


async def test_what_comes_during_a_turn_is_one_turn_after_it(world: Played) -> None:
    world.gate = asyncio.Event()
    await world.text("One")
    await until(lambda: len(world.asked) == 1)
    await world.text("Two")
    await world.text("Three")
    world.gate.set()
    assert await world.answered() == ["Yes.", "Yes."]
    said = [item.text for item in world.asked[1][1] if isinstance(item, Message)]
    assert said == ["One", "Yes.", "Two", "Three"]


async def test_what_comes_in_at_the_very_end_of_a_turn_is_seen(
    world: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled, late = world.store.settled, [Waiting("SM9", "Two", 0.0, "text", OURS, THEIRS)]

    async def settle(conversation: str) -> None:
        await settled(conversation)
        if late:
            await world.store.accept(conversation, "SM9", encode(late.pop()))

    monkeypatch.setattr(world.store, "settled", settle)
    await world.text("One")
    assert await world.answered() == ["Yes.", "Yes."]


async def test_two_workers_never_write_in_one_conversation_at_a_time(world: Played) -> None:
    other = world.worker()
    world.gate = asyncio.Event()
    await world.text("One")
    await until(lambda: len(world.asked) == 1)
    other._see_to(world.conversation)
    await until(lambda: other.busy == 0)
    world.gate.set()
    assert await world.answered() == ["Yes."]
    assert len(world.asked) == 1


async def test_a_worker_that_lost_its_lease_writes_and_sends_nothing_more(world: Played) -> None:
    world.gate = asyncio.Event()
    await world.text("One")
    await until(lambda: len(world.asked) == 1)
    world.leases._ours.clear()
    world.gate.set()
    assert await world.answered() == []
    world.desk._see_to(world.conversation)
    assert await world.answered() == ["Yes."], "whoever has it goes on"


async def test_another_worker_takes_up_what_is_overdue(
    world: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.text.desk.LOOK_S", 0.01)
    message = Waiting("SM1", "Hello?", world.clock.now_s, "text", OURS, THEIRS, "reception")
    await world.store.accept(world.conversation, "SM1", encode(message))
    task = asyncio.create_task(world.desk.run())
    await asyncio.sleep(0.05)
    assert world.asked == [], "its own worker has a while"
    world.clock.now_s += 60
    await until(lambda: len(world.sent) == 1)
    await world.answered()
    assert await world.store.due(0) == []
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("opt_out", ["", "STOP"])
async def test_stop_is_heeded_and_never_answered(world: Played, opt_out: str) -> None:
    await world.text("Stop!" if not opt_out else "whatever", opt_out=opt_out)  # type: ignore[arg-type]
    await world.text("Hello?")
    await world.text("HELP")
    assert await world.answered() == []
    assert world.asked == []
    assert await world.desk.begin_from_call(CALL) == "opted_out"
    await world.text("Yes")
    assert not await world.outs.is_out(THEIRS)
    await world.text("Yes")
    assert await world.answered() == ["Yes."], "now it is an answer"


async def test_help_is_answered_without_a_model_and_not_twice(world: Played) -> None:
    await world.text("help", sid="SM1")
    assert await world.answered() == [world.sms.help]
    await world.text("help", sid="SM1")
    await world.text("help", opt_out="HELP")
    assert await world.answered() == [world.sms.help]
    assert world.asked == []


async def test_a_call_goes_on_with_a_first_message_and_its_memory(world: Played) -> None:
    world.sms = Sms(first_message="Go on here: {link}", link="https://x.example")
    assert await world.desk.begin_from_call(CALL) == "begun"
    assert await world.desk.begin_from_call(CALL) == "begun"
    assert await world.answered() == ["Go on here: https://x.example"], "once a call"
    await world.text("And the code?")
    await world.answered()
    instructions, items, _ = world.asked[0]
    assert instructions.startswith("You are desk.")
    assert '{"who": "Ada"}' in instructions
    assert items == [
        Message("developer", CALL_BEGINS),
        Message("user", "A table for two"),
        Called("c9", "book", "{}"),
        Returned("c9", '{"code": "1"}'),
        Message("user", "[pressed keys] 4 2"),
        Message("assistant", "It is booked."),
        Message("developer", CALL_ENDS),
        Message("assistant", "Go on here: https://x.example"),
        Message("user", "And the code?"),
    ]


async def test_who_writes_after_a_call_is_known_without_a_first_message(world: Played) -> None:
    await world.text("Hello?")
    await world.answered()
    await world.desk.remember_call(CALL)
    await world.text("And the code?")
    await world.answered()
    said = [item.text for item in world.asked[1][1] if isinstance(item, Message)]
    assert said[:3] == ["Hello?", "Yes.", CALL_BEGINS]
    assert "It is booked." in said
    await world.text("Thanks")
    await world.answered()
    assert [i for i in world.asked[2][1] if i == Message("developer", CALL_BEGINS)] == [
        Message("developer", CALL_BEGINS)
    ], "each call is taken in once"


@pytest.mark.parametrize(
    ("table", "ours", "number", "service"),
    [
        (Sms(), OURS, OURS, ""),
        (Sms(from_number="+15550100009"), OURS, "+15550100009", ""),
        (Sms(messaging_service=SERVICE), OURS, "", SERVICE),
        (Sms(messaging_service=SERVICE), "sip:bot@example.com", "", SERVICE),
    ],
)
async def test_the_first_message_comes_from_the_agents_sender(
    world: Played, table: Sms, ours: str, number: str, service: str
) -> None:
    world.sms = table
    assert await world.desk.begin_from_call(over(ours=ours)) == "begun"
    await world.answered()
    ((to, sender, _),) = world.sent
    assert (to, sender.number, sender.service_sid) == (THEIRS, number, service)


async def test_without_a_sender_or_clearance_no_call_goes_on(world: Played) -> None:
    assert await world.desk.begin_from_call(over(ours="sip:bot@example.com")) == "no_sender"
    assert await world.desk.begin_from_call(over(theirs="sip:ada@example.com")) == "refused"
    world.clears = False
    assert await world.desk.begin_from_call(over()) == "refused"
    assert await world.answered() == []


async def test_answers_go_through_the_service_that_brought_the_message(world: Played) -> None:
    await world.text("Hello?", service_sid=SERVICE)
    await world.answered()
    ((_, sender, _),) = world.sent
    assert (sender.number, sender.service_sid) == ("", SERVICE)


async def test_a_call_after_messages_knows_them_while_they_are_young(world: Played) -> None:
    assert await world.desk.text_memory(THEIRS) == ""
    await world.text("A table on Friday")
    await world.answered()
    told = await world.desk.text_memory(THEIRS)
    assert "Caller: A table on Friday\nAgent: Yes." in told
    assert "never\ninstructions" in told
    assert await world.desk.text_memory("+15550100077") == ""
    world.clock.now_s += 1_801
    assert await world.desk.text_memory(THEIRS) == ""


async def test_a_long_conversation_is_summarised_and_keeps_its_last_lines(world: Played) -> None:
    for n in range(writing.MOST_LINES // 2 + 1):
        world.clock.now_s += 60
        await world.text(f"Question {n}")
        await world.answered()
    assert len(world.summaries) == 1
    assert "Caller: Question 0" in world.summaries[0]
    talk = read_talk((await world.store.look(world.conversation)).state)
    assert talk is not None
    assert (talk.summary, len(talk.lines)) == ('{"who": "somebody"}', writing.KEPT_LINES)
    await world.text("One more")
    await world.answered()
    assert '{"who": "somebody"}' in world.asked[-1][0]


async def test_money_and_messages_of_a_day_have_an_end(world: Played) -> None:
    world.usd, world.sms = 0.6, Sms(usd_per_day=1.0, messages_per_day=60)
    for n in range(4):
        await world.text(f"Question {n}")
        await world.answered()
    assert world.silent == ["spend", "spend"]
    world.sms = Sms(usd_per_day=0, messages_per_day=2)
    await world.text("Question")
    await world.answered()
    assert world.silent[-1] == "messages"


async def test_two_bots_come_to_rest(world: Played) -> None:
    for n in range(20):
        world.answers = [says(f"Reply {n}")]
        world.clock.now_s -= 9
        await world.text(f"Echo {n}")
        await world.answered()
    assert len(world.sent) < 8
    assert world.silent[0] == "machine"
    assert set(world.silent[1:]) <= {"resting"}


async def test_a_fault_of_ours_ends_the_turn_and_not_the_worker(world: Played) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("broken")

    world.tool = fail  # type: ignore[assignment]
    world.answers = [says("", calls())]
    await world.text("A table")
    assert await world.answered() == []
    await world.text("Hello?")
    assert await world.answered() == ["Yes."]


async def test_an_agent_that_cannot_be_loaded_is_no_endless_loop(world: Played) -> None:
    world.known = False
    await world.text("Hello?")
    assert await world.answered() == []


async def test_what_another_version_wrote_is_no_endless_loop(world: Played) -> None:
    await world.store.accept(world.conversation, "SM1", b'{"of": "another version"}')
    await world.store.save(world.conversation, 9, b"[]")
    world.desk._see_to(world.conversation)
    assert await world.answered() == []


@pytest.mark.parametrize("number", ["12345", "BANK", "whatsapp:+15550100001", "", "+1555'--"])
async def test_who_cannot_be_written_to_is_ignored(world: Played, number: str) -> None:
    await world.text("Hello?", from_number=number)
    assert await world.answered() == []
    assert world.asked == []


async def test_a_delivery_report_of_an_opt_out_counts(world: Played) -> None:
    await world.desk.delivered(DeliveryReport("SM1", "delivered", 0, THEIRS))
    assert not await world.outs.is_out(THEIRS)
    await world.desk.delivered(DeliveryReport("SM1", "failed", 21610, THEIRS))
    assert await world.outs.is_out(THEIRS)


async def test_the_record_tells_all_and_names_nobody(world: Played) -> None:
    await world.text("Hello? 😀")
    await world.text("STOP")
    await world.answered()
    path = world.record.path(world.conversation)
    text = path.read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["kind"] for line in lines} >= {"in"}
    assert lines[0]["text"] == "Hello? 😀"
    assert [line["taken_for"] for line in lines if line["kind"] == "in"] == ["message", "stop"]
    assert THEIRS not in text
    assert OURS not in text
    assert path.stat().st_mode & 0o077 == 0


async def test_at_the_end_turns_under_way_may_finish_and_others_are_left(world: Played) -> None:
    world.gate = asyncio.Event()
    await world.text("One")
    await until(lambda: len(world.asked) == 1)
    closing = asyncio.create_task(world.desk.close(0.02))
    await closing
    assert world.sent == []
    await world.text("Two")
    assert world.desk.busy == 0
    talk = read_talk((await world.store.look(world.conversation)).state)
    assert isinstance(talk, Talk)
    assert talk.turn is not None, "another worker goes on with it"
    other = world.desk = world.worker()
    world.gate.set()
    other._see_to(world.conversation)
    assert await world.answered() == ["Yes.", "Yes."]
