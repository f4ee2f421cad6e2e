"""Tables of tools are read as written, and what is wrong in one is told with its line and what was
expected."""

from pathlib import Path

import pytest

from app.agents import AgentError, load_agent
from app.agents.tools_tables import HttpParameter, HttpTool, McpOptions, McpServer, Topic

WHOLE = """\
instructions = "Be kind."

[[http_tools]]
name = "book"
description = "Book a table."
url = "https://book.example/{table}"
idempotent = true
result = ["/code"]
headers = { X-Client = "us" }
[http_tools.parameters.table]
description = "the table"
[http_tools.parameters.people]
type = "integer"
minimum = 1

[mcp.crm]
command = "crm-server"
args = ["--stdio"]
tools = ["find"]
[mcp.crm.options.find]
on_interruption = "cancel"

[topics.people]
description = "People and companies"
tools = ["mcp.crm"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "host.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_tables_are_read(tmp_path: Path) -> None:
    agent = load_agent(write(tmp_path, WHOLE))
    assert agent.http_tools == (
        HttpTool(
            name="book",
            description="Book a table.",
            url="https://book.example/{table}",
            idempotent=True,
            result=("/code",),
            headers={"X-Client": "us"},
            parameters={
                "table": HttpParameter(description="the table"),
                "people": HttpParameter(type="integer", minimum=1),
            },
        ),
    )
    options = {"find": McpOptions(on_interruption="cancel")}
    crm = McpServer(command="crm-server", args=("--stdio",), tools=("find",), options=options)
    assert agent.mcp == {"crm": crm}
    assert agent.topics == {"people": Topic(description="People and companies", tools=("mcp.crm",))}


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('"book"', '"book it"', "http_tools[1].name: expected 1 to 64 letters, digits, _ or -"),
        (
            "idempotent",
            "idempotant",
            "http_tools[1].idempotant: there is no such key; did you mean",
        ),
        ('"https://book', '"ftp://book', "http_tools[1].url: expected an http:// or https://"),
        ('"/code"', '"code"', "http_tools[1].result[1]: expected a JSON pointer"),
        ('type = "integer"', 'type = "int"', "http_tools[1].parameters.people.type: expected"),
        ("args", "argz", "mcp.crm.argz: there is no such key; did you mean args?"),
        (
            '"cancel"',
            '"stop"',
            'mcp.crm.options.find.on_interruption: expected "finish" or "cancel"',
        ),
        (
            'description = "People and companies"\n',
            "",
            "topics.people.description: expected this key",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, right: str, wrong: str, told: str
) -> None:
    assert right in WHOLE
    path = write(tmp_path, WHOLE.replace(right, wrong, 1))
    with pytest.raises(AgentError) as error:
        load_agent(path)
    assert told in str(error.value)
    assert str(error.value).startswith(f"{path}:")
