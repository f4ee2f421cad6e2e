"""Checks of this machine: Python, the data folder, the agent, what the lab needs."""

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from app.agents import AgentError, load_agent
from app.doctor.report import Check
from app.settings import Settings
from app.tools import Toolbox, ToolLoadError

GROUP = "This machine"


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Check:
    said = ".".join(map(str, version))
    if version < (3, 11):
        mend = "Install Python 3.11 or newer and make the environment again with it."
        return Check(GROUP, "Python", "fail", f"{said}, expected 3.11 or newer", mend)
    return Check(GROUP, "Python", "ok", said)


def check_data_dir(folder: Path) -> Check:
    """Can event logs be written? Makes nothing that stays."""
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    mend = "Set EARSHOT_DATA_DIR to a folder that this user may write to."
    if not there.is_dir():
        return Check(GROUP, "Data folder", "fail", f"{there} is no folder", mend)
    try:
        with tempfile.TemporaryFile(dir=there):
            free_gb = shutil.disk_usage(there).free / 1e9
    except OSError as error:
        return Check(GROUP, "Data folder", "fail", f"{there}: {error.strerror}", mend)
    state = str(folder) if there == folder.absolute() else f"{folder}, will be made"
    if free_gb < 1:
        seen = f"{state}, {free_gb:.1f} GB free"
        return Check(GROUP, "Data folder", "warn", seen, "Free some space, or move it.")
    return Check(GROUP, "Data folder", "ok", f"{state}, {free_gb:.0f} GB free")


def check_agent(settings: Settings, search: Iterable[Path] | None = None) -> Check:
    """Does the default agent's file hold, and do its tools load?"""
    mend = "Mend the agent's file, or name another by EARSHOT_AGENT."
    try:
        agent = load_agent(settings.agent, search)
        tools = Toolbox.load(agent.tools, agent.folder).names
    except (AgentError, ToolLoadError) as error:
        seen = "; ".join(str(error).splitlines())
        return Check(GROUP, "Agent", "fail", seen, mend)
    model = settings.model_for(agent.model)
    said = f"{agent.name}: {model}, voice {agent.voice}, tools {', '.join(tools) or 'none'}"
    return Check(GROUP, "Agent", "ok", said)


def check_lab() -> Check:
    """The demo's ears and voice: pocketsphinx and a synthesiser."""
    ears = importlib.util.find_spec("pocketsphinx") is not None
    voice = next((name for name in ("flite", "espeak-ng") if shutil.which(name)), "")
    if not voice and importlib.util.find_spec("espeakng_loader"):
        voice = "espeak-ng's library"
    return judge_lab(ears=ears, voice=voice)


def judge_lab(*, ears: bool, voice: str) -> Check:
    missing = ([] if ears else ["pocketsphinx"]) + ([] if voice else ["a synthesiser"])
    if missing:
        mend = "Only `earshot demo` and `earshot lab` need it: pip install 'earshot[lab]'"
        return Check(GROUP, "Lab", "warn", f"missing: {', '.join(missing)}", mend)
    return Check(GROUP, "Lab", "ok", f"pocketsphinx, {voice}")


def check_files(limit: int | None = None, calls: int = 0) -> Check:
    """Each call holds two sockets, and event logs and recordings are files too."""
    limit = _file_limit() if limit is None else limit
    needed = calls * 4 + 100
    if 0 <= limit < needed:
        seen = f"{limit} open files allowed, {calls} calls want {needed}"
        mend = f"Raise the limit (ulimit -n {needed}) or lower EARSHOT_MAX_CALLS."
        return Check(GROUP, "Open files", "warn", seen, mend)
    return Check(GROUP, "Open files", "ok", f"{limit} allowed" if limit >= 0 else "no limit")


def _file_limit() -> int:
    """How many files this process may hold open; -1: no limit."""
    if os.name != "posix":
        return -1
    import resource  # noqa: PLC0415 - only POSIX has it

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return -1 if soft == resource.RLIM_INFINITY else soft
