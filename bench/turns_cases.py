"""The generated cases of `bench.turns floor`: every kind of caller on every kind of line.

A case is one call: the bot begins a long answer, and the caller interrupts it, makes a sound that
takes no floor, or says nothing. All chance comes from the seed.
"""

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final, Literal, TypeAlias, get_args

from app.lab.phone.impairments import Echo, Impairments, Noise
from app.lab.phone.manners import backchannel, breath, cough, talk_over
from app.lab.phone.script import HangUp, Interrupt, Script, WaitForBot
from app.lab.realtime.behaviour import Behaviour
from app.lab.speech.beds import BedKind
from app.lab.speech.coded import coded_audio
from app.lab.speech.voices import voice_clip
from bench.turns_ear import Known
from bench.turns_stage import FIRST, Act

Condition: TypeAlias = Literal["clean", "20 dB", "10 dB", "5 dB", "echo", "loss", "jitter"]
CONDITIONS: Final[tuple[Condition, ...]] = get_args(Condition)
Kind: TypeAlias = Literal["interruption", "cough", "breath", "backchannel", "nobody"]

CASES: Final = 420
QUICK_CASES: Final = 63
INTERRUPTING: Final = 28
"""Of 60 cases of a condition."""
SOUNDS: Final[tuple[Kind, ...]] = ("cough", "breath", "backchannel")
NOISES: Final[tuple[BedKind, ...]] = ("white", "pink", "street", "music")
DELAYS_MS: Final = (0, 40, 0, 150)
ANSWER_MS: Final = 5_000
LAST_ONSET_MS: Final = 3_000
TRANSCRIPTION_MS: Final = 300
TRANSCRIPTION_JITTER_MS: Final = 150
MODEL_MARGIN_DB: Final[dict[BedKind | None, float]] = {None: 8.0, "street": 10.0, "music": 12.0}
"""By the noise behind the caller (None: any other) with what margin the model's own voice detection
tells a voice from it. With less it takes the noise for a turn that never ends, which the vendor's
would not; with more it misses voices at 5 dB."""
SPOKEN_CLIPS: Final = ("book_two_eight_rms", "open_friday_rms", "seven_at_noon_rms")
OTHER_VOICE: Final = "awb"
"""The caller's on a line on which the bot comes back: no ear could tell them apart else."""
PAUSE_LIMIT_MS: Final = 3_200
"""The bot holds for 2.5 s at most: after this much quiet it is through."""


@dataclass(frozen=True, slots=True)
class Case:
    condition: Condition
    kind: Kind
    number: int
    """Within its condition."""
    seed: int
    delay_ms: int
    hears_bot: bool = False
    """The model's ear understands the bot's own words when they come back."""

    @property
    def name(self) -> str:
        return f"{self.condition}/{self.kind}/{self.number}"

    @property
    def by_voice(self) -> bool:
        """The bot speaks with a voice; else its audio names every millisecond."""
        return self.condition == "echo"


def cases(count: int, seed: int) -> list[Case]:
    """`count` of them, evenly over the conditions, which are mixed so that all bear alike on the
    machine. Interruptions come first: their calls are shorter, and a round lasts as long as its
    longest call."""
    each = count // len(CONDITIONS)
    made = [
        _case(condition, number, each, seed) for condition in CONDITIONS for number in range(each)
    ]
    Random(f"{seed}/order").shuffle(made)
    return sorted(made, key=lambda case: case.kind != "interruption")


def _case(condition: Condition, number: int, each: int, seed: int) -> Case:
    interrupting = each * INTERRUPTING // 60
    own = seed * 100_000 + CONDITIONS.index(condition) * 1_000 + number
    delay_ms = 0 if condition == "jitter" else DELAYS_MS[number % len(DELAYS_MS)]
    if number < interrupting:
        return Case(condition, "interruption", number, own, delay_ms)
    at = number - interrupting
    quiet = condition in ("20 dB", "10 dB", "5 dB", "echo")
    kinds: tuple[Kind, ...] = (*SOUNDS, "nobody") if quiet else SOUNDS
    kind = kinds[at % len(kinds)]
    hears_bot = condition == "echo" and kind == "nobody" and at // len(kinds) % 2 == 1
    return Case(condition, kind, number, own, delay_ms, hears_bot)


def act_of(case: Case) -> Act:
    step, line = _step(case), _impairments(case)
    bed = line.noise.kind if line.noise is not None else None
    known = [] if step is None else [Known(step.audio, step.text)]
    if case.hears_bot:
        known += [Known(voice_clip(name).ulaw, voice_clip(name).text) for name in SPOKEN_CLIPS]
    return Act(
        case.name,
        _script(step),
        line,
        first=answer(case),
        known=tuple(known),
        behaviour=Behaviour(
            seed=case.seed,
            transcription_delay_ms=TRANSCRIPTION_MS,
            transcription_jitter_ms=TRANSCRIPTION_JITTER_MS,
            vad_noise_margin_db=MODEL_MARGIN_DB.get(bed, MODEL_MARGIN_DB[None]),
        ),
    )


def answer(case: Case) -> bytes:
    """What the bot says until somebody interrupts."""
    return spoken_answer() if case.by_voice else coded_audio(FIRST, 0, ANSWER_MS, quiet=False)


@cache
def spoken_answer() -> bytes:
    return b"".join(voice_clip(name).ulaw for name in SPOKEN_CLIPS)


def _step(case: Case) -> Interrupt | None:
    chance = Random(f"{case.seed}/when")
    after_ms = chance.randint(600, LAST_ONSET_MS)
    voice = OTHER_VOICE if case.by_voice else None
    match case.kind:
        case "interruption":
            return talk_over(case.seed, (300, LAST_ONSET_MS), voice)
        case "cough":
            return cough(after_ms, case.seed)
        case "breath":
            return breath(after_ms, case.seed)
        case "backchannel":
            return backchannel(after_ms, case.seed, voice)
        case "nobody":
            return None


def _script(step: Interrupt | None) -> Script:
    if step is None:
        steps: tuple[Interrupt | WaitForBot | HangUp, ...] = (
            WaitForBot.finished(PAUSE_LIMIT_MS),
            HangUp(),
        )
    elif step.kind == "interruption":
        # The next answer, or the rest of one that was not stopped.
        steps = (step, WaitForBot.finished(500, said_ms=400, timeout_ms=9_000), HangUp())
    else:
        steps = (step, WaitForBot.finished(PAUSE_LIMIT_MS, timeout_ms=15_000), HangUp())
    return Script(steps, limit_ms=30_000)


def _impairments(case: Case) -> Impairments:
    chance = Random(f"{case.seed}/line")
    noise, echo = None, None
    if case.condition.endswith("dB"):
        kind = NOISES[case.number % len(NOISES)]
        noise = Noise(kind, float(case.condition.split()[0]))
    if case.condition == "echo":
        echo = Echo(chance.randint(40, 400), chance.uniform(12.0, 30.0))
    return Impairments(
        delay_ms=case.delay_ms,
        jitter_ms=30 if case.condition == "jitter" else 0,
        loss=0.02 if case.condition == "loss" else 0.0,
        seed=case.seed,
        noise=noise,
        echo=echo,
    )
