"""One deliverer for each data folder: a lock that its process's death releases."""

import fcntl
import os
from pathlib import Path
from typing import Final

FILE: Final = "deliverer.lock"


class FolderLock:
    """Held by one process at a time, for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    def take(self) -> bool:
        """Never waits. False: another process has it. Raises `OSError`."""
        if self._fd is not None:
            return True
        fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
