"""What an agent is: its words, its voice, its tools, and when it takes its turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, with_config

from app.agents.abuse_table import Abuse
from app.agents.after_table import AfterCall
from app.agents.hours_table import Hours
from app.agents.lookup_table import Lookup
from app.agents.onward_tables import Ladder, Menu, Speaks, Transfer, Voicemail
from app.agents.policy_table import Policy
from app.agents.recording_table import Recording
from app.agents.sms_table import Sms
from app.agents.tools_tables import HttpTool, McpServer, Topic
from app.call.patience import PatienceSettings

Eagerness: TypeAlias = Literal["auto", "low", "medium", "high"]
Strategy: TypeAlias = Literal["yield", "hold", "deaf"]
ReasoningEffort: TypeAlias = Literal["", "minimal", "low", "medium", "high", "xhigh"]
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVad:
    """The model hears the turn's end in the silence (OpenAI docs: Realtime turn detection)."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How sure it must be that somebody speaks, 0 to 1. Higher for noisy lines."""
    prefix_padding_ms: Annotated[int, Field(ge=0, le=5_000)] = 300
    """Audio before the detected start that belongs to the turn, in ms."""
    silence_duration_ms: Annotated[int, Field(ge=100, le=10_000)] = 500
    """Silence that ends the turn, in ms. Less is quicker and interrupts slow speakers."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticVad:
    """The model waits until the sentence sounds finished (same source)."""

    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: Eagerness = "auto"
    """How soon it answers; it waits at most 8 s for low, 4 s for medium and auto, 2 s for high."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Our own voice detection hears the silence, and a small text model (EARSHOT_JUDGE_MODEL) is
    asked whether what was said is complete. Needs barge_in.by = "voice"."""

    type: Literal["local"] = "local"
    min_silence_ms: Annotated[int, Field(ge=200, le=3_000)] = 300
    """No turn ends sooner after the caller's voice, in ms."""
    more_silence_ms: Annotated[int, Field(ge=0, le=5_000)] = 500
    """Waited in addition while nothing says that the turn is complete, in ms."""
    max_silence_ms: Annotated[int, Field(ge=500, le=10_000)] = 2_000
    """The longest silence, for a turn that sounds unfinished, in ms."""
    judge: bool = True
    """Ask the text model, where there is one."""
    answer_ahead: bool = False
    """Have the model think of its answer as soon as the caller pauses. Quicker; answers that are
    taken back because the caller goes on are paid for."""


TurnDetection: TypeAlias = Annotated[ServerVad | SemanticVad | Local, Field(discriminator="type")]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class BargeIn:
    """How it lets itself be interrupted.

    "hold": it falls silent as soon as a voice is heard, and goes on where it was if that was a
    cough or an "mm-hm". "yield": it stops for good at once. "deaf": it speaks to its end.
    """

    by: Literal["voice", "model"] = "voice"
    """Who hears the caller begin: our own voice detection on every frame, or the model's. With the
    model's it always yields."""
    greeting: Strategy = "hold"
    speaking: Strategy = "hold"
    thinking: Strategy = "hold"
    """While an answer is on its way and nothing of it is heard yet."""
    yield_after_ms: Annotated[int, Field(ge=200, le=3_000)] = 1_150
    """A voice that lasts so long is an interruption, whatever it says, in ms."""
    brief_ms: Annotated[int, Field(ge=50, le=3_000)] = 700
    """A shorter voice whose words are not known is none, in ms; not above yield_after_ms."""
    words_wait_ms: Annotated[int, Field(ge=0, le=3_000)] = 1_600
    """How long the words of a short voice are waited for, in ms."""
    keys: bool = True
    """A key that is pressed interrupts as well."""
    noise_hint: bool = True
    """When noise interrupts it again and again, it says so once."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What it does about a caller who says nothing. The texts are instructions to the model."""

    ask_after_s: Annotated[float, Field(ge=0, le=600)] = 8.0
    """Quiet before the caller is asked, each time, in seconds. 0: silence is never broken."""
    prompts: tuple[_Words, ...] = PatienceSettings().prompts
    """What is asked, one after the other. When all went unanswered, it says goodbye."""
    goodbye: _Words = PatienceSettings().give_up
    hold_s: Annotated[float, Field(ge=0, le=3_600)] = 180.0
    """How long a caller who asked for a moment is left alone, in seconds."""
    tool_words: str = ""
    """Said in the agent's voice when a tool takes long and has no wait_words of its own. Default:
    nothing."""
    tool_words_after_s: Annotated[float, Field(ge=0, le=600)] = 1.5
    """How long a caller waits for a tool in silence before such words are said, in seconds."""
    tool_sound_after_s: Annotated[float, Field(ge=0, le=600)] = 3.0
    """How long a caller waits for a tool in silence before a soft sound tells that it runs, in
    seconds. 0: no sound."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long its calls may be."""

    minutes: Annotated[float, Field(ge=0, le=1_440)] = 0.0
    """The longest call, in minutes; then it says goodbye. 0: as long as it takes."""
    warn_s: Annotated[float, Field(ge=0, le=3_600)] = 60.0
    """How long before that the caller is told, in seconds. 0: not at all."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """Another model that can carry the agent's calls, maybe elsewhere and for another account."""

    model: str = ""
    """Default: the same as the agent's."""
    base_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """Where it is, as for OPENAI_BASE_URL. Default: the same place."""
    api_key_env: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    """The environment variable that holds its key. Default: OPENAI_API_KEY."""
    project: Annotated[str, Field(pattern=r"^[!-~]*$")] = ""
    """The project that pays. Default: the settings'."""
    voice: str = ""
    """Default: the same voice."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent as its TOML file describes it; `load_agent` checks it."""

    name: str
    """The file's name without `.toml`."""
    source: Path
    """The file; the Python files of its tools are looked up beside it."""
    version: str = field(default="", compare=False)
    """Changes with the file and the Python files of its tools; see `app.agents.files`."""
    instructions: _Words
    """The prompt."""
    description: str = ""
    """What it is for, told to colleagues who may hand calls to it."""
    greeting: str = ""
    """What it says first, word for word. Default: none, it waits for the caller."""
    disclosure: str = ""
    """The sentence that a machine speaks. Said before everything else, word for word and to its
    end, as the first of the notices."""
    notices: tuple[_Words, ...] = ()
    """What callers must hear before the greeting, word for word and to its end, in this order."""
    voice: _Words = "marin"
    """The model's voice, or the id of a custom one ("voice_...")."""
    language: Annotated[str, Field(pattern=r"^([a-z]{2})?$")] = "en"
    """What callers mostly speak, as two letters (ISO 639-1); helps transcription. "": any."""
    timezone: str = ""
    """Where it is, as "Europe/Berlin": for {{date}} and {{time}}. Default: as `hours`, or UTC."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Defaults for what its texts name in {{...}}."""
    lookup: Lookup | None = None
    """What is asked about a caller, for more of them. Default: nothing."""
    model: str = ""
    """A model of its own. Default: the settings'."""
    failover: tuple[Failover, ...] = ()
    """Models to go on with, in this order, when the first cannot be reached."""
    filler: str = "One moment, please."
    """Said in the agent's voice when no model is there for a while. "": nothing."""
    tools: tuple[str, ...] = ()
    """Built-ins by name; functions as "file.py:function" or "package.module:function"."""
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    """People whom it can put callers through to, by a name that the model knows."""
    ladder: Ladder = field(default_factory=Ladder)
    """What callers get when no model can carry the call."""
    menu: Menu = field(default_factory=Menu)
    """Keys and words without any model."""
    voicemail: Voicemail | None = None
    """A message after the tone. Default: there is none."""
    colleagues: tuple[_Words, ...] = ()
    """Other agents, by name, that it may hand a call to."""
    languages: Mapping[str, Speaks] = field(default_factory=dict)
    """Languages that callers may choose besides `language`, by their two letters."""
    http_tools: tuple[HttpTool, ...] = ()
    """HTTP endpoints as tools."""
    mcp: Mapping[str, McpServer] = field(default_factory=dict)
    """MCP servers by name; the agent has their tools."""
    topics: Mapping[str, Topic] = field(default_factory=dict)
    """Tools that the model gets when it asks for them, by topic."""
    turn_detection: TurnDetection = field(default_factory=ServerVad)
    barge_in: BargeIn = field(default_factory=BargeIn)
    silence: Silence = field(default_factory=Silence)
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    """What it may reach, and for whom."""
    hours: Hours | None = None
    """When it is open. Default: always."""
    after_call: AfterCall | None = None
    """What is written down about a call when it is over, and who is told. Default: nothing."""
    sms: Sms = field(default_factory=Sms)
    """How it goes on by text message."""
    recording: Recording = field(default_factory=Recording)
    """Whether its calls are recorded, and by whom."""
    abuse: Abuse = field(default_factory=Abuse)
    """What becomes of callers who abuse it."""
    transcription_model: str = "gpt-transcribe"
    """Writes down what callers say. "": nothing is written down."""
    max_output_tokens: Annotated[int, Field(ge=1, le=4096)] | Literal["inf"] = "inf"
    """The longest answer, tool calls included, in tokens, 1 to 4096."""
    reasoning_effort: ReasoningEffort = ""
    """For reasoning models; more is slower. Default: the model's own."""
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0
    """How fast it speaks, 0.25 to 1.5."""

    @property
    def first_words(self) -> tuple[str, ...]:
        """What callers must hear before the greeting, in this order."""
        return (self.disclosure, *self.notices) if self.disclosure else self.notices

    @property
    def zone(self) -> str:
        return self.timezone or (self.hours.timezone if self.hours else "UTC")

    @property
    def folder(self) -> Path:
        """Where the files that it names are looked up."""
        return self.source.parent
