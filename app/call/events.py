"""What can happen to a call. Everything the heart knows of the world arrives as one of these.

Conventions: `*_ms` on the call clock are milliseconds since the call's first event; `carrier_ms` is
the carrier's own clock (Twilio: media `timestamp`); `axis_ms` is the caller axis: milliseconds of
caller audio, silence included, since the stream began. Ids are the vendor's, opaque here.
A call has several model sessions one after the other, its legs, numbered from 1. What comes from a
model comes from the leg that carries the call, unless the event names its `leg`.
Audio itself never travels in events: the bridge keeps the bytes, the heart keeps their positions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["inbound", "outbound"]

AnsweredBy: TypeAlias = Literal[
    "human",
    "machine_start",
    "machine_end_beep",
    "machine_end_silence",
    "machine_end_other",
    "fax",
    "unknown",
]
"""Who answered a call that we placed, in the field's words (Twilio: AnsweredBy). `machine_start`: a
machine's greeting has begun; `machine_end_...`: it is over, and by what that was known."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said or done, as another model session is told of it."""

    kind: Literal["caller", "agent", "keys", "tool"]
    item_id: str = ""
    text: str = ""
    """Words as heard. "" for a caller's turn whose words are not known: then its audio counts."""
    audio_start_ms: int | None = None
    audio_end_ms: int | None = None
    """On the caller axis."""
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | None = None
    """Of a tool. None: it has not come back."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What another worker needs to go on with a call."""

    call_id: str
    direction: Direction
    summary: str = ""
    """Stands for all that was said before `entries`."""
    entries: tuple[Entry, ...] = ()
    unanswered: bool = False
    """The caller waits for an answer."""
    broke_off: bool = False
    """An answer that had come whole was on its way to the caller when the stream ended."""
    moved: bool = False
    """Handed over on purpose in a quiet moment: nothing needs to be explained to the caller."""
    model: int = 0
    """Which model of the agent's list carried the call."""
    cost_usd: float = 0.0
    notices_heard: int = 0
    """How many of the agent's notices the caller heard to their end."""
    agent: str = ""
    """Who spoke; "": the agent that the call began with."""
    language: str = ""
    """What was spoken, if the caller chose another language; two letters."""
    left_by: str = ""
    """The tool call that sent the call elsewhere; "": none did."""
    topics: tuple[str, ...] = ()
    """Of the tools that the model asked for."""
    proofs: tuple[str, ...] = ()
    """How the caller proved who they are, such as "pin"; never what they said or typed for it."""
    answer: str = ""
    """Where the call stood with an answering machine: a state of answer_machine.py."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The call was elsewhere, with a person or a menu, and is back."""

    output: str
    """What came of it, for the model: the output of the tool that sent it there."""
    say: str
    """Instructions of the first answer."""


@dataclass(frozen=True, slots=True)
class OnAnswer:
    """What is done about a machine that answers a call of ours."""

    on_machine: Literal["message", "hang_up", "talk"] = "hang_up"
    """message: left after the beep. talk: as with a person."""
    message: str = ""
    """As it is spoken. "": hang up instead."""


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The carrier's media stream is open and its token was accepted."""

    call_id: str
    stream_id: str
    direction: Direction = "inbound"
    first_model: int = 0
    """Which model of the agent's list to begin with."""
    resumed: Snapshot | None = None
    """Where the call stood when another stream of it ended."""
    returned: Returned | None = None
    """It was elsewhere meanwhile; only with `resumed`."""
    agent: str = ""
    agent_version: str = ""
    """Who answers, and by which version of its files."""
    keys_in_doubt: bool = False
    """The caller may have been typing a private number when another stream of the call ended."""
    attempt_id: str = ""
    """The attempt of a campaign that this call is; "": of none."""
    on_answer: OnAnswer | None = None
    """None: nobody asked who answers."""
    answered_by: AnsweredBy | None = None
    """What is known of that already."""
    since_answer_ms: int | None = None
    """How long ago somebody answered the call that we placed; None: not known."""


@dataclass(frozen=True, slots=True)
class CallerAudioBegan:
    """The first caller frame arrived: the media path is up, so a greeting will be heard."""

    carrier_ms: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The carrier's verdict on who answered. It may come late, twice or never."""

    by: AnsweredBy


@dataclass(frozen=True, slots=True)
class BeepHeard:
    """Our own ears heard a beep on the caller's side."""

    ended_ms: int
    """On the caller axis."""
    axis_ms: int
    sound_before_ms: int
    """How much had been heard before that was neither silence nor a tone."""


@dataclass(frozen=True, slots=True)
class MarkEchoed:
    """The carrier returned a mark; `carrier_lo_ms..carrier_hi_ms` bounds when it did."""

    name: str
    carrier_lo_ms: int
    carrier_hi_ms: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class CarrierClosed:
    """The caller's side is gone. `hangup`: the caller hung up; `lost`: the socket broke or
    violated the protocol; `stalled`: it stopped taking or sending data."""

    cause: Literal["hangup", "lost", "stalled"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ModelReady:
    """A session is configured and the echoed configuration was checked."""

    session_id: str
    model: str
    lifetime_ms: int | None = None
    """After this long the vendor ends the session, if it says so."""
    leg: int = 1


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """Our own voice detection heard the caller begin."""

    began_ms: int
    """On the caller axis."""
    axis_ms: int
    """How much of the caller's audio had come by then."""
    level_dbfs: float = 0.0
    echo: float = 0.0
    """How much of its energy, 0 to 1, is the bot's own voice that came back."""


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """Our own voice detection has heard no voice for a moment."""

    ended_ms: int
    """On the caller axis."""
    axis_ms: int
    voiced_ms: int
    """How much of the time since it began was voice."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The model's voice activity detection heard the caller begin."""

    item_id: str
    audio_start_ms: int
    """On the caller axis; includes the model's prefix padding."""
    axis_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item_id: str
    audio_end_ms: int
    """On the caller axis; includes the silence that the model waited for."""
    axis_ms: int
    silence_ms: int = 0
    """The silence contained in `audio_end_ms`, so speech ended at `audio_end_ms - silence_ms`."""


@dataclass(frozen=True, slots=True)
class CallerTurnCommitted:
    item_id: str


@dataclass(frozen=True, slots=True)
class CallerTranscribed:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response_id: str
    request_id: str = ""
    """The `request_id` of our `CreateResponse`, or "" when the model began by itself."""


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """The model opened an output item in a response."""

    response_id: str
    item_id: str
    kind: Literal["message", "function_call"]


@dataclass(frozen=True, slots=True)
class AudioReceived:
    response_id: str
    item_id: str
    n_bytes: int
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A piece of the transcript of what the model says."""

    response_id: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    call_id: str
    item_id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; not validated yet."""


@dataclass(frozen=True, slots=True)
class Usage:
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    cached_text_tokens: int = 0
    cached_audio_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    total_tokens: int = 0


ResponseStatus: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    response_id: str
    status: ResponseStatus
    reason: str = ""
    """The vendor's reason, such as turn_detected, client_cancelled, max_output_tokens."""
    error_code: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    item_id: str


@dataclass(frozen=True, slots=True)
class PlayBegan:
    """Where the model's side plays: the caller begins to hear this answer."""

    response_id: str


@dataclass(frozen=True, slots=True)
class PlayEnded:
    """... has heard all of it."""

    response_id: str


@dataclass(frozen=True, slots=True)
class PlayCut:
    """... will hear no more of it. `ItemTruncated` tells how much they heard."""

    response_id: str


@dataclass(frozen=True, slots=True)
class RateLimits:
    remaining: Mapping[str, int] = field(default_factory=dict)
    reset_ms: Mapping[str, int] = field(default_factory=dict)


FaultKind: TypeAlias = Literal[
    "harmless", "active_response", "rejected", "retryable", "fatal", "away", "back"
]
"""`away`: the session goes on, but for a while we hear nothing of it; until it is `back`."""


@dataclass(frozen=True, slots=True)
class ModelFault:
    """The model reported an error. `kind` comes from the adapter's table of codes."""

    code: str
    message: str
    kind: FaultKind
    request_id: str = ""
    """The id of the command it answers, if the vendor says so."""


CloseCause: TypeAlias = Literal[
    "refused", "unreachable", "wrong_format", "nonsense", "expired", "lost", "stalled", "failed"
]
"""The last two are our own verdicts: it did not go on, or failed again and again."""


@dataclass(frozen=True, slots=True)
class ModelClosed:
    """A model session is gone or could not be opened."""

    cause: CloseCause
    detail: str = ""
    leg: int = 1


@dataclass(frozen=True, slots=True)
class SummaryWritten:
    """The answer to `Summarise`. `text` "": it failed."""

    request_id: str
    text: str
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class TurnJudged:
    """The answer to `JudgeTurn`. `complete` None: there is no verdict."""

    request_id: str
    complete: bool | None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class PhraseStored:
    """The answer to `PlayPhrase`: the bytes of a phrase in the agent's voice, which come with this
    event as model audio does. 0 bytes: it is not at hand."""

    text: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class TonesMade:
    """The answer to `PlayKeys`: the bytes of the tones, which come with this event."""

    keys: str
    n_bytes: int


LegCause: TypeAlias = Literal[
    "start",
    "time",
    "expiry",
    "context",
    "spend",
    "operator",
    "drop",
    "failover",
    "worker",
    "agent",
    "language",
]
"""Why a leg was opened: the call's start; a session's planned time, the vendor's limit, what it
reads or costs; somebody's wish; a session lost; another model; another worker took over; another
agent or language."""


@dataclass(frozen=True, slots=True)
class RolloverRequested:
    """Go on with a fresh model session, in a quiet moment."""

    cause: LegCause = "operator"


@dataclass(frozen=True, slots=True)
class NoiseMeasured:
    """How loud the caller's line is while nobody speaks, from its first two seconds."""

    level_dbfs: float


@dataclass(frozen=True, slots=True)
class Prompted:
    """Somebody outside the conversation wants the agent to say something next."""

    why: Literal["emergency", "operator", "opt_out"]
    say: str
    """Instructions."""


EffectKind: TypeAlias = Literal["leave", "agent", "language", "keys", "topics"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a tool wants done to the call itself."""

    kind: EffectKind
    """leave: the call goes on elsewhere, after the last word. agent: another agent takes over.
    language: another one is spoken. keys: tones are played. topics: more tools are offered."""
    value: str = ""
    """leave: the plan, opaque here. agent: its name. language: two letters. keys: what to press.
    topics: their names, with blanks between them."""
    say: str = ""
    """Instructions for what the agent says first, where it has said nothing yet."""


@dataclass(frozen=True, slots=True)
class ToolBegan:
    """A tool that was asked for runs now, and this is how its agent wants the call to deal with it.
    Not told of tools about which there is nothing to say."""

    call_id: str
    wait_words: str = ""
    """What the agent says when it takes long; "": nothing."""
    cancellable: bool = False
    """It is called off when the caller takes the floor."""


@dataclass(frozen=True, slots=True)
class ToolFinished:
    call_id: str
    output: str
    ok: bool = True
    effect: Effect | None = None
    proof: str = ""
    """How the caller proved by it who they are; "": they did not. Opaque here."""


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """Say what is queued, then end the call. By a drain: leave it to another worker in a quiet
    moment; asked for again, at once."""

    by: Literal["agent", "operator", "drain"]


@dataclass(frozen=True, slots=True)
class KeysUnsafe:
    """Somebody hears the keys: a private entry must not go on."""


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """Time has passed: sent when `Call.due_ms` is reached and never otherwise."""


Event: TypeAlias = (
    StreamStarted
    | CallerAudioBegan
    | Answered
    | BeepHeard
    | MarkEchoed
    | KeyPressed
    | CarrierClosed
    | ModelReady
    | VoiceStarted
    | VoiceStopped
    | TurnJudged
    | SpeechStarted
    | SpeechStopped
    | CallerTurnCommitted
    | CallerTranscribed
    | ResponseCreated
    | ItemAdded
    | AudioReceived
    | TextReceived
    | ResponseFinished
    | ItemTruncated
    | ItemDeleted
    | PlayBegan
    | PlayEnded
    | PlayCut
    | RateLimits
    | ModelFault
    | ModelClosed
    | SummaryWritten
    | PhraseStored
    | TonesMade
    | RolloverRequested
    | NoiseMeasured
    | Prompted
    | ToolBegan
    | ToolFinished
    | HangUpRequested
    | KeysUnsafe
    | DeadlineReached
)
