"""What the PBX is given to run, and the page about it, use the names that the code reads:
variables, questions, answers, paths, and the name of the connection."""

import re
from pathlib import Path
from typing import get_args

from app.carriers.asterisk.dialled_page import DIALLED_PATH, HEARD
from app.carriers.asterisk.door import MEDIA_PATH, SUBPROTOCOL
from app.carriers.asterisk.identity import ATTEMPT, DIRECTION, HEADER, VARIABLES
from app.carriers.asterisk.identity import ORDER as ORDER_VARIABLE
from app.carriers.asterisk.next_page import NEXT_PATH, Do
from app.carriers.asterisk.placed import ADDRESS, PlacedCall, PlacedSeals
from app.lab.pbx.line import Course, PbxPhone
from app.lab.pbx.outgoing import OutgoingCall
from tests.docs.pages import ROOT, page

FOLDER = ROOT / "deploy" / "asterisk"
PAGE = page("pbx")


def lines(path: Path) -> list[str]:
    """What Asterisk reads of it."""
    return [line for line in path.read_text("utf-8").splitlines() if not line.startswith(";")]


DIALPLAN = "\n".join(lines(FOLDER / "extensions.conf"))
CLIENT = "\n".join(lines(FOLDER / "websocket_client.conf"))
EVERYTHING = (FOLDER / "extensions.conf").read_text("utf-8")


def context(name: str) -> str:
    return DIALPLAN.split(f"\n[{name}]\n")[1].split("\n[")[0]


def test_every_variable_is_one_that_the_bot_reads_and_is_inherited() -> None:
    handed_over = set(re.findall(r"Set\(__([A-Z_]+)=", DIALPLAN))
    assert handed_over == set(VARIABLES)
    commented = set(re.findall(r"Set\(__(EARSHOT_[A-Za-z_]+)=", EVERYTHING)) - handed_over
    assert all(name.startswith(HEADER) for name in commented)


def test_nothing_travels_in_the_query_string() -> None:
    assert "v(" not in re.sub(r"\[.*?\]", "", " ".join(re.findall(r"WebSocket/[^,]*", DIALPLAN)))


def test_the_dial_string_names_the_connection_the_sound_and_the_format() -> None:
    [dialled] = re.findall(r"Dial\(WebSocket/([^/]+)/([^,]+),\d+,(\w+)\)", DIALPLAN)
    assert f"[{dialled[0]}]" in CLIENT
    assert dialled[1] == "c(ulaw)f(json)n"
    assert dialled[2] == "g"
    assert f"`Dial(WebSocket/{dialled[0]}/{dialled[1]},15,{dialled[2]})`" in PAGE


def test_the_socket_is_where_the_bot_listens() -> None:
    assert re.search(rf"^uri = wss://[a-z.]+{MEDIA_PATH}$", CLIENT, re.M)
    assert f"protocols = {SUBPROTOCOL}\n" in CLIENT
    assert "connection_type = per_call_config\n" in CLIENT


def test_the_question_has_the_names_that_the_bot_reads() -> None:
    named = set(
        re.findall(r"[=&](\w+)=\$\{", " ".join(re.findall(r"Set\(FORM=.*", context("earshot"))))
    )
    of_ours = {"direction", "attempt"}
    assert named == {"call", "from", "to", "agent", "status", "rounds", "journey"} | of_ours
    assert f"${{BOT_URL}}{NEXT_PATH}," in DIALPLAN
    told = re.findall(r'"(\w+)":', _source_of(Course._form.__code__.co_filename))
    assert named <= set(told), "the lab's dialplan asks alike"


def _source_of(path: str) -> str:
    return Path(path).read_text("utf-8")


def test_every_answer_has_its_place_and_every_unknown_one_falls_back() -> None:
    extensions = re.findall(r"^exten => (\w+),1,", context("earshot-next"), re.M)
    assert sorted(extensions) == sorted([*get_args(Do), "i"])
    for do in get_args(Do):
        assert f"| `{do}` |" in PAGE
    assert 'GotoIf($["${HASH(NEXT,do)}" = ""]?alone)' in DIALPLAN
    assert "n(alone),Goto(earshot-fallback," in DIALPLAN


def test_the_answer_is_read_by_the_names_that_the_bot_writes() -> None:
    read = set(re.findall(r"HASH\(NEXT,(\w+)\)", DIALPLAN))
    assert read == {"do", "agent", "news", "to", "ring_s", "caller_id", "journey"}


def test_every_context_that_is_gone_to_is_there() -> None:
    there = set(re.findall(r"^\[([\w-]+)\]$", DIALPLAN, re.M))
    gone_to = set(re.findall(r"Goto(?:If)?\((?:[^)]*\?)?(earshot[\w-]*),", DIALPLAN))
    assert gone_to <= there
    trunk = "\n".join(lines(FOLDER / "pjsip.conf"))
    assert re.findall(r"^context = (.*)$", trunk, re.M) == ["from-trunk"]
    assert "allow = ulaw\n" in trunk


def test_no_file_holds_a_password() -> None:
    for path in FOLDER.iterdir():
        for secret in re.findall(r"^(?:password|BOT_LOGIN) ?= ?(.*)$", path.read_text(), re.M):
            assert "CHANGE-ME" in secret or secret == "YOUR-PASSWORD"


def test_the_page_names_every_variable() -> None:
    for name in VARIABLES:
        assert f"`__{name}`" in PAGE


def test_the_lab_is_where_the_page_says() -> None:
    assert PbxPhone.__module__.startswith("app.lab.pbx")
    assert "`app.lab.pbx`" in PAGE


# Calls of the bot's own

ORDER = PlacedSeals(["a-password-of-16"]).originate(
    PlacedCall(
        call_id="AO" + "0" * 32, to="+15550100001", from_="+15550100002", agent="x", ring_s=25
    )
)


def test_an_order_names_contexts_and_extensions_that_are_there() -> None:
    out = re.fullmatch(r"Local/\+\d+@([\w-]+)/n", ORDER.endpoint)
    assert out is not None
    assert "exten => _[+0-9].,1," in context(out[1])
    assert f"exten => {ADDRESS},1," in context(out[1])
    assert f"exten => {ORDER.extension},1," in context(ORDER.context)
    assert "Goto(earshot,${EARSHOT_TO},bot)" in context(ORDER.context)
    assert "same => n(bot)," in context("earshot")


def test_the_outgoing_dialplan_reads_what_an_order_sets() -> None:
    given = {name.removeprefix("__") for name in ORDER.variables}
    outgoing = "".join(context(name) for name in ("earshot-out", "earshot-dialled"))
    assert set(re.findall(r"\$\{(EARSHOT_\w+)\}", outgoing)) <= given
    assert {"EARSHOT_RING_S", "EARSHOT_FROM", "EARSHOT_TO"} <= given


def test_no_address_stands_where_a_colon_parts_two_labels() -> None:
    """`EARSHOT_TO` may be sip:user@host."""
    assert not re.findall(r"GotoIf\(.*\?.*EARSHOT_TO", DIALPLAN)


def test_a_caller_takes_nothing_of_an_order_along() -> None:
    """What comes from a trunk goes through the first lines of `earshot`, an order past them."""
    before = context("earshot").split("n(bot)")[0]
    for name in (DIRECTION, ORDER_VARIABLE, ATTEMPT):
        assert f"Set(__{name}=" in before
    reached = re.findall(r"Goto\(earshot-out\b|include\s*=>", DIALPLAN)
    assert not reached, "only an order reaches the context that dials"
    assert 'ExecIf($["${EARSHOT_DIRECTION}" = "outbound"]?Hangup())' in context("earshot-fallback")


def test_the_news_have_the_names_that_the_bot_reads() -> None:
    told = "".join(re.findall(r"Set\(FORM=.*", context("earshot-dialled")))
    named = set(re.findall(r"[=&](\w+)=\$\{", told))
    assert named == {"call", "attempt", "status", "cause", "seconds"}
    assert f"${{BOT_URL}}{DIALLED_PATH}," in context("earshot-dialled")
    assert f'"{HEARD}"' in context("earshot-dialled")
    assert all(f"`{name}`" in PAGE for name in named)
    asked = set(re.findall(r'"([a-z]+)":', _source_of(OutgoingCall.run.__code__.co_filename)))
    assert named <= asked, "the lab's dialplan tells alike"


def test_ari_is_on_for_the_user_and_not_for_everybody() -> None:
    ari = "\n".join(lines(FOLDER / "ari.conf"))
    http = "\n".join(lines(FOLDER / "http.conf"))
    assert "enabled = yes" in ari and "enabled = yes" in http
    assert "bindaddr = 127.0.0.1" in http
    assert "read_only = no" in ari and "type = user" in ari
    [user] = re.findall(r"^\[(?!general)(\w+)\]$", ari, re.M)
    assert f"EARSHOT_ARI_USER={user}" in PAGE
    assert all(f"`{path.name}`" in PAGE for path in FOLDER.iterdir())
