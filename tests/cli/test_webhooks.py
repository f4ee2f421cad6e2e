"""`earshot webhooks` shows what was told and what became of it, sends dead letters again, tries
endpoints with a right signature, and never prints what was said unless it is asked to."""

import io
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from rich.text import Text

from app.cli import earshot
from app.cli.webhooks_view import deliveries, message
from app.outgoing.endpoints import Endpoint
from app.outgoing.messages import Message
from app.outgoing.signing import read_secrets
from app.outgoing.sqlite_store import SqliteStore
from tests.outgoing.receiver import NAME, OTHER_SECRET, SECRET, verified

WORDS = '{"type":"call.summarised","data":{"summary":"my card is 4111"}}'
CRM = Endpoint("https://crm.example.com/earshot?key=hidden", NAME)
OTHER = Endpoint("https://desk.example.com/", NAME)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(earshot, ["webhooks", *arguments])


@pytest.fixture
def store(bare_machine: None) -> Iterator[SqliteStore]:
    made = SqliteStore(Path("earshot-data/outgoing"))
    for number, call in enumerate(("CA1", "CA2", "CA3"), 1):
        kept = Message(f"msg_{number}", "call.summarised", call, "desk", 1.8e9, WORDS.encode())
        made.accept(kept, [CRM, OTHER])
    one, two, three, *_ = made.due(2e9, (), 9)
    made.delivered(one.number, 204, 1.8e9)
    made.bury(two.number, 1.8e9, 500, "HTTP 500")
    made.postpone(three.number, 4e9, 503, "HTTP 503")
    yield made
    made.close()


def test_before_anything_was_told_it_says_so_and_makes_nothing() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert "No webhook was sent" in result.output
    assert run("list", "--json").output == ""
    assert not Path("earshot-data").exists()


@pytest.mark.usefixtures("store")
def test_the_list_says_what_became_of_each_without_a_word_of_it() -> None:
    output = run("list").output
    lines = {line.split()[1]: line for line in output.splitlines() if line and line[0] in "…✓✗"}
    assert lines.keys() == {"waiting", "delivered", "dead"}
    assert "HTTP 204" in lines["delivered"]
    assert "HTTP 500" in lines["dead"]
    assert "crm.example.com/earshot" in lines["dead"]
    assert "HTTP 503; again in" in output
    assert "4 waiting, 1 dead, 1 delivered" in output
    assert "4111" not in output
    assert "hidden" not in output


@pytest.mark.usefixtures("store")
def test_machines_get_a_line_for_each() -> None:
    found = [
        json.loads(line) for line in run("list", "--json", "--state", "dead").output.splitlines()
    ]
    [dead] = found
    assert (dead["message_id"], dead["state"], dead["reason"]) == ("msg_2", "dead", "HTTP 500")
    assert len(run("list", "--json", "--most", "2").output.splitlines()) == 2
    assert "4111" not in run("list", "--json").output


@pytest.mark.usefixtures("store")
def test_one_message_is_shown_with_its_body_to_who_asks_for_it() -> None:
    assert "4111" in run("show", "msg_2").output
    told = json.loads(run("show", "msg_2", "--json").output)
    assert told["body"]["data"]["summary"] == "my card is 4111"
    assert [each["state"] for each in told["deliveries"]] == ["dead", "waiting"]
    missing = run("show", "msg_9")
    assert missing.exit_code == 1
    assert "earshot webhooks list" in missing.output


def test_dead_letters_are_sent_again_by_name_or_all(store: SqliteStore) -> None:
    assert run("retry", "msg_1").exit_code == 1
    store.disable(OTHER.url, 1.8e9, "410")
    assert "nothing is sent to https://desk.example.com/" in run("list").output
    result = run("retry", "msg_2")
    assert (result.exit_code, result.output) == (0, "2 deliveries wait to be sent again\n")
    assert store.disabled() == {}
    assert run("retry", "--all").output == "2 deliveries wait to be sent again\n"
    assert store.counts() == {"waiting": 5, "delivered": 1}


@pytest.mark.usefixtures("store")
def test_retry_wants_to_know_what() -> None:
    assert run("retry").exit_code == 2
    assert run("retry", "--all", "msg_1").exit_code == 2


@pytest.mark.parametrize("width", [80, 120])
def test_at_a_terminal_ids_and_answers_are_whole(width: int) -> None:
    made = SqliteStore(Path("earshot-data/outgoing"))
    message_id, call_id = f"msg_{'0' * 32}", f"CA{'1' * 32}"
    kept = Message(message_id, "callback.requested", call_id, "desk", 1.8e9, WORDS.encode())
    made.accept(kept, [CRM, OTHER])
    made.postpone(made.due(2e9, (), 1)[0].number, 1.8e9 + 3_700, 503, "HTTP 503")
    console = Console(file=io.StringIO(), force_terminal=True, width=width, no_color=True)
    deliveries(made.listed(("waiting",), 9), made.counts(), {}, 1.8e9 + 90, console)
    made.close()
    assert isinstance(console.file, io.StringIO)
    lines = Text.from_ansi(console.file.getvalue()).plain.splitlines()
    assert all(len(line) <= width for line in lines)
    assert sum(message_id in line for line in lines) == 2
    assert sum(call_id in line for line in lines) == (2 if width >= 120 else 0)
    assert any("crm.example.com/earshot  1 try: HTTP 503; again in 1 h" in line for line in lines)
    assert any("desk.example.com/  not sent yet" in line for line in lines)


def test_a_terminal_gets_signs_and_a_body_with_its_structure(store: SqliteStore) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=150, color_system="standard")
    found = store.listed(("waiting", "dead", "delivered"), 10)
    deliveries(found, store.counts(), {}, 1.8e9 + 90, console)
    message(store.shown("msg_2"), 1.8e9 + 90, console)
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert "\x1b[" in written
    for words in ("1 try: HTTP 500", "call.summarised", "2 min ago", "✗ dead", "my card is 4111"):
        assert words in written


def test_a_secret_is_new_each_time_and_can_be_used() -> None:
    first, second = (run("secret").output.strip() for _ in range(2))
    assert first != second
    assert read_secrets(first) == (first,)


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[bool]]]:
    """An address that takes what is signed, and what it thought of each."""
    seen: list[bool] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append(verified(body, {k.lower(): v for k, v in self.headers.items()}))
            self.send_response(200 if seen[-1] else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", seen
    server.shutdown()
    thread.join()
    server.server_close()


def agent(url: str) -> None:
    Path("agents").mkdir()
    text = f'instructions = "x"\n[after_call]\nwebhook = ["{url}"]\nsecret_env = "{NAME}"\n'
    Path("agents/desk.toml").write_text(text, "utf-8")


def test_an_endpoint_is_tried_with_a_right_signature(
    monkeypatch: pytest.MonkeyPatch, endpoint: tuple[str, list[bool]]
) -> None:
    url, seen = endpoint
    agent(url)
    monkeypatch.setenv(NAME, SECRET)
    result = run("test", "desk")
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"✓ {url}  HTTP 200, ")
    assert seen == [True]
    monkeypatch.setenv(NAME, OTHER_SECRET)
    refused = run("test", "desk", "--json")
    assert refused.exit_code == 1
    told = json.loads(refused.output)
    assert (told["delivered"], told["status"], told["reason"]) == (False, 401, "HTTP 401")


def test_what_keeps_an_endpoint_from_being_tried_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = run("test")
    assert nobody.exit_code == 1
    assert "EARSHOT_WEBHOOK_URL" in nobody.output
    agent("https://crm.example.com/")
    assert NAME not in os.environ
    unsigned = run("test", "desk")
    assert unsigned.exit_code == 1
    assert f"{NAME}: it is not set" in unsigned.output
