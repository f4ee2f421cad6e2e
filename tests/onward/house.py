"""An agent with every way on, for tests of those who carry calls along them."""

from pathlib import Path

from pydantic import SecretStr

from app.persona import Personas
from app.settings import Settings

LINE = "+14155550199"
CALLER = "+14155550133"
DESK = "+14155550100"
CALL = "CA" + "0c" * 16
PERSON = "CA" + "0d" * 16
HOUSE = f"""
instructions = "You answer."

[transfers.desk]
to = "{DESK}"
otherwise = "voicemail"

[transfers.chef]
to = "{DESK}"
how = "warm"

[transfers.abroad]
to = "+442079460100"

[transfers.pbx]
to = "sip:desk@pbx.example.com"
how = "refer"

[transfers.client]
to = "client:anna"
caller_id = "caller"

[voicemail]

[policy]
sip_hosts = ["pbx.example.com"]
clients = ["anna"]
queues = ["sales"]

[policy.limits]
dials_per_call = 2
"""


def house(folder: Path, text: str = HOUSE) -> tuple[str, Personas]:
    """The agent's path, and who knows it."""
    path = folder / "house.toml"
    path.write_text(text, encoding="utf-8")
    return str(path), Personas(Settings(openai_api_key=SecretStr("sk-x")))
