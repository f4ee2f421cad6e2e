"""Runs Debian's `kamailio` as a trunk: a registrar that wants digest, and routes calls to who is
registered, staying in their path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.demo.stage import free_port
from tests.sip_line.debian import needed

PASSWORD = "trunk-word"
_MODULES = ("tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "usrloc", "registrar", "auth")
_ROUTES = """
request_route {
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("$td", "%s", "0")) {
      www_challenge("$td", "0");
      exit;
    }
    save("location");
    exit;
  }
  if (is_method("CANCEL")) {
    t_relay();
    exit;
  }
  if (has_totag()) {
    loose_route();
    t_relay();
    exit;
  }
  record_route();
  if (!lookup("location")) {
    sl_send_reply("404", "Not Registered");
    exit;
  }
  t_relay();
}
"""


@asynccontextmanager
async def open_kamailio(folder: Path) -> AsyncIterator[int]:
    """Its port. It listens by the time that it is entered, or a REGISTER is sent again."""
    program = needed("kamailio", "kamailio")
    port = free_port()
    lines = [
        *("#!KAMAILIO", "debug=-1", "log_stderror=yes", "fork=no", "disable_tcp=yes"),
        *(f"listen=udp:127.0.0.1:{port}", "auto_aliases=no", f'alias="127.0.0.1:{port}"'),
        'mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules:/usr/lib/kamailio/modules"',
        *(f'loadmodule "{module}.so"' for module in _MODULES),
    ]
    (folder / "kamailio.cfg").write_text("\n".join(lines) + _ROUTES % PASSWORD, "utf-8")
    with (folder / "kamailio.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(program, "-f", str(folder / "kamailio.cfg"), "-Y", str(folder), "-m", "16"),
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
