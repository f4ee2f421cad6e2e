"""Invariant: whatever SIP a hostile or an unlucky peer speaks, it gets the answer that RFC 3261 has
for it, at the address that it sent from; no other call and no other peer notices anything."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from sippy.SipHeader import SipHeader

from app.sip_line import stack
from app.sip_line.guesses import MOST_WRONG
from app.sip_line.line import Line
from app.sip_line.log import MOST_LINES
from tests.sip_line.raw import NUMBER, description, header_of, raw_peer
from tests.sip_line.stage import line_to, none_left
from tests.sip_line.worker import WorkerCall, open_worker

NOBODY = "ws://127.0.0.1:9/asterisk/media"


def strangers() -> AbstractAsyncContextManager[Line]:
    """A line that knows nobody without credentials."""
    return line_to(NOBODY, peers=(), credentials={"bob": "x"})


def transactions(line: Line) -> int:
    return len(line._stack.manager.tserver)


def dialogs(line: Line) -> int:
    return len(line._stack.manager.req_consumers)


async def test_a_port_that_cannot_be_does_not_cost_the_socket() -> None:
    async with line_to(NOBODY) as line, raw_peer(line.port) as peer:
        for port in ("99999", "0", "-1"):
            peer.send(
                peer.text("OPTIONS", via=f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{port}")
            )
        assert (await peer.asked("OPTIONS")).startswith("SIP/2.0 200")


async def test_answers_go_back_to_the_address_that_asked() -> None:
    """`received` is the server's to say (RFC 3261, 18.2.1); said by a peer it would send our
    answers to a third party."""
    async with line_to(NOBODY) as line, raw_peer(line.port) as peer:
        via = f"SIP/2.0/UDP 127.0.0.1:{peer.port};branch=z9hG4bKr;received=127.0.0.66"
        assert (await peer.asked("OPTIONS", via=via)).startswith("SIP/2.0 200")


@pytest.mark.parametrize("kind", ["300", "200"])
async def test_payload_types_that_cannot_be_are_refused(kind: str) -> None:
    """RTP has seven bits for them; a number that does not fit stopped the sound of all calls."""
    offer = description(9, f"a=rtpmap:{kind} PCMU/8000", audio=f"RTP/AVP {kind}")
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        assert (await peer.asked("INVITE", offer)).startswith("SIP/2.0 488")
        await none_left(line)


@pytest.mark.parametrize(
    "offer",
    [
        description(9).replace("m=audio 9", f"m=audio {'9' * 5_000}"),
        description(9, audio=f"RTP/AVP {'9' * 5_000}"),
        description(9, f"a=rtpmap:{'9' * 5_000} PCMU/8000", audio="RTP/AVP 3"),
    ],
)
async def test_numbers_that_python_does_not_read_are_refused(offer: str) -> None:
    async with line_to(NOBODY) as line, raw_peer(line.port) as peer:
        assert (await peer.asked("INVITE", offer)).startswith("SIP/2.0 488")


async def test_extensions_that_are_required_are_named_as_unsupported() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        refused = await peer.asked("INVITE", description(9), "Require: 100rel, timer", "Require: x")
        assert refused.startswith("SIP/2.0 420")
        assert header_of(refused, "Unsupported") == "100rel, timer, x"
        assert not worker.calls


async def test_what_a_parser_cannot_read_is_answered_with_400() -> None:
    async with line_to(NOBODY) as line, raw_peer(line.port) as peer:
        for contact in ("*", "<sip:a@127.0.0.1:port>"):
            refused = await peer.asked("INVITE", description(9), contact=contact)
            assert refused.startswith("SIP/2.0 400")
        peer.send(peer.text("INVITE", description(9)).replace(" INVITE\r\n", " BYE\r\n"))
        assert (await peer.final()).startswith("SIP/2.0 400")
        assert dialogs(line) == 0


async def test_what_is_not_needed_may_be_anything() -> None:
    """Empty lines before a message (RFC 3261, 7.5), lines that are no header (8.2.2)."""
    async with line_to(NOBODY) as line, raw_peer(line.port) as peer:
        options = peer.text("OPTIONS", "", "no header", "Date: no date", "Max-Forwards: many")
        peer.send("\r\n\r\n" + options)
        assert (await peer.final()).startswith("SIP/2.0 200")


async def test_credentials_that_cannot_be_read_are_answered() -> None:
    told = 'Authorization: Digest username="bob, with a comma"'
    async with strangers() as line, raw_peer(line.port) as peer:
        refused = await peer.asked("INVITE", description(9), told)
        assert refused.startswith("SIP/2.0 400")


async def test_a_telephone_number_as_address_is_understood() -> None:
    """RFC 3966; trunks of mobile networks speak so."""
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        peer.from_ = f"<tel:{NUMBER};npdi;phone-context=+1>;tag=raw"
        taken = await peer.asked("INVITE", description(9), uri="tel:+15550100009")
        assert taken.startswith("SIP/2.0 200")
        peer.acknowledge(taken)
        assert (await peer.asked("BYE")).startswith("SIP/2.0 200")
        await none_left(line)
        told = worker.calls[0].variables
        assert (told["EARSHOT_FROM"], told["EARSHOT_TO"]) == (NUMBER, "+15550100009")


@pytest.mark.parametrize("name", ["Jörg €", "Åsa"])
async def test_names_and_descriptions_in_any_alphabet_are_taken(name: str) -> None:
    """Content-Length counts bytes, not characters."""
    offer = description(9).replace("s=-", f"s={name}{name}")
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        peer.from_ = f'"{name}" {peer.from_}'
        taken = await peer.asked("INVITE", offer)
        assert taken.startswith("SIP/2.0 200")
        peer.acknowledge(taken)
        await peer.asked("BYE")


async def test_names_that_are_no_utf8_are_taken() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        invite = peer.text("INVITE", description(9)).replace("From: ", 'From: "Müller" ')
        peer.send(invite.encode("latin-1"))
        assert (await peer.final()).startswith("SIP/2.0 200")


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text.replace("Content-Length: ", "Content-Length: 1"),
        lambda text: text.replace("\r\n\r\nv=0", "\r\n\r\nv="),
        lambda text: text.replace("@127.0.0.1>;tag=raw", "@127.0.0.1:>;tag=raw"),
        lambda text: text.replace("@127.0.0.1>;tag=raw", "@127.0.0.1:5060:5060>;tag=raw"),
        lambda text: text.removesuffix("\r\n"),
    ],
)
async def test_nothing_of_a_message_is_printed(
    broken: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    async with line_to(NOBODY) as line, raw_peer(line.port) as peer:
        peer.send(broken(peer.text("INVITE", description(9))))
        await peer.final()
    assert capfd.readouterr() == ("", "")


async def test_refusals_of_strangers_are_not_sent_again() -> None:
    """They could make us send seven answers to whoever they say they are (RFC 3261, 26.3.2.4)."""
    async with strangers() as line, raw_peer(line.port) as peer:
        invite = peer.text("INVITE", description(9))
        for _ in range(2):
            peer.send(invite)
            refused = await peer.final()
            assert refused.startswith("SIP/2.0 401")
            assert "tag=" in header_of(refused, "To")
        assert transactions(line) == 0


async def test_who_guesses_at_credentials_is_not_looked_at_for_a_while() -> None:
    async with strangers() as line, raw_peer(line.port) as peer:
        challenged = await peer.asked("INVITE", description(9))
        challenge = SipHeader(s=f"WWW-Authenticate: {header_of(challenged, 'WWW-Authenticate')}")

        async def tried(password: str) -> str:
            told = challenge.getBody().genAuthHF("bob", password, "INVITE", "sip:100@127.0.0.1")
            return await peer.asked("INVITE", description(9), f"Authorization: {told}")

        for number in range(MOST_WRONG):
            assert (await tried(f"guess-{number}")).startswith("SIP/2.0 403")
        assert (await tried("x")).startswith("SIP/2.0 403")


async def test_what_strangers_send_is_logged_seldom(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "app.sip_line")
    async with strangers() as line, raw_peer(line.port) as peer:
        for _ in range(50):
            peer.send(peer.text("INVITE", description(9)).replace("CSeq: ", "CSeq: one "))
            peer.send(peer.text("OPTIONS", via="nothing"))
        await peer.asked("OPTIONS")
        assert len(caplog.records) == MOST_LINES


async def test_what_is_remembered_of_strangers_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "MOST_ANSWERS", 20)
    async with strangers() as line, raw_peer(line.port) as peer:
        for _ in range(100):
            await peer.asked("OPTIONS")
        await asyncio.sleep(5 * stack.TIMERS_S)
        assert len(line._stack.manager.l1rcache) <= 20


@pytest.mark.parametrize("end", ["\u2028", "\u0085", "\x0b", "\x1e", "\r"])
async def test_no_header_can_bring_others(end: str) -> None:
    """A trusted proxy passes on what a caller says; sippy's parser would end the line there."""
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        taken = await peer.asked("INVITE", description(9), f"Subject: a{end}X-Account-Id: 4711")
        assert taken.startswith("SIP/2.0 200")
        peer.acknowledge(taken)
        assert (await peer.asked("BYE")).startswith("SIP/2.0 200")
        assert "EARSHOT_HEADER_X-Account-Id" not in worker.calls[0].variables


async def test_an_invite_that_came_by_two_ways_is_one_call() -> None:
    """RFC 3261, 8.2.2.2."""
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        first = peer.text("INVITE", description(9))
        peer.send(first)
        peer.send(first.replace("branch=z9hG4bK", "branch=z9hG4bKother"))
        answers = [await peer.final(), await peer.final()]
        assert {answer[8:11] for answer in answers} == {"200", "482"}
        assert line.calls == 1


async def test_a_session_without_a_description_is_offered_ours_and_takes_the_answer() -> None:
    """A re-INVITE without a body asks for an offer (RFC 3261, 14.2): a PBX that connects two of its
    calls sends one, and its ACK says where the sound is to go from now on."""
    loop = asyncio.get_running_loop()
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        await peer.call()
        offered = await peer.asked("INVITE")
        assert offered.startswith("SIP/2.0 200")
        assert "RTP/AVP 0 8 101" in offered
        assert "a=sendrecv" in offered
        heard: asyncio.Queue[bytes] = asyncio.Queue()

        class Elsewhere(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                heard.put_nowait(data)

        transport, _ = await loop.create_datagram_endpoint(Elsewhere, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        peer.acknowledge(offered, description(port, audio="RTP/AVP 8"))
        async with asyncio.timeout(60):
            assert (await heard.get())[1] & 0x7F == 8
        transport.close()
        await peer.asked("BYE")


async def test_a_refused_change_leaves_the_session_to_be_refreshed() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        await peer.call()
        refused = await peer.asked("INVITE", description(9, audio="RTP/AVP 18"))
        assert refused.startswith("SIP/2.0 488")
        peer.acknowledge(refused)
        refreshed = await peer.asked("INVITE")
        assert refreshed.startswith("SIP/2.0 200")
        peer.acknowledge(refreshed)
        assert (await peer.asked("BYE")).startswith("SIP/2.0 200")


async def test_requests_before_the_answer_belong_to_the_call() -> None:
    """An early dialog is one: 481 would tell its peer that it is gone."""
    async with (
        open_worker() as worker,
        line_to(worker.url, worker_answers=True) as line,
        raw_peer(line.port) as peer,
    ):
        peer.send(peer.text("INVITE", description(9)))
        peer.to = header_of(await peer.next("SIP/2.0 180"), "To")
        assert (await peer.asked("UPDATE", description(9))).startswith("SIP/2.0 405")
        again = await peer.asked("INVITE", description(9))
        assert again.startswith("SIP/2.0 500")
        assert header_of(again, "Retry-After")


async def test_in_a_call_what_cannot_be_is_told_so() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        await peer.call()
        for method in ("UPDATE", "PRACK", "MESSAGE", "REFER", "SUBSCRIBE"):
            refused = await peer.asked(method)
            assert refused.startswith("SIP/2.0 405"), method
            assert header_of(refused, "Allow")
        keys = await peer.asked("INFO", "Signal=5\r\n", kind="application/dtmf-relay")
        assert keys.startswith("SIP/2.0 415")
        assert (await peer.asked("INFO")).startswith("SIP/2.0 200")
        options = await peer.asked("OPTIONS")
        assert header_of(options, "Allow")
        required = await peer.asked("INVITE", description(9), "Require: replaces")
        assert required.startswith("SIP/2.0 420")
        peer.acknowledge(required)
        assert line.calls == 1
        assert (await peer.asked("BYE")).startswith("SIP/2.0 200")


async def test_what_breaks_in_a_call_leaves_no_transaction() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        await peer.call()
        before = transactions(line)
        refused = await peer.asked("BYE", "", "Reason: ;;;", "Also: <what:>")
        assert refused.startswith(("SIP/2.0 400", "SIP/2.0 200"))
        assert transactions(line) <= before


@pytest.mark.parametrize("transport", ["tcp", "tls", "TCP", "sctp", "UDP"])
@pytest.mark.parametrize(
    "more", [(), ("Record-Route: <sip:127.0.0.1:{port};lr;transport={what}>",)]
)
async def test_whatever_transport_a_peer_prefers_it_gets_our_bye(
    transport: str, more: tuple[str, ...]
) -> None:
    """We have only UDP; a BYE that is never sent leaves the caller with an open call."""

    async def hang_up(call: WorkerCall) -> None:
        await call.command("HANGUP")

    async with (
        open_worker(hang_up) as worker,
        line_to(worker.url) as line,
        raw_peer(line.port) as peer,
    ):
        contact = f"<sip:raw@127.0.0.1:{peer.port};transport={transport}>"
        told = [each.format(port=peer.port, what=transport) for each in more]
        taken = await peer.asked("INVITE", description(9), *told, contact=contact)
        peer.acknowledge(taken)
        await peer.next("BYE ")
        await none_left(line)


async def test_a_peer_that_moves_in_a_call_gets_our_bye_where_it_is() -> None:
    """A re-INVITE refreshes the target (RFC 3261, 12.2.2)."""

    async def hang_up(call: WorkerCall) -> None:
        await moved.wait()
        await call.command("HANGUP")

    moved = asyncio.Event()
    async with (
        open_worker(hang_up) as worker,
        line_to(worker.url) as line,
        raw_peer(line.port) as peer,
        raw_peer(line.port) as elsewhere,
    ):
        await peer.call()
        contact = f"<sip:raw@127.0.0.1:{elsewhere.port}>"
        peer.acknowledge(await peer.asked("INVITE", description(11), contact=contact))
        moved.set()
        assert (await elsewhere.next("BYE ")).startswith(f"BYE sip:raw@127.0.0.1:{elsewhere.port}")


async def test_a_bye_before_the_ack_ends_the_call() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        peer.to = header_of(await peer.asked("INVITE", description(9)), "To")
        assert "200 OK" in await peer.asked("BYE")
        await none_left(line)


async def test_what_comes_twice_is_answered_twice_and_done_once() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        invite = peer.text("INVITE", description(9))
        peer.send(invite)
        first = await peer.final()
        peer.send(invite)
        assert await peer.final() == first
        peer.acknowledge(first)
        bye = peer.text("BYE")
        peer.send(bye)
        gone = await peer.final()
        peer.send(bye)
        assert await peer.final() == gone
        assert len(worker.calls) == 1


async def test_a_cancel_that_comes_after_the_answer_changes_nothing() -> None:
    async with open_worker() as worker, line_to(worker.url) as line, raw_peer(line.port) as peer:
        invite = peer.text("INVITE", description(9))
        via = header_of(invite, "Via")
        peer.send(invite)
        taken = await peer.final()
        crossed = await peer.asked("CANCEL", via=via)
        assert crossed.startswith(("SIP/2.0 481", "SIP/2.0 200"))
        peer.acknowledge(taken)
        assert line.calls == 1
        assert (await peer.asked("BYE")).startswith("SIP/2.0 200")


async def test_a_hop_count_of_none_is_no_matter_for_the_last_one() -> None:
    """RFC 3261, 16.3: only who forwards looks at it."""
    async with line_to(NOBODY) as line, raw_peer(line.port) as peer:
        assert (await peer.asked("OPTIONS", "", "Max-Forwards: 0")).startswith("SIP/2.0 200")
