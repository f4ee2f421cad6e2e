"""A campaign's file is taken whole or refused whole, every mistake with its line; the version of a
plan follows what it says, and what is kept of it is the same plan again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.loading import (
    PlanError,
    campaign_files,
    load_plan,
    plan_data,
    plan_of,
    version_of,
)
from app.campaigns.plan import Caps, Plan, Step
from app.campaigns.times import instant_ms, length_ms, length_told, span_of
from app.campaigns.week import DAYS, week_of
from app.policy.hours import Span
from app.shipped import shipped

AGENTS = ("receptionist", "appointments")
LEAST = 'agent = "receptionist"\n[caller_ids]\nnumbers = ["+442079460101"]\n'


def written(folder: Path, text: str, name: str = "spring") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, name: str = "spring") -> list[str]:
    """Without the file's path."""
    path = written(folder, text, name)
    with pytest.raises(PlanError) as caught:
        load_plan(path, agents=AGENTS)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


def test_the_example_that_ships_is_a_campaign() -> None:
    plan = load_plan("checkups", [shipped("campaigns")])
    assert (plan.name, plan.agent) == ("checkups", "appointments")
    assert week_of(plan.windows)[0] == (Span(570, 750), Span(840, 1140))
    assert plan.machines.message.startswith("Hello, ")


def test_the_least_file_takes_every_default(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, LEAST), agents=AGENTS)
    assert plan.caps == Caps()
    assert plan.steps[0] == Step(on=("busy",), after="20m", times=2)


def test_the_operators_file_wins_and_a_slip_of_the_pen_is_told(tmp_path: Path) -> None:
    own, ships = tmp_path / "own", tmp_path / "ships"
    for folder in (own, ships):
        folder.mkdir()
        written(folder, LEAST)
    assert campaign_files((own, ships)) == {"spring": own / "spring.toml"}
    with pytest.raises(PlanError, match=r"campaigns/sprign\.toml; .*Did you mean spring\?"):
        load_plan("sprign", (own, ships))


def cases() -> list[tuple[str, list[str]]]:
    """Of mistakes.txt: a file of a campaign, and below the line what is told of it."""
    text = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8")
    pairs = [case.split("----\n") for case in text.split("====\n")]
    return [(file, told.splitlines()) for file, told in pairs]


@pytest.mark.parametrize(("text", "told"), cases())
def test_every_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: list[str]) -> None:
    assert [line.lstrip() for line in problems(tmp_path, text)] == told


def test_what_is_no_toml_no_text_or_no_file_is_told(tmp_path: Path) -> None:
    assert "it is not TOML" in problems(tmp_path, "agent = ")[0]
    with pytest.raises(PlanError, match="expected a campaign's file: No such file"):
        load_plan(tmp_path / "gone.toml")


def test_a_files_name_is_a_name_that_commands_take(tmp_path: Path) -> None:
    assert problems(tmp_path, LEAST, "Spring Sale") == [
        ' name: expected a file called in small letters, digits, "-" and "_", got "Spring Sale".'
    ]


def test_the_version_follows_what_is_said_not_how(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, LEAST), agents=AGENTS)
    same = load_plan(written(tmp_path, f"# A comment.\n{LEAST}[caps]\ntotal = 6\n"), agents=AGENTS)
    other = load_plan(written(tmp_path, f"{LEAST}[caps]\ntotal = 7\n"), agents=AGENTS)
    assert version_of(plan) == version_of(same) != version_of(other)
    assert len(version_of(plan)) == 10


@given(
    per_day=st.integers(1, 9),
    text=st.text(max_size=20).filter(lambda text: text.isprintable()),
    hours=st.lists(st.integers(0, 22), min_size=1, max_size=3, unique=True),
)
def test_what_is_kept_is_the_same_plan_again(per_day: int, text: str, hours: list[int]) -> None:
    plan = load_plan("checkups", [shipped("campaigns")])
    data = plan_data(plan)
    data["caps"]["per_day"] = per_day
    data["machines"]["message"] = text
    data["windows"]["hours"] = [f"{hour:02}:00-{hour + 1:02}:00" for hour in hours]
    kept = plan_of(data)
    assert isinstance(kept, Plan)
    assert plan_data(kept) == data
    assert plan_of(plan_data(kept)) == kept


@pytest.mark.parametrize(
    ("text", "ms"), [("45s", 45_000), ("30m", 1_800_000), ("4h", 14_400_000), ("2d", 172_800_000)]
)
def test_lengths(text: str, ms: int) -> None:
    assert length_ms(text) == ms


@pytest.mark.parametrize("text", ["", "4", "h", "0h", "-4h", "4 h", "1.5h", "400d", "٤h", "4H"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a length"):
        length_ms(text)


@pytest.mark.parametrize(
    ("text", "span"), [("00:00-24:00", Span(0, 1_440)), ("09:05-09:06", Span(545, 546))]
)
def test_spans(text: str, span: Span) -> None:
    assert span_of(text) == span


@pytest.mark.parametrize("text", ["", "09:00", "22:00-02:00", "09:00-09:00", "24:00-24:00", "x"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a span"):
        span_of(text)


def test_instants_and_days() -> None:
    assert instant_ms("1970-01-01T01:00:01+01:00") == 1_000
    with pytest.raises(ValueError, match="with its offset"):
        instant_ms("tomorrow")
    assert DAYS[0] == "mon"
    assert len(DAYS) == 7


@pytest.mark.parametrize(
    ("ms", "told"),
    [(-5, "0 s"), (45_000, "45 s"), (90_000, "1.5 min"), (7_200_000, "2 h"), (8.64e7 * 12, "12 d")],
)
def test_lengths_are_told_as_people_say_them(ms: float, told: str) -> None:
    assert length_told(int(ms)) == told
