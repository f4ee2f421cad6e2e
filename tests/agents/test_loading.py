"""An agent's file is taken as it stands or refused with the place and the cure: no key is
ignored, no value is bent into another type."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents import Agent, AgentError, Failover, SemanticVad, ServerVad, agent_files, load_agent

SHIPPED = Path(__file__).parents[2] / "agents"


def write(folder: Path, text: str, name: str = "host") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(AgentError) as caught:
        load_agent(path)
    return [line.removeprefix(str(path)) for line in str(caught.value).splitlines()]


def test_every_key_reaches_the_agent(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
instructions = "Be kind."
greeting = "Hello."
notices = ["I am a machine.", "This call is recorded."]
voice = "cedar"
language = "de"
model = "gpt-realtime-2"
tools = ["a.py:b", "hang_up"]
transcription_model = ""
max_output_tokens = 400
reasoning_effort = "low"
speed = 1
turn_detection = { type = "semantic_vad", eagerness = "high" }
filler = "Just a second."

[[failover]]
model = "gpt-realtime-2.1-mini"
base_url = "https://eu.example.com/v1"
api_key_env = "SECOND_KEY"
project = "proj_2"
voice = "marin"

[[failover]]
""",
    )
    assert load_agent(path) == Agent(
        name="host",
        source=path,
        instructions="Be kind.",
        greeting="Hello.",
        notices=("I am a machine.", "This call is recorded."),
        voice="cedar",
        language="de",
        model="gpt-realtime-2",
        tools=("a.py:b", "hang_up"),
        transcription_model="",
        max_output_tokens=400,
        reasoning_effort="low",
        speed=1.0,
        turn_detection=SemanticVad(eagerness="high"),
        filler="Just a second.",
        failover=(
            Failover(
                model="gpt-realtime-2.1-mini",
                base_url="https://eu.example.com/v1",
                api_key_env="SECOND_KEY",
                project="proj_2",
                voice="marin",
            ),
            Failover(),
        ),
    )


def test_instructions_alone_are_enough(tmp_path: Path) -> None:
    agent = load_agent(write(tmp_path, 'instructions = "Be kind."'))
    assert agent.greeting == ""
    assert agent.voice == "marin"
    assert agent.turn_detection == ServerVad()
    assert agent.transcription_model == "gpt-transcribe"
    assert agent.max_output_tokens == "inf"
    assert agent.failover == ()
    assert agent.filler == "One moment, please."
    assert agent.folder == tmp_path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": instructions: expected this key, it is missing."),
        (
            'instructions = " "',
            ':1: instructions: expected a text that is not empty, got " ".',
        ),
        (
            'instructions = "a"\nvoice = 3',
            ":2: voice: expected a text in quotes, got 3.",
        ),
        (
            'instructions = "a"\nspeed = 9',
            ":2: speed: expected a number less than or equal to 1.5, got 9.",
        ),
        (
            'instructions = "a"\nspeed = nan',
            ":2: speed: expected a finite number, got NaN.",
        ),
        (
            'instructions = "a"\ngreetign = "Hi"',
            ":2: greetign: there is no such key; did you mean greeting?",
        ),
        (
            'instructions = "a"\nname = "x"',
            ":2: name: there is no such key; an agent is called like its file",
        ),
        (
            'instructions = "a"\nlanguage = "english"',
            ':2: language: expected two small letters such as "en", or "", got "english".',
        ),
        (
            'instructions = "a"\nmax_output_tokens = "many"',
            ':2: max_output_tokens: expected a whole number or "inf", got "many".',
        ),
        (
            'instructions = "a"\ntools = "hang_up"',
            ':2: tools: expected a list, got "hang_up".',
        ),
        (
            'instructions = "a"\ntranscription_model = 2026-01-01',
            ':2: transcription_model: expected a text in quotes, got "2026-01-01".',
        ),
        (
            'instructions = "a"\nturn_detection = "server_vad"',
            ':2: turn_detection: expected a table, got "server_vad".',
        ),
        (
            'instructions = "a"\n[turn_detection]\ntype = "vad"',
            ':2: turn_detection: expected type = "server_vad" or "semantic_vad" or "local", '
            'got {"type": "vad"}.',
        ),
        (
            'instructions = "a"\n[turn_detection]\ntype = "server_vad"\ntreshold = 0.5',
            ":4: turn_detection.treshold: there is no such key; did you mean threshold?",
        ),
        (
            'instructions = "a"\n[turn_detection]\ntype = "server_vad"\nsilence_duration_ms = "9"',
            ':4: turn_detection.silence_duration_ms: expected a whole number, got "9".',
        ),
        (
            'instructions = "a"\n[turn_detection]\neagernes = "low"\ntype = "semantic_vad"',
            ":3: turn_detection.eagernes: there is no such key; did you mean eagerness?",
        ),
        (
            'instructions = "a"\ntools = ["hang_up", 3]',
            ":2: tools[2]: expected a text in quotes, got 3.",
        ),
        (
            'instructions = "a"\n[[failover]]\nmodel = "m"\n[[failover]]\nmodle = "n"',
            ":5: failover[2].modle: there is no such key; did you mean model?",
        ),
        (
            'instructions = "a"\n[[failover]]\nfoo = 1',
            ":3: failover[1].foo: there is no such key; "
            "there are model, base_url, api_key_env, project, voice",
        ),
        (
            'instructions = "a"\n[[failover]]\nname = "x"',
            ":3: failover[1].name: there is no such key; "
            "there are model, base_url, api_key_env, project, voice",
        ),
        (
            'instructions = "a"\n[[failover]]\n[[failover]]\nbase_url = "eu.example.com"',
            ":4: failover[2].base_url: expected an http:// or https:// address, "
            'got "eu.example.com".',
        ),
        (
            'instructions = "a"\n[[failover]]\napi_key_env = "sk-live-1"',
            ":3: failover[1].api_key_env: expected the name of an environment variable, "
            "got other characters.",
        ),
        (
            'instructions = "a"\n[[failover]]\nproject = "proj 1"',
            ':3: failover[1].project: expected a project id without spaces, got "proj 1".',
        ),
        (
            'instructions = "a"\n[failover]\nmodel = "m"',
            ":2: failover: expected tables, each headed [[failover]], got one table.",
        ),
        (
            'instructions = "a"\nfailover = [{ modle = "m" }]',
            ":2: failover[1].modle: there is no such key; did you mean model?",
        ),
    ],
)
def test_a_wrong_file_is_told_with_line_key_expected_and_got(
    tmp_path: Path, text: str, told: str
) -> None:
    assert refusal(tmp_path, text) == [told]


def test_a_key_that_was_written_into_the_file_is_never_shown(tmp_path: Path) -> None:
    key = "sk-proj-0123456789"
    for table in ("[[failover]]", "[failover]"):
        for name in ("api_key_env", "api_key"):
            told = refusal(tmp_path, f'instructions = "a"\n{table}\n{name} = "{key}"')
            assert key not in "\n".join(told)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    lines = refusal(tmp_path, 'name = "x"\nvoice = 1\nvioce = "a"\nspeed = "fast"')
    assert len(lines) == 5


def test_problems_stand_in_the_order_of_the_file_and_what_is_missing_first(tmp_path: Path) -> None:
    lines = refusal(tmp_path, 'voice = 1\nvioce = "a"\n[silence]\nhold_s = "x"\nhold = 1')
    assert [line.split()[0] for line in lines] == [":", ":1:", ":2:", ":4:", ":5:"]


def test_lines_are_right_below_a_long_prompt_that_looks_like_toml(tmp_path: Path) -> None:
    text = 'instructions = """\nvoice = 1\n[turn_detection]\n"""\nvoice = 2\n'
    assert refusal(tmp_path, text) == [":5: voice: expected a text in quotes, got 2."]


def test_broken_toml_is_told_with_its_place(tmp_path: Path) -> None:
    [line] = refusal(tmp_path, "instructions = 'a'\nvoice = marin\n")
    assert "not TOML" in line
    assert "line 2" in line


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "host.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(AgentError, match="UTF-8"):
        load_agent(path)


def test_a_path_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="No such file"):
        load_agent(tmp_path / "none.toml")


def test_the_first_folder_that_has_a_name_wins(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    theirs.mkdir()
    write(mine, 'instructions = "mine"')
    write(theirs, 'instructions = "theirs"')
    write(theirs, 'instructions = "other"', name="other")
    search = [mine, theirs, tmp_path / "absent"]
    assert load_agent("host", search).instructions == "mine"
    assert load_agent("other", search).instructions == "other"
    assert list(agent_files(search)) == ["host", "other"]


def test_an_unknown_name_is_told_with_what_there_is(tmp_path: Path) -> None:
    write(tmp_path, 'instructions = "a"')
    with pytest.raises(AgentError, match=r"there are: host\. Did you mean host\?"):
        load_agent("hots", [tmp_path])
    with pytest.raises(AgentError, match="there are: none"):
        load_agent("host", [])


def test_the_default_agent_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    agent = load_agent("receptionist")
    assert agent.source == SHIPPED / "receptionist.toml"
    assert agent.greeting
    assert agent.tools == ("bookings.py:book_table", "hang_up")


@given(
    st.dictionaries(
        st.sampled_from([*Agent.__dataclass_fields__, "other"]),
        st.one_of(st.integers(), st.floats(), st.booleans(), st.just("x"), st.just(["x"])),
    )
)
def test_any_values_give_an_agent_or_told_problems(values: dict[str, object]) -> None:
    import json
    import tempfile

    def toml(value: object) -> str:
        text = json.dumps(value)
        return text.lower().replace("infinity", "inf").replace("e+", "e")

    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "\n".join(f"{k} = {toml(v)}" for k, v in values.items()))
        try:
            agent = load_agent(path)
        except AgentError as error:
            lines = str(error).splitlines()
            assert lines
            assert all(line.startswith(str(path)) for line in lines)
        else:
            assert agent.instructions == values["instructions"]
