"""A worker process of our own: asked over its standard input, reaped, restarted when it dies.

One question is worked on at a time, in the order asked. A question that was being worked on when
the child died is asked once more of a fresh child; when that dies as well, the question fails.
Questions that only waited in line are asked again without such a limit. Cancelling an `ask` only
drops its answer. A `Child` belongs to the event loop that first used it.
"""

import asyncio
import contextlib
import os
import signal
import sys

import msgspec

from app.lab.speech.faults import ChildCrashedError, MissingPartError, SpeechError
from app.lab.speech.frames import LENGTH_BYTES, Answer, Question, body_length, frame

_TRIES = 2
_CLOSE_GRACE_S = 2.0
_STDERR_TAIL_BYTES = 2000


class _DiedError(Exception):
    """The child died; `working` when this question was the one being worked on."""

    def __init__(self, working: bool, how: str) -> None:
        super().__init__(how)
        self.working = working


class Child:
    """Questions and answers are bytes; the module named must call `app.lab.speech.worker.serve`."""

    def __init__(self, module: str, *arguments: str, refusal: type[SpeechError]) -> None:
        self._command = (sys.executable, "-m", module, *arguments)
        self._name = module.rpartition(".")[2]
        self._refusal = refusal
        """Raised with the worker's message when a question cannot be answered."""
        self._life: _Life | None = None
        self._start = asyncio.Lock()
        self._closed = False

    async def ask(self, question: bytes) -> bytes:
        """The answer. Raises the refusal type, MissingPartError or ChildCrashedError."""
        tries = 0
        while True:
            life = await self._alive()
            try:
                answer = await life.ask(question)
            except _DiedError as died:
                tries += died.working
                if tries >= _TRIES:
                    raise ChildCrashedError(
                        f"{self._name} died {_TRIES} times over the same question: {died}"
                    ) from None
                continue
            if answer.fault:
                raise self._refusal(answer.message)
            return answer.payload

    async def aclose(self) -> None:
        """End the child and reap it. A closed child can not be asked again."""
        self._closed = True
        async with self._start:
            if self._life is not None:
                await self._life.aclose()

    @property
    def pid(self) -> int | None:
        """Process id of the child that runs now."""
        return self._life.process.pid if self._life is not None and self._life.alive else None

    async def _alive(self) -> "_Life":
        async with self._start:
            if self._closed:
                raise RuntimeError(f"{self._name} was closed")
            if self._life is None or not self._life.alive:
                if self._life is not None:
                    await self._life.aclose()
                self._life = await self._born()
            return self._life

    async def _born(self) -> "_Life":
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is for us; we end the child
        )
        life = _Life(process)
        try:
            ready = await life.ready
        except _DiedError as died:
            await life.aclose()
            raise ChildCrashedError(f"{self._name} died while it started: {died}") from None
        except asyncio.CancelledError:
            await life.aclose(grace_s=0)
            raise
        if ready.fault:
            await life.aclose()
            raise MissingPartError(ready.message)
        return life


class _Life:
    """One process, from birth to reaping."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.alive = True
        self._last_number = 0
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[Answer] = loop.create_future()
        self._waiting: dict[int, asyncio.Future[Answer]] = {0: self.ready}
        self._complaints = b""
        self._listening = asyncio.create_task(self._listen())
        self._complaining = asyncio.create_task(self._keep_complaints())

    async def ask(self, payload: bytes) -> Answer:
        if not self.alive:
            raise _DiedError(False, "it was gone already")
        assert self.process.stdin is not None
        self._last_number += 1
        number = self._last_number
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        with contextlib.suppress(ConnectionError):  # its death is told through the future
            self.process.stdin.write(frame(Question(number, payload)))
            await self.process.stdin.drain()
        return await future

    async def aclose(self, grace_s: float = _CLOSE_GRACE_S) -> None:
        """Close its input, which ends it; kill it when it lingers; reap it in any case."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(grace_s):
                await self.process.wait()
        except TimeoutError:
            pass
        finally:
            self._kill()
        await asyncio.gather(self.process.wait(), self._listening, self._complaining)

    def _kill(self) -> None:
        """Kill it and whatever it started. macOS answers a group of the dead with EPERM."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            while True:
                prefix = await self.process.stdout.readexactly(LENGTH_BYTES)
                body = await self.process.stdout.readexactly(body_length(prefix))
                self._give(msgspec.msgpack.decode(body, type=Answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except (ValueError, KeyError):  # no message of ours: what it says next cannot be trusted
            self._kill()
        finally:
            self.alive = False
        status = await self.process.wait()
        await self._complaining
        self._bury(self._how_it_died(status))

    def _give(self, answer: Answer) -> None:
        future = self._waiting.pop(answer.number)
        if not future.done():
            future.set_result(answer)

    def _bury(self, how: str) -> None:
        # Answers come in order, so the oldest question without one was being worked on.
        for position, future in enumerate(self._waiting.values()):
            if not future.done():
                future.set_exception(_DiedError(position == 0, how))
        self._waiting.clear()

    async def _keep_complaints(self) -> None:
        assert self.process.stderr is not None
        while chunk := await self.process.stderr.read(_STDERR_TAIL_BYTES):
            self._complaints = (self._complaints + chunk)[-_STDERR_TAIL_BYTES:]

    def _how_it_died(self, status: int) -> str:
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        said = self._complaints.decode(errors="replace").strip()
        return f"{how}; it said: {said.splitlines()[-1]}" if said else how
