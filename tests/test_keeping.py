"""Invariant: what a caller leaves is told once however often its tool runs, and is promised only
where somebody is told."""

from pathlib import Path

from app.keeping import keeping
from app.outgoing.endpoints import ALL_EVENTS, Endpoint, Targets, secrets_from
from app.outgoing.outgoing import open_outgoing
from tests.outgoing.receiver import NAME, SECRET, Receiver, until

MESSAGE = {"kind": "message", "message": "call me", "name": "Ada", "number": "+15550100001"}
CALLBACK = {"kind": "callback", "when": "tomorrow", "about": "the bill", "number": "+15550100001"}


async def test_what_is_left_arrives_once(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        targets = Targets((Endpoint(receiver.url, NAME),), ALL_EVENTS)
        async with open_outgoing(
            tmp_path,
            secrets_of=secrets_from({NAME: SECRET}),
            targets_of=lambda agent: targets if agent == "desk" else Targets(),
        ) as outgoing:
            keep = keeping(outgoing, lambda: ("desk", "CA1"), "inbound")
            assert keep is not None
            assert await keep(MESSAGE, "run-1")
            assert await keep(MESSAGE, "run-1")
            assert await keep(CALLBACK, "run-2")
            nobody = keeping(outgoing, lambda: ("other", "CA1"), "inbound")
            assert nobody is not None
            assert not await nobody(MESSAGE, "run-3")
            await until(lambda: len(receiver.taken) == 2)
    told = {got.payload["type"]: got.payload["data"] for got in receiver.taken}
    assert told["message.taken"]["text"] == "call me"
    assert told["message.taken"]["name"] == "Ada"
    assert told["callback.requested"]["at"] == "tomorrow"
    assert told["callback.requested"]["note"] == "the bill"
    assert keeping(None, lambda: ("desk", "CA1"), "inbound") is None
