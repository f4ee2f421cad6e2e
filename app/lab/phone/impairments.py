"""What can be bad about a line, as data. The same seed, the same fate.

Three places are impaired. The *path* between the carrier and the bot is one TCP connection: it
delays and stalls, and never reorders or loses (`path`). *Upstream*, between the caller and the
carrier, frames are lost and silence is suppressed: the carrier then sends no media message and the
`timestamp` of the next one has jumped (`upstream`). And what the frames *sound* like: noise behind
the caller, an overdriven microphone, the bot's own voice that comes back, a cellular band
(`line_sound`).
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.lab.speech.beds import BED_KINDS, BedKind
from telecodecs.dtmf import MAX_LEVEL_DBFS
from telecodecs.g711 import FRAME_MS

Way: TypeAlias = Literal["to_bot", "to_phone"]

SPEECH_DBFS = -20.0
"""The level that a signal-to-noise ratio refers to: RMS of the shipped voices while they speak."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span on the stream's own clock."""

    at_ms: int
    length_ms: int

    def holds(self, carrier_ms: float) -> bool:
        return self.at_ms <= carrier_ms < self.at_ms + self.length_ms


@dataclass(frozen=True, slots=True)
class Stall(Window):
    """The path holds everything for this span and then lets it go at once."""

    way: Way | Literal["both"] = "both"


@dataclass(frozen=True, slots=True)
class JitterBursts:
    """Now and then the path is late by `peak_ms` at once and catches up within `length_ms`, each
    way by itself."""

    mean_every_ms: int = 2_000
    """Mean quiet time from the end of one burst to the next one; exponentially distributed."""
    peak_ms: int = 150
    length_ms: int = 300

    def __post_init__(self) -> None:
        if min(self.mean_every_ms, self.peak_ms, self.length_ms) <= 0:
            raise ValueError(
                "jitter bursts need mean_every_ms, peak_ms and length_ms above 0, got "
                f"{self.mean_every_ms}, {self.peak_ms} and {self.length_ms}"
            )


@dataclass(frozen=True, slots=True)
class Bursts:
    """Loss in bursts (Gilbert's model): all frames of a burst are lost, none between two."""

    share: float
    """Share of all frames that is lost in the long run."""
    mean_ms: int = 100
    """Mean length of a burst; geometrically distributed, in frames of 20 ms."""

    def __post_init__(self) -> None:
        if self.mean_ms < FRAME_MS:
            raise ValueError(f"a burst lasts one frame, {FRAME_MS} ms, or more, got {self.mean_ms}")
        most = self.mean_ms / (self.mean_ms + FRAME_MS)
        if not 0.0 <= self.share <= most:
            raise ValueError(
                f"bursts of {self.mean_ms} ms can take a share from 0 to {most:.3g}, "
                f"because a good frame lies between two; got {self.share}"
            )

    @property
    def begin_chance(self) -> float:
        """That a burst begins with a frame after a good one."""
        return min(1.0, self.share * self.end_chance / (1 - self.share))

    @property
    def end_chance(self) -> float:
        """That a burst is over before its next frame."""
        return FRAME_MS / self.mean_ms


@dataclass(frozen=True, slots=True)
class Noise:
    """Behind the caller, all the time, also while the caller is quiet."""

    kind: BedKind
    snr_db: float
    """How far the noise's RMS lies below `speech_dbfs`; of a ringing tone, while it sounds."""
    speech_dbfs: float = SPEECH_DBFS
    """The caller's speech level. Change it for recordings that are louder or softer."""

    def __post_init__(self) -> None:
        if self.kind not in BED_KINDS:
            raise ValueError(f"noise is one of {', '.join(BED_KINDS)}, got {self.kind!r}")
        if not -20.0 <= self.snr_db <= 60.0:
            raise ValueError(f"snr_db is from -20 to 60, got {self.snr_db}")
        if not -60.0 <= self.speech_dbfs <= -10.0:
            raise ValueError(f"speech_dbfs is from -60 to -10, got {self.speech_dbfs}")


@dataclass(frozen=True, slots=True)
class Echo:
    """The bot's voice comes back from the caller's end, through a hybrid of about 1.5 ms."""

    delay_ms: int
    """From a sample's being played to the `timestamp` at which it is in the caller's audio."""
    attenuation_db: float
    """Of power over the whole band. A voice's own spectrum can make it 2 dB more or less."""

    def __post_init__(self) -> None:
        if not 0 <= self.delay_ms <= 2_000:
            raise ValueError(f"an echo's delay_ms is from 0 to 2000, got {self.delay_ms}")
        if not 0.0 <= self.attenuation_db <= 80.0:
            raise ValueError(f"attenuation_db is from 0 to 80, got {self.attenuation_db}")


@dataclass(frozen=True, slots=True)
class Clipping:
    """An overdriven microphone: voice and background are amplified, then cut off."""

    gain_db: float = 12.0
    limit_dbfs: float = -6.0
    """Peak that no sample passes."""

    def __post_init__(self) -> None:
        if not -40.0 <= self.gain_db <= 60.0:
            raise ValueError(f"gain_db is from -40 to 60, got {self.gain_db}")
        if not -40.0 <= self.limit_dbfs <= 0.0:
            raise ValueError(f"limit_dbfs is from -40 to 0, got {self.limit_dbfs}")


@dataclass(frozen=True, slots=True)
class KeyLeak:
    """The tone of a pressed key is in the caller's audio too, from the frame of the press on."""

    level_dbfs: float = -16.0
    tone_ms: int = 100
    told_after_ms: int = 0
    """The carrier's message of the key comes so much after the start of its tone."""

    def __post_init__(self) -> None:
        if not 0 <= self.told_after_ms <= 1_000:
            raise ValueError(f"a key's told_after_ms is from 0 to 1000, got {self.told_after_ms}")
        if not -60.0 <= self.level_dbfs <= MAX_LEVEL_DBFS:
            raise ValueError(
                f"a key's level_dbfs is from -60 to {MAX_LEVEL_DBFS}, got {self.level_dbfs}"
            )
        if not 20 <= self.tone_ms <= 2_000:
            raise ValueError(f"a key's tone_ms is from 20 to 2000, got {self.tone_ms}")


@dataclass(frozen=True, slots=True)
class Band:
    """What a narrow channel lets through, by default that of GSM and AMR. Only the band, not the
    codec; for that see `app.lab.speech.cellular`. Delays by 4 ms, which the report knows."""

    low_hz: int = 300
    high_hz: int = 3_400

    def __post_init__(self) -> None:
        if not 0 <= self.low_hz < self.high_hz <= 4_000:
            raise ValueError(
                f"a band has 0 <= low_hz < high_hz <= 4000, got {self.low_hz} and {self.high_hz}"
            )


@dataclass(frozen=True, slots=True)
class Impairments:
    delay_ms: int = 0
    """One-way delay of the path between carrier and bot, each way. Default 0 ms."""
    jitter_ms: int = 0
    """Added to the delay of each message, uniform in 0..jitter_ms; the order is kept."""
    seed: int = 0
    """Of all chance in the call. Streams of one call draw different numbers from it."""
    stalls: tuple[Stall, ...] = ()
    gaps: tuple[Window, ...] = ()
    """Spans without media messages from the caller."""
    loss: float = 0.0
    """Share (0..1) of the caller's frames that never reach the carrier."""
    suppress_silence_after_ms: int | None = None
    """After this much digital silence from the caller the carrier sends no media. None: never."""
    first_timestamp_ms: int = 0
    """`timestamp` of a stream's first media message; real streams rarely begin at 0."""
    jitter_bursts: JitterBursts | None = None
    bursts: Bursts | None = None
    """Loss in bursts, besides `loss`."""
    noise: Noise | None = None
    echo: Echo | None = None
    clipping: Clipping | None = None
    key_leak: KeyLeak | None = None
    band: Band | None = None

    def __post_init__(self) -> None:
        if self.delay_ms < 0 or self.jitter_ms < 0:
            raise ValueError(
                "delay_ms and jitter_ms must be 0 or more, "
                f"got {self.delay_ms} and {self.jitter_ms}"
            )
        if not 0.0 <= self.loss <= 1.0:
            raise ValueError(f"loss is a share from 0 to 1, got {self.loss}")
