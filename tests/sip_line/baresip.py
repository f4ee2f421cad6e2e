"""Runs Debian's `baresip` as a caller: it plays a WAV to the line and keeps both directions."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.demo.stage import free_port
from telecodecs import MonoWavWriter, load_as_ulaw
from tests.sip_line.debian import needed

MODULES = "/usr/lib/baresip/modules"
GOODBYE_S = 60
PATIENCE_S = 60


@dataclass(slots=True)
class Baresip:
    """A running caller. Read the dumps when it has ended."""

    process: asyncio.subprocess.Process
    folder: Path

    async def press(self, keys: str) -> None:
        """Type keys, with time between them for baresip to see each released."""
        assert self.process.stdin is not None
        for key in keys:
            self.process.stdin.write(key.encode())
            await self.process.stdin.drain()
            await asyncio.sleep(0.5)

    async def ended_its_call(self) -> None:
        """Wait until it says that the other side hung up. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while b"session closed" not in (self.folder / "baresip.log").read_bytes():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def hang_up(self) -> None:
        """End the program, and the call with it."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(GOODBYE_S):
            await self.process.wait()

    def dumped(self, direction: str) -> bytes:
        """μ-law of the dump of `enc` (what it said) or `dec` (what it heard)."""
        [path] = self.folder.glob(f"dump-*-{direction}.wav")
        return load_as_ulaw(path)


@asynccontextmanager
async def calling(
    folder: Path, uri: str, spoken: bytes, *, account: str = ""
) -> AsyncIterator[Baresip]:
    """Call `uri` and say `spoken` (μ-law); `account`: parameters such as `;audio_codecs=PCMA`."""
    program = needed("baresip", "baresip-core")
    _configure(folder, spoken, account)
    process = await asyncio.create_subprocess_exec(
        *(program, "-f", str(folder), "-4", "-e", f"/dial {uri}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=(log := (folder / "baresip.log").open("wb")),
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    log.close()
    baresip = Baresip(process, folder)
    try:
        yield baresip
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _configure(folder: Path, spoken: bytes, account: str) -> None:
    with MonoWavWriter(folder / "in.wav") as wav:
        wav.write(spoken)
    port = free_port()
    lines = [
        *("poll_method epoll", f"sip_listen 127.0.0.1:{port}", "net_interface 127.0.0.1"),
        *(f"module_path {MODULES}", "module stdio.so", "module g711.so"),
        *("module aufile.so", "module sndfile.so", "module_app account.so", "module_app menu.so"),
        *(f"audio_source aufile,{folder}/in.wav", f"audio_player aufile,{folder}/out.wav"),
        *(f"audio_alert aufile,{folder}/alert.wav", f"snd_path {folder}"),
        *("audio_srate 8000-8000", "audio_channels 1-1"),
    ]
    (folder / "config").write_text("\n".join([*lines, ""]), "utf-8")
    (folder / "accounts").write_text(f"<sip:+15550100001@127.0.0.1>;regint=0{account}\n", "utf-8")
    (folder / "contacts").touch()
