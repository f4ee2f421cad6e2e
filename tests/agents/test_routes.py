"""The first rule that a call fits names its agent; what is wrong with the rules is told with its
line, and what can never be reached is found."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents import AgentError, agent_files
from app.agents.routes import Route, Routes, load_routes, no_such_agent, routes_path
from app.call.facts import CallFacts

DIALLED = "+442079460012"
FACTS = CallFacts(
    from_number="+491701234567", to_number=DIALLED, sip_headers={"X-Tenant": "Acme North"}
)


def write(folder: Path, text: str) -> Path:
    path = folder / "routes.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("pattern", "dialled", "fits"),
    [
        ("+442079460012", DIALLED, True),
        ("+442079460012", "+4420794600123", False),
        ("+4420*", DIALLED, True),
        ("+4421*", DIALLED, False),
        ("*0012", DIALLED, True),
        ("+44*12", DIALLED, True),
        ("*", DIALLED, True),
        ("*", "sip:anyone@example.com", True),
        ("+4420*", "sip:+442079460012@shop.sip.example.com;transport=tls", True),
        ("sales@shop.sip.example.com", "sip:Sales@SHOP.sip.example.com:5060", False),
        ("sales@shop.sip.example.com", "sip:Sales@SHOP.sip.example.com;transport=tls", True),
        ("sip:*@*.example.com", "sips:x@a.example.com", True),
        ("*@*.example.com", "sip:x@example.com", False),
        ("client:ada*", "client:ada-lovelace", True),
        ("+*", "client:ada", False),
        ("+*", "", False),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, dialled: str, fits: bool) -> None:
    assert Route(agent="a", to=pattern).fits(CallFacts(to_number=dialled)) == fits


def test_all_that_a_rule_gives_must_fit() -> None:
    assert Route(agent="a").fits(FACTS)
    assert Route(agent="a", to=("+1*", "+44*"), from_="+49*").fits(FACTS)
    assert not Route(agent="a", to="+44*", from_="+1*").fits(FACTS)
    by_header = Route(agent="a", sip_header={"x-tenant": "acme*"})
    assert by_header.fits(FACTS, headers_count=True)
    assert not by_header.fits(FACTS), "a header is worth nothing where its origin is not trusted"
    assert not Route(agent="a", sip_header={"X-Tenant": "acme"}).fits(FACTS, headers_count=True)
    assert not Route(agent="a", sip_header={"X-Other": "*x"}).fits(FACTS, headers_count=True)


@pytest.mark.parametrize(
    ("pattern", "domain", "fits"),
    [
        ("house.sip.twilio.com", "house.sip.twilio.com", True),
        ("*.sip.twilio.com", "House.sip.twilio.com", True),
        ("house.sip.twilio.com", "other.sip.twilio.com", False),
        ("*", "", False),
    ],
)
def test_a_domain_is_the_carriers_word(pattern: str, domain: str, fits: bool) -> None:
    headers = {"X-Domain": "house.sip.twilio.com"}
    assert (
        Route(agent="a", sip_domain=pattern).fits(CallFacts(sip_domain=domain, sip_headers=headers))
        is fits
    )


def test_a_rule_with_headers_needs_an_origin_that_is_trusted(tmp_path: Path) -> None:
    path = write(tmp_path, '[[route]]\nsip_header = { X-Tenant = "acme*" }\nagent = "desk"\n')
    with pytest.raises(AgentError, match=r"routes.toml:2: .*sip_domains in \[trusted\]"):
        load_routes(path)


def test_the_first_rule_that_fits_counts() -> None:
    routes = Routes(route=(Route(agent="a", to="+1*"), Route(agent="b"), Route(agent="c")))
    found = routes.find(FACTS)
    assert found is not None and (found[0], found[1].agent) == (2, "b")
    assert Routes().find(FACTS) is None


def test_a_file_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
[[route]]
to = ["+4420*", "sales@*.example.com"]
from = "+49*"
agent = "support"
[[route]]
sip_header = { X-Tenant = "acme*" }
agent = "desk"
[trusted]
sip_domains = ["house.sip.twilio.com"]
sip_networks = ["203.0.113.0/24"]
""",
    )
    routes = load_routes(path)
    assert routes.route == (
        Route(agent="support", to=("+4420*", "sales@*.example.com"), from_="+49*"),
        Route(agent="desk", sip_header={"X-Tenant": "acme*"}),
    )
    assert routes.agents == ("support", "desk")
    assert routes.route[0].shown == "to +4420* or sales@*.example.com, from +49*"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[route]]\nto = '+44*'", ":1: route[1].agent: expected this key, it is missing."),
        ("[[route]]\nagent = 'a'\nform = '+1*'",
         ":3: route[1].form: there is no such key; did you mean from?"),
        ("[[route]]\nagent = 'a'\nfrom = 7",
         ":3: route[1].from: expected a text in quotes or a list, got 7."),
        ("[route]\nagent = 'a'",
         ":1: route: expected tables, each headed [[route]], got one table."),
        *(
            (f"[[route]]\nagent = 'a'\n[[route]]\nagent = 'a'\nto = ['+1*', '{bad}']",
             f":5: route[2].to: expected a number such as \"+442079460000\", with * for any digits "
             f'("+4420*"), or a SIP address such as "sales@*.example.com", got "{bad}".')
            for bad in ("", "044 20", "442079", "+0*", "+44-20*", "shop.example.com", "a b@c.de",
                        "+44**", "+٤٤*", "sip:a@b?X=1")
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(AgentError) as caught:
        load_routes(path)
    assert str(caught.value).splitlines() == [f"{path}{problem}"]


def test_no_file_is_no_rules_unless_the_operator_named_it(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    assert load_routes(path).route == ()
    with pytest.raises(AgentError, match=r"routes\.toml: expected such a file"):
        load_routes(path, must_exist=True)
    assert routes_path("") == Path("agents/routes.toml")
    assert routes_path("x.toml") == Path("x.toml")


def test_an_unknown_agent_is_told_where_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, "[[route]]\nagent = 'a'\n[[route]]\nagent = 'b'\n")
    error = no_such_agent(load_routes(path), "b", "There is no agent 'b'.")
    assert str(error) == f"{path}:4: route[2].agent: There is no agent 'b'."


@pytest.mark.parametrize(
    ("earlier", "later", "never"),
    [
        (Route(agent="a"), Route(agent="b", to="+44*"), True),
        (Route(agent="a", to="+44*"), Route(agent="b", to="+4420*"), True),
        (Route(agent="a", to="+44*"), Route(agent="b", to=DIALLED), True),
        (Route(agent="a", to="+44*"), Route(agent="b", to=("+4420*", "+1*")), False),
        (Route(agent="a", to=("+44*", "+1*")), Route(agent="b", to=("+4420*", "+15*")), True),
        (Route(agent="a", to="+4420*"), Route(agent="b", to="+44*"), False),
        (Route(agent="a", to="+44*", from_="+49*"), Route(agent="b", to="+44*"), False),
        (Route(agent="a", to="+44*"), Route(agent="b", to="+44*", from_="+49*"), True),
        (Route(agent="a", sip_header={"X-A": "*"}), Route(agent="b"), False),
        (Route(agent="a", sip_header={"x-a": "a*"}), Route(agent="b", sip_header={"X-A": "ab"}),
         True),
    ],
)  # fmt: skip
def test_a_rule_that_no_call_reaches_is_found(earlier: Route, later: Route, never: bool) -> None:
    assert list(Routes(route=(earlier, later)).never()) == ([(2, 1)] if never else [])


NUMBERS = st.from_regex(r"\+[1-3][1-3]{4,6}", fullmatch=True)
PATTERNS = st.from_regex(r"\+[1-3][1-3]{0,3}\*?[1-3]{0,2}|\*[1-3]{0,3}", fullmatch=True)


@given(PATTERNS, PATTERNS, NUMBERS)
def test_a_rule_that_is_covered_gets_no_call(earlier: str, later: str, dialled: str) -> None:
    first, second = Route(agent="a", to=earlier), Route(agent="b", to=later)
    facts = CallFacts(to_number=dialled)
    if first.covers(second) and second.fits(facts):
        assert first.fits(facts)


def test_the_rules_are_no_agent(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "desk.toml").write_text("")
    assert list(agent_files([tmp_path])) == ["desk"]
