"""Invariant: a plan that was carried out leaves nothing to do, makes everything before what refers
to it, and takes away nothing but parts of wanted things, and those only when it is asked to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.provisioning.planning import Action, Create, Delete, Plan, Update, plan
from app.provisioning.resources import Key, Kind, Present, Ref, Value, Wanted

OWNED = {
    Kind.CREDENTIAL: Kind.CREDENTIAL_LIST,
    Kind.ADDRESS: Kind.ADDRESS_LIST,
    Kind.ORIGINATION: Kind.TRUNK,
    Kind.DOMAIN_ADDRESSES: Kind.DOMAIN,
}
TOPS = (Kind.CREDENTIAL_LIST, Kind.ADDRESS_LIST, Kind.DOMAIN, Kind.TRUNK)
names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["", "1", "2"])
fields = st.dictionaries(st.sampled_from(["voice_url", "secure"]), texts)


@st.composite
def keys(draw: st.DrawFn) -> Key:
    if draw(st.booleans()):
        return Key(draw(st.sampled_from(TOPS)), draw(names))
    kind = draw(st.sampled_from(sorted(OWNED)))
    return Key(kind, draw(names), Key(OWNED[kind], draw(names)))


@st.composite
def wishes(draw: st.DrawFn) -> list[Wanted]:
    """Parts come with what they are part of, references with what they refer to."""
    found: dict[Key, Wanted] = {}
    wanted: list[Key] = draw(st.lists(keys(), max_size=8))
    for key in wanted:
        if key.owner is not None:
            found.setdefault(key.owner, Wanted(key.owner, draw(fields)))
        found[key] = Wanted(key, draw(fields))
    lists = [key for key in found if key.kind is Kind.ADDRESS_LIST]
    if draw(st.booleans()) and lists:
        number = Key(Kind.BYOC, "byoc")
        found[number] = Wanted(number, {"from_domain_sid": Ref(draw(st.sampled_from(lists)))})
    return list(found.values())


@st.composite
def states(draw: st.DrawFn) -> list[Present]:
    found: dict[Key, Present] = {}
    for key in draw(st.lists(keys(), max_size=8)):
        for one in (key.owner, key):
            if one is not None and one not in found:
                found[one] = Present(one, f"SID{len(found)}", draw(fields))
    return list(found.values())


def carried_out(actions: tuple[Action, ...], present: list[Present]) -> list[Present]:
    """As a carrier would. Fails for what refers to something that is not there."""
    there = {one.key: one for one in present}

    def known(value: Value) -> str:
        return there[value.key].sid if isinstance(value, Ref) else value

    for number, action in enumerate(actions):
        if isinstance(action, Create):
            assert action.key not in there
            assert action.key.owner is None or action.key.owner in there
            new = {name: known(value) for name, value in action.wanted.fields.items()}
            there[action.key] = Present(action.key, f"NEW{number}", new)
        elif isinstance(action, Update):
            old = there[action.key]
            new = {change.name: known(change.value) for change in action.changes}
            there[action.key] = Present(action.key, old.sid, {**old.fields, **new})
        else:
            del there[action.key]
    return list(there.values())


@given(wishes(), states(), st.booleans())
def test_what_was_done_needs_not_be_done_again(
    wanted: list[Wanted], present: list[Present], delete: bool
) -> None:
    made = plan(wanted, present, delete=delete)
    after = plan(wanted, carried_out(made.actions, present), delete=delete)
    assert after.is_done
    assert after.left == made.left


@given(wishes(), states(), st.integers(min_value=0, max_value=20))
def test_a_plan_that_was_cut_off_is_gone_on_with(
    wanted: list[Wanted], present: list[Present], done: int
) -> None:
    made = plan(wanted, present)
    half = carried_out(made.actions[:done], present)
    rest = plan(wanted, half)
    assert len(rest.actions) == max(0, len(made.actions) - done)
    assert plan(wanted, carried_out(rest.actions, half)).is_done


@given(wishes(), states())
def test_nothing_goes_that_nobody_asked_to_take_away(
    wanted: list[Wanted], present: list[Present]
) -> None:
    assert not any(isinstance(action, Delete) for action in plan(wanted, present).actions)
    ours = {one.key for one in wanted}
    deleted = [a for a in plan(wanted, present, delete=True).actions if isinstance(a, Delete)]
    assert all(action.key not in ours and action.key.owner in ours for action in deleted)
    assert {action.key for action in deleted} == {one.key for one in plan(wanted, present).left}


NUMBER = Key(Kind.NUMBER, "+14155550100")
TRUNK = Key(Kind.TRUNK, "pbx")


def test_a_number_is_never_bought() -> None:
    made = plan([Wanted(NUMBER, {"voice_url": "x"})], [])
    assert made.actions == ()
    assert [problem.key for problem in made.problems] == [NUMBER]
    assert not made.is_done


def test_what_refers_to_nothing_is_a_problem() -> None:
    made = plan([Wanted(NUMBER, {"trunk_sid": Ref(TRUNK)})], [Present(NUMBER, "PN1")])
    assert made.actions == ()
    assert "no elastic trunk pbx" in made.problems[0].text


def test_two_of_one_name_are_a_problem_and_are_left_alone() -> None:
    two = [Present(TRUNK, "TK1"), Present(TRUNK, "TK2")]
    part = Wanted(Key(Kind.ORIGINATION, "sip:a", TRUNK))
    made = plan([Wanted(TRUNK, {"secure": "true"}), part], two, delete=True)
    assert made.actions == ()
    assert {problem.key for problem in made.problems} == {TRUNK, part.key}


def test_a_wish_that_is_there_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="pbx twice"):
        plan([Wanted(TRUNK), Wanted(TRUNK)], [])


def test_a_drift_is_told_with_both_values() -> None:
    made: Plan = plan(
        [Wanted(NUMBER, {"voice_url": "new", "voice_method": "POST"})],
        [Present(NUMBER, "PN1", {"voice_url": "old", "voice_method": "POST", "sms_url": "kept"})],
    )
    [action] = made.actions
    assert isinstance(action, Update)
    assert [(c.name, c.old, c.new) for c in action.changes] == [("voice_url", "old", "new")]
