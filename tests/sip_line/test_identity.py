"""Invariant: a worker is told who calls whom from where, numbers as numbers and names as SIP
addresses, with the headers that were meant for it and no others."""

from app.sip_line.identity import Identity, Party, canonical, handed_on


def test_numbers_stay_numbers_and_names_become_addresses() -> None:
    assert Party("+15550100001", "192.0.2.9").address == "+15550100001"
    assert Party("100", "192.0.2.9").address == "100"
    assert Party("alice", "example.org").address == "sip:alice@example.org"
    assert Party("", "example.org").address == "sip:example.org"


def test_the_variables_of_a_call() -> None:
    headers = handed_on(
        [("via", "secret"), ("x-account-id", "4711"), ("user-to-user", "56a3"), ("X-PLAN", "gold")]
    )
    caller, called = Party("+15550100001", "192.0.2.9"), Party("100", "192.0.2.1")
    assert Identity(caller, called, "a@b", "192.0.2.9", headers).variables() == {
        "EARSHOT_FROM": "+15550100001",
        "EARSHOT_TO": "100",
        "EARSHOT_CALL_ID": "a@b",
        "EARSHOT_SOURCE_IP": "192.0.2.9",
        "EARSHOT_HEADER_X-Account-Id": "4711",
        "EARSHOT_HEADER_User-to-User": "56a3",
        "EARSHOT_HEADER_X-Plan": "gold",
    }


def test_a_header_that_comes_twice_is_joined() -> None:
    identity = Identity(Party("", ""), Party("", ""), "", "", (("x-a", "1"), ("X-A", "2")))
    assert identity.variables()["EARSHOT_HEADER_X-A"] == "1, 2"


def test_a_name_with_an_underscore_cannot_pass_for_one_with_a_hyphen() -> None:
    headers = (("X-Account_Id", "4711"), ("User_to_User", "56a3"), ("X-A", "1"))
    assert handed_on(headers) == (("X-A", "1"),)


def test_one_spelling_for_each_name() -> None:
    assert canonical("USER-TO-USER") == "User-to-User"
    assert canonical("x-account-ID") == "X-Account-Id"
