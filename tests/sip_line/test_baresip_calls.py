"""Invariant: somebody with an ordinary software phone and the worker hear each other, in either
law, as the phone's own dumps of both directions show; its keys arrive; and either may hang up."""

from pathlib import Path

import pytest

from app.lab.speech.coded import coded_audio, decode_coded
from app.sip_line.line import Line
from telecodecs import ULAW_SILENCE
from tests.sip_line.baresip import Baresip, calling
from tests.sip_line.stage import line_to
from tests.sip_line.worker import WorkerCall, open_worker

CALLER, WORKER = 5, 6
SPOKEN = coded_audio(CALLER, 0, 2_000, quiet=False) + ULAW_SILENCE * 8 * 20_000
ANSWER = coded_audio(WORKER, 0, 2_000, quiet=False)
MOST = 1_900
"""Of the 2,000 ms that were said: the phone's buffer may skip where the machine stands still."""


def uri(line: Line) -> str:
    return f"sip:100@127.0.0.1:{line.port}"


def ms_of(sound: bytes, stream_id: int) -> int:
    """How much of a stream was heard; none of another may be."""
    runs = decode_coded(sound)
    assert {run.stream_id for run in runs} <= {stream_id}
    return len({ms for run in runs for ms in range(run.start_ms, run.end_ms)})


async def answer(call: WorkerCall) -> None:
    await call.until(lambda: call.heard)
    await call.say(ANSWER)
    await call.command("MARK_MEDIA", correlation_id="said")


async def heard_all(call: WorkerCall, baresip: Baresip) -> None:
    await call.until(lambda: call.named("MEDIA_MARK_PROCESSED"))
    await call.until(lambda: len(call.heard) > 8 * 2_600)
    await baresip.hang_up()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_both_hear_each_other(tmp_path: Path, codec: str) -> None:
    """The coded sound is of levels at which a change of law loses nothing."""
    account = f";audio_codecs={codec}"
    async with (
        open_worker(answer) as worker,
        line_to(worker.url) as line,
        calling(tmp_path, uri(line), SPOKEN, account=account) as baresip,
    ):
        await worker.has_calls(1)
        [call] = worker.calls
        await heard_all(call, baresip)
    assert call.variables["EARSHOT_FROM"] == "+15550100001"
    assert ms_of(baresip.dumped("dec"), WORKER) >= MOST
    assert ms_of(baresip.dumped("enc"), CALLER) == 2_000
    assert ms_of(call.heard, CALLER) >= MOST
    assert call.close_code == 1000


async def test_its_keys_arrive(tmp_path: Path) -> None:
    async with (
        open_worker() as worker,
        line_to(worker.url) as line,
        calling(tmp_path, uri(line), SPOKEN) as baresip,
    ):
        await worker.has_calls(1)
        [call] = worker.calls
        await call.until(lambda: call.heard)
        await baresip.press("15*#")
        await call.until(lambda: len(call.keys) >= 4)
        await baresip.hang_up()
    assert call.keys == "15*#"


@pytest.mark.parametrize("how", ["command", "close"])
async def test_the_worker_hangs_up(tmp_path: Path, how: str) -> None:
    async def script(call: WorkerCall) -> None:
        await call.until(lambda: call.heard)
        await (call.command("HANGUP") if how == "command" else call.socket.close())

    async with (
        open_worker(script) as worker,
        line_to(worker.url) as line,
        calling(tmp_path, uri(line), SPOKEN) as baresip,
    ):
        await worker.has_calls(1)
        await worker.calls[0].over()
        await baresip.ended_its_call()
        await baresip.hang_up()
    assert worker.calls[0].close_code == 1000
