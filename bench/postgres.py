"""A PostgreSQL server of a bench's or a test's own, in a temporary folder, on its own socket."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

_PLACES: Final = ("/usr/lib/postgresql/*/bin",)


class NoPostgresError(RuntimeError):
    """This machine has none."""

    def __init__(self) -> None:
        super().__init__("needs PostgreSQL's server: on Debian, apt-get install postgresql")


def programs() -> Path | None:
    """Where initdb and pg_ctl are; the newest."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [f for place in _PLACES for f in Path("/").glob(place[1:]) if (f / "initdb").exists()]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


@dataclass(slots=True)
class PostgresProcess:
    """A server whose databases are empty at first. It can be killed and started again."""

    folder: Path
    bin: Path
    synced: bool = True
    """False: what is committed outlives the server's death, but not the machine's. After a death it
    is back at once, however many databases there are."""

    def database(self) -> str:
        """The address of a new, empty database."""
        # A schema is as good, and a hundredth of a database's files.
        name = f"t{uuid4().hex}"
        made = f"CREATE SCHEMA {name}"
        self._run(["psql", "-h", str(self.folder), "-U", "earshot", "-qc", made, "postgres"])
        return f"postgresql://earshot@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    def start(self) -> None:
        fsync = "on" if self.synced else "off"
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=200 -c fsync={fsync}"
        log = str(self.folder / "log")
        data = str(self.folder / "data")
        self._run(["pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "120", "start"])

    def stop(self) -> None:
        self._run(["pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop"])

    def kill(self) -> None:
        """As a machine does that loses its power, but for the disk."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        pids = [first, *map(int, children)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        limit_s = time.monotonic() + 10
        while any(_lives(pid) for pid in pids) and time.monotonic() < limit_s:
            time.sleep(0.02)
        # Where nobody buries the dead, their locks would seem to be held.
        for lock in (self.folder / "data" / "postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def make(self) -> None:
        data = str(self.folder / "data")
        self._run(["initdb", "-D", data, "-U", "earshot", "-A", "trust", "-E", "UTF8", "--no-sync"])

    def _run(self, command: Sequence[str]) -> None:
        whole = [*_as_nobody_special(), str(self.bin / command[0]), *command[1:]]
        done = subprocess.run(whole, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


@contextmanager
def postgres_server(*, synced: bool = True) -> Iterator[PostgresProcess]:
    """Raises `NoPostgresError`."""
    bin_ = programs()
    if bin_ is None:
        raise NoPostgresError
    with tempfile.TemporaryDirectory(prefix="earshot-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server = PostgresProcess(folder, bin_, synced)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _lives(pid: int) -> bool:
    """A child that nobody has waited for is dead too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _as_nobody_special() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
