"""The metrics as text for Prometheus, from one process or from several that share a folder.

Several worker processes: the supervisor calls `share_metrics(folder)` before it starts them and
`forget_worker(pid)` when one is gone. Each worker then writes its figures into files of the folder,
and whichever one is scraped answers for all. Nothing here imports `prometheus_client` before it is
needed, because the package reads the variable when it is imported.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SHARED_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share_metrics(folder: Path) -> None:
    """Let all processes started from now on share their metrics in `folder`, emptied first.

    To be called in a process that has not imported `prometheus_client`, or whose children are new
    interpreters. Raises `OSError` when the folder cannot be made or emptied.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_over in folder.glob("*.db"):
        left_over.unlink()
    os.environ[SHARED_FOLDER_VARIABLE] = str(folder)


def forget_worker(pid: int) -> None:
    """A worker is gone: what it had in progress is over. What it counted stays counted."""
    from prometheus_client import multiprocess  # noqa: PLC0415 (see the module's text)

    folder = os.environ.get(SHARED_FOLDER_VARIABLE)
    if folder:
        multiprocess.mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


def exposition(registry: "CollectorRegistry") -> tuple[bytes, str]:
    """The text and its content type: of this process, or of all that share the folder."""
    from prometheus_client import (  # noqa: PLC0415 (see the module's text)
        CONTENT_TYPE_LATEST,
        CollectorRegistry,
        generate_latest,
        multiprocess,
    )

    if os.environ.get(SHARED_FOLDER_VARIABLE):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
